"""TensorFlow Serving's REST predict: its body -> rows, probabilities -> its answer.

https://www.tensorflow.org/tfx/serving/api_rest#predict_api
"""

import math
from collections.abc import Sequence
from typing import Any

import msgspec
import numpy as np
from msgspec import UNSET, Struct, UnsetType
from numpy.typing import NDArray

from weir.catalog.manifest import TensorSpec
from weir.errors import BadBody, BadTensor
from weir.inputs.tensor import InputRows, joined
from weir.protocol.datatypes import from_json
from weir.protocol.requests import MAX_ROWS

_FORM = 'the body is a JSON object {"instances": [a row, …]} or {"inputs": rows, or {name: rows}}'


class PredictRequest(Struct, kw_only=True):
    """The body of `POST …:predict`: `instances` or `inputs`."""

    signature_name: str = "serving_default"
    instances: list[msgspec.Raw] | UnsetType = UNSET
    inputs: msgspec.Raw | UnsetType = UNSET


class InstancesResponse(Struct, frozen=True):
    """The answer to `instances`: the probabilities of each row's labels."""

    predictions: list[list[float]]


class InputsResponse(Struct, frozen=True):
    """The answer to `inputs`: the probabilities of each row's labels."""

    outputs: list[list[float]]


_decoder = msgspec.json.Decoder(PredictRequest)
_list = msgspec.json.Decoder(list[msgspec.Raw])
_object = msgspec.json.Decoder(dict[str, msgspec.Raw])


def decode(content: bytes, specs: Sequence[TensorSpec]) -> tuple[InputRows, bool]:
    """Read the rows of a request, and whether they came as `instances`.

    Raises:
        BadBody: it is no such document, or asks for a signature that no model has.
        BadTensor: the rows are not the model's.
    """
    try:
        request = _decoder.decode(content)
        if request.signature_name != "serving_default":
            raise BadBody("signature_name is serving_default", request.signature_name)
        if (request.instances is UNSET) == (request.inputs is UNSET):
            raise BadBody(_FORM, "both, or neither")
        if request.instances is not UNSET:
            columns = _turned(request.instances, specs)
        else:
            assert request.inputs is not UNSET
            columns = {name: _list.decode(rows) for name, rows in _named(request.inputs, specs).items()}
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError) as exc:
        raise BadBody(_FORM, exc) from exc
    arrays = [_array(columns[spec.name], spec) for spec in specs]
    if len({len(array) for array in arrays}) > 1:
        raise BadTensor("all inputs have as many rows", [len(array) for array in arrays])
    return joined(arrays, specs), request.instances is not UNSET


def encode(probabilities: NDArray[np.float32], *, instances: bool) -> bytes:
    """Write probabilities `(rows, labels)` as the answer to `instances`, or to `inputs`."""
    rows: Any = probabilities.tolist()
    return msgspec.json.encode(InstancesResponse(rows) if instances else InputsResponse(rows))


def _turned(instances: list[msgspec.Raw], specs: Sequence[TensorSpec]) -> dict[str, list[msgspec.Raw]]:
    """Turn a list of rows into rows by input."""
    rows = [_named(instance, specs) for instance in instances]
    return {spec.name: [row[spec.name] for row in rows] for spec in specs}


def _named(values: msgspec.Raw, specs: Sequence[TensorSpec]) -> dict[str, msgspec.Raw]:
    """Read values by input; those of the only one may stand without its name."""
    if len(specs) == 1 and not bytes(values).startswith(b"{"):
        return {specs[0].name: values}
    named = _object.decode(values)
    if set(named) != {spec.name for spec in specs}:
        raise BadTensor(f"the inputs are {', '.join(spec.name for spec in specs)}", sorted(named))
    return named


def _array(rows: list[msgspec.Raw], spec: TensorSpec) -> InputRows:
    if not 1 <= len(rows) <= MAX_ROWS:
        raise BadTensor(f"a request has 1 to {MAX_ROWS} rows", len(rows))
    sizes = spec.shape[1:]
    values = [from_json(row, spec.datatype, math.prod(sizes)) for row in rows]
    return np.stack(values).reshape(len(rows), *sizes)
