"""From a Keras network to the bytes of a `.tflite`, in four quantizations."""

import io
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import redirect_stdout
from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from training.configured_keras import keras
from weir.catalog.inputs import Input
from weir.catalog.manifest import Quantization
from weir.errors import ModelUnavailable

QUANTIZATIONS: tuple[Quantization, ...] = ("float32", "float16", "dynamic", "int8")


def convert(
    model: keras.Model, inputs: Sequence[Input], quantization: Quantization, representative: NDArray[Any]
) -> bytes:
    """Convert a network; inputs and output keep their datatypes, the batch dimension is 1.

    Args:
        model: raw rows `(n, …)` -> logits `(n, labels)`; of several inputs it takes those that it reads.
        inputs: what a row is; the artifact's inputs have these names.
        quantization: of the weights, and with `int8` of the activations.
        representative: training rows `(n, …)`, from which `int8` sets the range of its activations.

    Raises:
        ModelUnavailable: the converter refuses the network.
    """
    # Keras numbers unnamed layers, and names are part of the bytes: they must not depend on what was built before.
    keras.utils.clear_session(free_memory=False)
    # With Keras' open batch dimension the graph keeps nodes that switch the XNNPACK delegate off.
    read = _read_by(model, inputs)
    tensors = [keras.Input((*one.row_shape,), 1, dtype=one.dtype.name, name=one.name) for one in read]
    only = tensors[0] if len(tensors) == 1 else tensors
    whole = keras.Model(only, model(only, training=False), name="network")
    converter = tf.lite.TFLiteConverter.from_keras_model(whole)
    # Per-channel dense weights need FULLY_CONNECTED version 12, which tflite-runtime 2.14 refuses.
    converter._experimental_disable_per_channel_quantization_for_dense_layers = True  # noqa: SLF001 (the only switch)
    _set(converter, quantization, _samples(representative, [one.name for one in read]))
    try:
        with redirect_stdout(io.StringIO()), warnings.catch_warnings():  # it prints what it saves
            warnings.simplefilter("ignore")
            content: bytes = converter.convert()
    except Exception as exc:  # the converter raises whatever it met
        raise ModelUnavailable(f"TensorFlow did not convert {model.name} to {quantization}", exc) from exc
    return content


def _read_by(model: keras.Model, inputs: Sequence[Input]) -> list[Input]:
    """Choose the inputs that a network reads, in its order."""
    if len(inputs) == 1:
        return list(inputs)
    by_name = {one.name: one for one in inputs}
    return [by_name[tensor.name] for tensor in model.inputs]


def _samples(rows: NDArray[Any], names: Sequence[str]) -> Callable[[], Iterator[list[NDArray[Any]]]]:
    """Make the arrays that a network reads of each row; names are those of its inputs."""

    def samples() -> Iterator[list[NDArray[Any]]]:
        for number in range(len(rows)):
            row = rows[number : number + 1]
            yield [row] if rows.dtype.names is None else [np.ascontiguousarray(row[name]) for name in names]

    return samples


def _set(
    converter: Any,  # noqa: ANN401 (TensorFlow has no types)
    quantization: Quantization,
    samples: Callable[[], Iterator[list[NDArray[Any]]]],
) -> None:
    if quantization != "float32":
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
    if quantization == "float16":
        converter.target_spec.supported_types = [tf.float16]
    if quantization == "int8":
        converter.representative_dataset = samples
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
