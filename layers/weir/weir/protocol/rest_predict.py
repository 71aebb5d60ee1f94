"""TensorFlow Serving's REST API: the body of a predict request -> rows, probabilities -> the body of the answer.

https://www.tensorflow.org/tfx/serving/api_rest#predict_api
"""

from typing import Any

import msgspec
import numpy as np
from msgspec import UNSET, Struct, UnsetType

from weir.catalog.inputs import Picture, Tensor
from weir.engine.arrays import Floats
from weir.errors import BadBody, BadTensor
from weir.inputs.rows import RowReader
from weir.inputs.tensor import InputRows
from weir.protocol.datatypes import from_json
from weir.protocol.raw_json import is_null, is_object, without_mark
from weir.protocol.requests import check_equal_rows, check_rows
from weir.protocol.rest_descriptions import SIGNATURE

_FORM = 'the body is a JSON object {"instances": [a row, …]} or {"inputs": rows, or {name: rows}}'


_INSTANCE = 'a row is an object of values by name, such as {"age": 41, "plan": "gold"}'


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
_record_decoder = msgspec.json.Decoder(dict[str, Any])
_columns_decoder = msgspec.json.Decoder(dict[str, list[Any]])
_values = msgspec.json.Decoder(list[Any])


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
        rows = _rows(request, reader) if reader.plain is None else _plain(request, reader.plain.described)
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError) as exc:
        raise BadBody(_FORM, exc) from exc
    return rows, request.instances is not None


def encode(probabilities: Floats, *, instances: bool) -> bytes:
    """Write probabilities `(rows, labels)` as the answer to `instances`, or to `inputs`."""
    rows: Any = probabilities.tolist()
    return msgspec.json.encode(InstancesResponse(rows) if instances else InputsResponse(rows))


def _rows(request: PredictRequest, reader: RowReader) -> InputRows:
    """Read rows of a table, of texts, or of several inputs."""
    if request.instances is not None:
        check_rows(len(request.instances))
        return reader.from_records([_record(instance, reader) for instance in request.instances])
    assert request.columns is not None
    columns = _columns(request.columns, reader)
    counts = [len(values) for values in columns.values()]
    check_rows(counts[0])
    check_equal_rows(counts)
    return reader.from_values(columns, counts[0])


def _record(instance: msgspec.Raw, reader: RowReader) -> dict[str, Any]:
    """Read one row: values by name; that of the only tensor may stand without its name."""
    if is_object(instance):
        return _record_decoder.decode(instance)
    return {_only(reader, _INSTANCE): msgspec.json.decode(instance)}


def _columns(columns: msgspec.Raw, reader: RowReader) -> dict[str, list[Any]]:
    """Read lists of values by name, of the model's names only."""
    if not is_object(columns):
        return {_only(reader, _FORM): _values.decode(columns)}
    named = _columns_decoder.decode(columns)
    reader.check_names(list(named))
    return {name: _one_each(named[name]) for name in reader.tensors}


def _one_each(values: list[Any]) -> list[Any]:
    """Take values out of lists of one, as `[-1, 1]` has them."""
    alone = all(type(value) is list and len(value) == 1 for value in values)
    return [value[0] for value in values] if alone else values


def _only(reader: RowReader, rule: str) -> str:
    if len(reader.tensors) != 1:
        raise BadBody(rule, f"a value without a name, of {', '.join(reader.tensors)}")
    return next(iter(reader.tensors))


def _plain(request: PredictRequest, one: Tensor | Picture) -> InputRows:
    """Read rows of the one tensor of a model."""
    if request.instances is None:
        assert request.columns is not None
        return _array(_list.decode(_named(request.columns, one)), one)
    if len({is_object(instance) for instance in request.instances}) > 1:
        raise BadBody("all rows of a request name their inputs, or none does", "both")
    return _array([_named(instance, one) for instance in request.instances], one)


def _named(values: msgspec.Raw, one: Tensor | Picture) -> msgspec.Raw:
    """Read the values of the only input, which may stand without its name."""
    if not is_object(values):
        return values
    named = _object.decode(values)
    if set(named) != {one.name}:
        raise BadTensor(f"the inputs are {one.name}", list(named))
    return named[one.name]


def _array(rows: list[msgspec.Raw], one: Tensor | Picture) -> InputRows:
    check_rows(len(rows))
    if len(lists := {bytes(row).count(b"[") for row in rows}) > 1:
        raise BadTensor("all rows of a request are nested alike", f"rows of {sorted(lists)} lists")
    count = one.row_values
    values = [from_json(row, one.datatype, count) for row in rows]
    return np.stack(values).reshape(len(rows), *one.row_shape)
