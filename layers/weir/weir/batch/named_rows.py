"""Rows whose values have names: lines of a .csv below its header, and objects of a .jsonl."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec

from weir.batch import csv_lines
from weir.batch.file_rows import FileRows
from weir.errors import BadBody, BadTensor
from weir.inputs.rows import RowReader
from weir.inputs.tensor import InputRows

_CHUNK = 1024
"""rows encoded at once; those of a chunk with a bad row are encoded one by one"""

_record = msgspec.json.Decoder(dict[str, Any])


def from_csv(data: bytes, reader: RowReader) -> FileRows:
    """Read a .csv whose first line names the columns; columns that the model does not read are left out.

    Raises:
        BadBody: it is no .csv, or lacks a column of the model's, or has one twice.
    """
    lines = csv_lines.lines(data, len(reader.tensors))
    header = [cell.strip() for cell in lines[0]] if lines else []
    places = {name: header.index(name) for name in reader.tensors if header.count(name) == 1}
    if len(places) != len(reader.tensors):
        rule = f"the first line of a .csv names each column of the model once: {', '.join(reader.tensors)}"
        raise BadBody(rule, ", ".join(header) or "an empty file")
    rows = lines[1:]
    errors = {
        number: str(BadTensor(f"a line has {len(header)} cells, as the first one has", len(line)))
        for number, line in enumerate(rows)
        if len(line) != len(header)
    }

    def encode(numbers: Sequence[int]) -> InputRows:
        cells = {name: [rows[number][place] for number in numbers] for name, place in places.items()}
        return reader.from_cells(cells, len(numbers))

    return _encoded(len(rows), errors, encode, reader, header=True)


def from_jsonl(data: bytes, reader: RowReader) -> FileRows:
    """Read one row a line, each an object of values by name; blank lines are left out."""
    lines = [line for line in data.removeprefix(b"\xef\xbb\xbf").splitlines() if line.strip()]
    errors: dict[int, str] = {}
    records: dict[int, Mapping[str, Any]] = {}
    for number, line in enumerate(lines):
        try:
            records[number] = _record.decode(line)
        except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError) as exc:
            errors[number] = str(BadTensor("a line of a .jsonl is an object of values by name", exc))
    return _encoded(
        len(lines), errors, lambda numbers: reader.from_records([records[number] for number in numbers]), reader
    )


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
        try:
            values[numbers] = encode(numbers)
        except BadTensor:
            for number in numbers:
                try:
                    values[number] = encode([number])[0]
                except BadTensor as exc:
                    errors[number] = str(exc)
    return FileRows(values, dict(sorted(errors.items())), header)
