"""Make the tiny networks that unit tests serve, so that those tests need no TensorFlow.

Run `python tests/networks/make.py` after a change here, and commit the files it writes. Each maps a 4x4 picture to
logits of three labels (left, middle, right: where the picture is bright), and each is surer than the one before.
"""

from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

SCALE = {"tiny": 0.002, "small": 0.01, "large": 0.05}


def network(scale: float) -> bytes:
    """Convert a linear network whose logits are `scale` times the brightness of each third of the picture."""
    inputs = keras.Input(batch_shape=(1, 4, 4))
    outputs = keras.layers.Dense(3, use_bias=False)(keras.layers.Flatten()(inputs))
    model = keras.Model(inputs, outputs)
    columns = np.array([[1, 0, 0], [0.5, 0.5, 0], [0, 0.5, 0.5], [0, 0, 1]], np.float32)
    model.set_weights([np.tile(columns, (4, 1)) * scale])
    content: bytes = tf.lite.TFLiteConverter.from_keras_model(model).convert()
    return content


if __name__ == "__main__":
    for name, scale in SCALE.items():
        Path(__file__).with_name(f"{name}.tflite").write_bytes(network(scale))
