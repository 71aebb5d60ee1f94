"""Rows as JSON: each an object of values by name, or the value of the model's only tensor."""

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import msgspec
import numpy as np

from weir.catalog.inputs import TensorMetadata
from weir.errors import BadBody, BadTensor
from weir.inputs.rows import RowReader
from weir.inputs.tensor import InputRows
from weir.inputs.values import Values
from weir.protocol.datatypes import alone, column_from_json, files_from_json, from_json
from weir.protocol.raw_json import is_object

Given = TypeVar("Given")
Read = TypeVar("Read")

_SHOWN_BYTES = 200
"""of a row that is refused"""

_object = msgspec.json.Decoder(dict[str, msgspec.Raw])
_values_of = msgspec.json.Decoder(dict[str, Any], float_hook=float)


def from_records(records: Sequence[msgspec.Raw], reader: RowReader) -> InputRows:
    """Read rows, at least one.

    Raises:
        msgspec.MsgspecError: a row is no JSON.
        BadBody: some rows name their values, and others do not.
        BadTensor: the values are not the model's.
    """
    if len({is_object(record) and not _is_file(record) for record in records}) > 1:
        raise BadBody("all rows of a request name their inputs, or none does", "both")
    if reader.columns and is_object(records[0]):  # the short way of most tables and texts
        decoded = [_values_of.decode(record) for record in records]
        _each(decoded, reader.check_names)
        return reader.from_values(_columns(decoded, reader), len(decoded))
    rows = _each(records, lambda record: named(record, reader))
    return from_columns({name: [row[name] for row in rows] for name in reader.tensors}, reader)


def _columns(rows: list[dict[str, Any]], reader: RowReader) -> dict[str, Values]:
    """Gather the values of each tensor; one of the shape [-1, 1] may be a list of one. Raises `BadTensor`."""
    if len(rows) == 1:
        only = rows[0]
        columns = {name: [only[name]] for name in reader.tensors}
    else:
        columns = {name: [one[name] for one in rows] for name in reader.tensors}
    return {name: alone(values) if type(values[0]) is list else values for name, values in columns.items()}


def from_columns(columns: dict[str, list[msgspec.Raw]], reader: RowReader) -> InputRows:
    """Read rows from the values of each tensor, one a row; all tensors have as many. Raises `BadTensor`."""
    values = {
        name: _files(columns[name])
        if name in reader.pictures and _is_text(columns[name][0])
        else _values(tensor, columns[name])
        for name, tensor in reader.tensors.items()
    }
    return reader.from_values(values, len(next(iter(columns.values()))))


def named(values: msgspec.Raw, reader: RowReader) -> dict[str, msgspec.Raw]:
    """Read values by name; those of the only tensor may stand without it. Raises `BadTensor`."""
    if not is_object(values) or _is_file(values):
        if len(reader.tensors) == 1:
            return dict.fromkeys(reader.tensors, values)
        got = bytes(values)[:_SHOWN_BYTES].decode(errors="replace")
        raise BadTensor(f"rows are objects of values by name: {', '.join(reader.tensors)}", got)
    by_name = _object.decode(values)
    reader.check_names(by_name)
    return by_name


def _each(rows: Sequence[Given], read: Callable[[Given], Read]) -> list[Read]:
    """Read rows one by one; an error names the row, where there are several."""
    found = []
    for number, row in enumerate(rows):
        try:
            found.append(read(row))
        except BadTensor as exc:
            raise BadTensor(exc.rule, f"{exc.got} in row {number}" if len(rows) > 1 else exc.got) from exc
    return found


def _is_file(value: msgspec.Raw) -> bool:
    """Tell whether an object is a file of TensorFlow Serving's, `{"b64": text}`."""
    return bytes(memoryview(value)[:_SHOWN_BYTES]).replace(b" ", b"").startswith(b'{"b64":')


def _is_text(value: msgspec.Raw) -> bool:
    return bytes(memoryview(value)[:1]) == b'"' or _is_file(value)


def _files(rows: list[msgspec.Raw]) -> Values:
    return files_from_json(msgspec.Raw(b"[" + b",".join(rows) + b"]"), len(rows))


def _values(tensor: TensorMetadata, rows: list[msgspec.Raw]) -> Values:
    if len(tensor.shape) == 1:
        return column_from_json(msgspec.Raw(b"[" + b",".join(rows) + b"]"), len(rows))
    if len(lists := {bytes(row).count(b"[") for row in rows}) > 1:
        raise BadTensor("all rows of a request are nested alike", f"rows of {sorted(lists)} lists")
    count = int(np.prod(tensor.shape[1:]))
    values = _each(rows, lambda row: from_json(row, tensor.datatype, count))
    return np.stack(values).reshape(len(rows), *tensor.shape[1:])
