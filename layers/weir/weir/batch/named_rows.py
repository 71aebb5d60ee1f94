"""Rows whose values have names: lines of a .csv below its header, and objects of a .jsonl."""

from collections.abc import Callable, Sequence

import msgspec

from weir.batch import csv_lines
from weir.batch.file_rows import FileRows
from weir.errors import BadBody, BadInput, BadTensor
from weir.inputs.rows import RowReader
from weir.inputs.tensor import InputRows
from weir.protocol.raw_json import without_mark
from weir.protocol.records import from_records

_CHUNK = 1024
"""rows encoded at once; those of a chunk with a bad row are encoded one by one"""


def from_csv(data: bytes, reader: RowReader) -> FileRows:
    """Read a .csv whose first line names the columns; columns that the model does not read are left out.

    Raises:
        BadBody: it is no .csv, or lacks a column of the model's, or has one twice.
    """
    nested = [name for name, tensor in reader.tensors.items() if len(tensor.shape) > 1]
    if nested:
        raise BadBody("a .csv is for models of columns and texts; a .jsonl is for others, too", ", ".join(nested))
    lines = csv_lines.named_lines(data, reader.tensors)
    header, rows = lines[0] if lines else [], lines[1:]
    where = places(header, reader)
    errors = {
        number: str(BadTensor(f"a line has {len(header)} cells, as the first one has", len(line)))
        for number, line in enumerate(rows)
        if len(line) != len(header)
    }

    def encode(numbers: Sequence[int]) -> InputRows:
        cells = {name: [rows[number][place] for number in numbers] for name, place in where.items()}
        return reader.from_cells(cells, len(numbers))

    return _encoded(len(rows), errors, encode, reader, header=True)


def places(header: Sequence[str], reader: RowReader) -> dict[str, int]:
    """Find the tensors, columns and texts that a model reads in the first line of a .csv. Raises `BadBody`."""
    names = [cell.strip() for cell in header]
    found = {name: names.index(name) for name in reader.tensors if names.count(name) == 1}
    if len(found) != len(reader.tensors):
        rule = f"the first line of a .csv names each column of the model once: {', '.join(reader.tensors)}"
        raise BadBody(rule, ", ".join(names) or "an empty file")
    return found


def from_jsonl(data: bytes, reader: RowReader) -> FileRows:
    """Read one row a line, each an object of values by name, or the value of the only tensor; blank lines are left out.

    Raises:
        BadBody: a line has no UTF-8.
    """
    lines = [msgspec.Raw(line) for line in bytes(without_mark(data)).splitlines() if line.strip()]
    errors = {
        number: str(BadTensor("a line of a .jsonl is a row in JSON, such as an object of values by name", error))
        for number, line in enumerate(lines)
        if (error := _error(line))
    }
    return _encoded(len(lines), errors, lambda rows: from_records([lines[row] for row in rows], reader), reader)


def _error(line: msgspec.Raw) -> str | None:
    """Say why a line is no JSON; None when it is some."""
    try:
        msgspec.json.decode(line)
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError) as exc:
        return str(exc)
    return None


def _encoded(
    count: int,
    errors: dict[int, str],
    encode: Callable[[Sequence[int]], InputRows],
    reader: RowReader,
    *,
    header: bool = False,
) -> FileRows:
    """Encode rows by their numbers, but for those that have errors already; further errors are added to them."""
    values = reader.zeros(count)
    for start in range(0, count, _CHUNK):
        numbers = [number for number in range(start, min(start + _CHUNK, count)) if number not in errors]
        if not numbers:
            continue
        try:
            values[numbers] = encode(numbers)
        except BadInput:
            for number in numbers:
                try:
                    values[number] = encode([number])[0]
                except BadInput as exc:
                    errors[number] = str(exc)
    return FileRows(values, dict(sorted(errors.items())), header)
