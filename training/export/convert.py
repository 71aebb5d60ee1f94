"""From a Keras network to the bytes of a `.tflite`, in four quantizations."""

import io
import warnings
from collections.abc import Iterator
from contextlib import redirect_stdout
from typing import Any

import tensorflow as tf

from training.configured_keras import keras
from weir.catalog.inputs import Input
from weir.catalog.manifest import Quantization
from weir.engine.arrays import Floats
from weir.errors import ModelUnavailable

QUANTIZATIONS: tuple[Quantization, ...] = ("float32", "float16", "dynamic", "int8")


def convert(model: keras.Model, described: Input, quantization: Quantization, representative: Floats) -> bytes:
    """Convert a network; input and output stay float32, the batch dimension is 1.

    Args:
        model: raw rows `(n, …)` -> logits `(n, labels)`.
        described: what a row is; the artifact's input has its name.
        quantization: of the weights, and with `int8` of the activations.
        representative: training rows `(n, …)`, from which `int8` sets the range of its activations.

    Raises:
        ModelUnavailable: the converter refuses the network.
    """
    # Keras numbers unnamed layers, and names are part of the bytes: they must not depend on what was built before.
    keras.utils.clear_session(free_memory=False)
    # With Keras' open batch dimension the graph keeps nodes that switch the XNNPACK delegate off.
    inputs = keras.Input(batch_shape=(1, *described.row_shape), dtype=described.dtype.name, name=described.name)
    whole = keras.Model(inputs, model(inputs, training=False), name="network")
    converter = tf.lite.TFLiteConverter.from_keras_model(whole)
    # Per-channel dense weights need FULLY_CONNECTED version 12, which tflite-runtime 2.14 refuses.
    converter._experimental_disable_per_channel_quantization_for_dense_layers = True  # noqa: SLF001 (the only switch)
    _set(converter, quantization, representative)
    try:
        with redirect_stdout(io.StringIO()), warnings.catch_warnings():  # it prints what it saves
            warnings.simplefilter("ignore")
            content: bytes = converter.convert()
    except Exception as exc:  # the converter raises whatever it met
        raise ModelUnavailable(f"TensorFlow did not convert {model.name} to {quantization}", exc) from exc
    return content


def _set(converter: Any, quantization: Quantization, representative: Floats) -> None:  # noqa: ANN401
    def samples() -> Iterator[list[Floats]]:
        for row in representative:
            yield [row[None]]

    if quantization != "float32":
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
    if quantization == "float16":
        converter.target_spec.supported_types = [tf.float16]
    if quantization == "int8":
        converter.representative_dataset = samples
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
