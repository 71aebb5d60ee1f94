"""TensorFlow Serving's REST API: the body of a predict request -> rows, probabilities -> the body of the answer.

https://www.tensorflow.org/tfx/serving/api_rest#predict_api
"""

from collections.abc import Mapping
from typing import Any

import msgspec
from msgspec import UNSET, Struct, UnsetType

from weir.errors import BadBody
from weir.inputs.rows import RowReader
from weir.inputs.tensor import InputRows
from weir.protocol.raw_json import is_null, why, without_mark
from weir.protocol.records import from_columns, from_records, named
from weir.protocol.requests import check_equal_rows, check_rows
from weir.protocol.responses import Values
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
    """The answer to `instances`: the only output of each row, or an object of its outputs by name."""

    predictions: list[Any]


class InputsResponse(Struct, frozen=True):
    """The answer to `inputs`: the values of the only output, one a row, or of each output by name."""

    outputs: list[Any] | dict[str, list[Any]]


_decoder = msgspec.json.Decoder(PredictRequest)
_list = msgspec.json.Decoder(list[msgspec.Raw])


def decode(content: bytes, reader: RowReader) -> tuple[InputRows, bool]:
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
        rows = _rows(request, reader)
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError) as exc:
        raise BadBody(_FORM, why(content, exc)) from exc
    return rows, request.instances is not None


def encode(outputs: Mapping[str, Values], *, instances: bool) -> bytes:
    """Write outputs `(rows, …)` by name as the answer to `instances`, or to `inputs`."""
    columns = {name: _listed(values) for name, values in outputs.items()}
    only = next(iter(columns.values())) if len(columns) == 1 else None
    if not instances:
        return msgspec.json.encode(InputsResponse(columns if only is None else only))
    if only is None:
        only = [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
    return msgspec.json.encode(InstancesResponse(only))


def _listed(values: Values) -> list[Any]:
    return values if isinstance(values, list) else values.tolist()


def _rows(request: PredictRequest, reader: RowReader) -> InputRows:
    if request.instances is not None:
        check_rows(len(request.instances))
        return from_records(request.instances, reader)
    assert request.columns is not None
    by_name = named(request.columns, reader)
    columns = {name: _list.decode(by_name[name]) for name in reader.tensors}
    for rows in columns.values():
        check_rows(len(rows))
    check_equal_rows([len(rows) for rows in columns.values()])
    return from_columns(columns, reader)
