"""TensorFlow Serving's REST API: the body of a predict request -> rows, probabilities -> the body of the answer.

https://www.tensorflow.org/tfx/serving/api_rest#predict_api
"""

from collections.abc import Sequence
from typing import Any

import msgspec
import numpy as np
from msgspec import UNSET, Struct, UnsetType

from weir.catalog.inputs import Input
from weir.engine.arrays import Floats
from weir.errors import BadBody, BadTensor
from weir.inputs.rows import joined
from weir.inputs.tensor import InputRows
from weir.protocol.datatypes import from_json
from weir.protocol.raw_json import is_null, is_object, without_mark
from weir.protocol.requests import check_equal_rows, check_names, check_rows
from weir.protocol.rest_descriptions import SIGNATURE

_FORM = 'the body is a JSON object {"instances": [a row, …]} or {"inputs": rows, or {name: rows}}'


class PredictRequest(Struct, kw_only=True):
    """The body of `POST …:predict`: `instances` or `inputs`."""

    signature_name: str | None = None
    instances: list[msgspec.Raw] | None = None
    inputs: msgspec.Raw | UnsetType = UNSET

    @property
    def columns(self) -> msgspec.Raw | None:
        """Its `inputs`, when they are there; null means that they are not."""
        return None if self.inputs is UNSET or is_null(self.inputs) else self.inputs


class InstancesResponse(Struct, frozen=True):
    """The answer to `instances`: the probabilities of each row's labels."""

    predictions: list[list[float]]


class InputsResponse(Struct, frozen=True):
    """The answer to `inputs`: the probabilities of each row's labels."""

    outputs: list[list[float]]


_decoder = msgspec.json.Decoder(PredictRequest)
_list = msgspec.json.Decoder(list[msgspec.Raw])
_object = msgspec.json.Decoder(dict[str, msgspec.Raw])


def decode(content: bytes, inputs: Sequence[Input]) -> tuple[InputRows, bool]:
    """Read the rows of a request, and whether they came as `instances`.

    Raises:
        BadBody: it is no such document, or names a signature that no model has.
        BadTensor: the rows are not the model's.
    """
    try:
        request = _decoder.decode(without_mark(content))
        if request.signature_name not in {None, "", SIGNATURE}:
            raise BadBody(f"signature_name is {SIGNATURE}", request.signature_name)
        if (request.instances is None) == (request.columns is None):
            raise BadBody(_FORM, "both, or neither")
        if request.instances is not None:
            columns = _by_input(request.instances, inputs)
        else:
            assert request.columns is not None
            columns = {name: _list.decode(rows) for name, rows in _named(request.columns, inputs).items()}
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError) as exc:
        raise BadBody(_FORM, exc) from exc
    arrays = [_array(columns[one.name], one) for one in inputs]
    check_equal_rows([len(array) for array in arrays])
    return joined(arrays, inputs), request.instances is not None


def encode(probabilities: Floats, *, instances: bool) -> bytes:
    """Write probabilities `(rows, labels)` as the answer to `instances`, or to `inputs`."""
    rows: Any = probabilities.tolist()
    return msgspec.json.encode(InstancesResponse(rows) if instances else InputsResponse(rows))


def _by_input(instances: list[msgspec.Raw], inputs: Sequence[Input]) -> dict[str, list[msgspec.Raw]]:
    """Transpose: turn a list of rows, each of values by input, into rows by input."""
    if len({is_object(instance) for instance in instances}) > 1:
        raise BadBody("all rows of a request name their inputs, or none does", "both")
    rows = [_named(instance, inputs) for instance in instances]
    return {one.name: [row[one.name] for row in rows] for one in inputs}


def _named(values: msgspec.Raw, inputs: Sequence[Input]) -> dict[str, msgspec.Raw]:
    """Read values by input; those of the only one may stand without its name."""
    if len(inputs) == 1 and not is_object(values):
        return {inputs[0].name: values}
    named = _object.decode(values)
    check_names(sorted(named), inputs)
    return named


def _array(rows: list[msgspec.Raw], one: Input) -> InputRows:
    check_rows(len(rows))
    if len(lists := {bytes(row).count(b"[") for row in rows}) > 1:
        raise BadTensor("all rows of a request are nested alike", f"rows of {sorted(lists)} lists")
    count = one.row_values
    values = [from_json(row, one.datatype, count) for row in rows]
    return np.stack(values).reshape(len(rows), *one.row_shape)
