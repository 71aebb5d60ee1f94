"""Rows of a person's file -> the values of each tensor, column or text that a model reads."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pybase64
from numpy.typing import NDArray

from training.client.columns import Columns
from weir.batch import csv_lines
from weir.batch.named_rows import places
from weir.catalog.inputs import Picture, Table
from weir.errors import BadInput, BadTensor
from weir.inputs.cells import parsed, text
from weir.inputs.picture import PictureReader
from weir.inputs.rows import RowReader
from weir.protocol.raw_json import without_mark

PICTURES = {".png": "image/png", ".jpg": "image/jpeg", ".jpeg": "image/jpeg"}
"""extension of a picture -> its media type"""


def from_csv(content: bytes, reader: RowReader) -> Columns:
    """Read a .csv whose first line names the columns, at the delimiter and with the cells that batch files have.

    Raises:
        BadInput: it is no .csv, lacks a column, or has a line of another length or a number that is none.
    """
    lines = csv_lines.named_lines(content, reader.tensors)
    where = places(lines[0] if lines else [], reader)
    for row, line in enumerate(lines[1:]):
        if len(line) != len(lines[0]):
            raise BadInput(f"a line has {len(lines[0])} cells, as the first one has", f"{len(line)} in row {row}")
    cells = {name: [line[place] for line in lines[1:]] for name, place in where.items()}
    columns = {column.name: column for one in reader.inputs if isinstance(one, Table) for column in one.columns}
    try:
        return {
            name: parsed(columns[name], given) if name in columns else list(map(text, given))
            for name, given in cells.items()
        }
    except BadTensor as exc:
        raise BadInput(exc.rule, exc.got) from exc


def from_lines(content: bytes, reader: RowReader) -> Columns:
    """Read a .jsonl: a row a line, an object of values by name. Raises `BadInput`."""
    rows = []
    for number, line in enumerate(line for line in bytes(without_mark(content)).splitlines() if line.strip()):
        try:
            rows.append(msgspec.json.decode(line))
        except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError) as exc:
            rule = "a line of a .jsonl is a row in JSON, such as an object of values by name"
            raise BadInput(rule, f"{exc} in row {number}") from exc
    return from_records(rows, reader)


def from_records(rows: Sequence[object], reader: RowReader) -> Columns:
    """Take rows, each an object of values by name, or the value of the only tensor. Raises `BadInput`."""
    records = [_record(number, row, reader) for number, row in enumerate(rows)]
    return {name: [record[name] for record in records] for name in reader.tensors}


def _record(number: int, row: object, reader: RowReader) -> Mapping[str, object]:
    if not isinstance(row, dict):
        if len(reader.tensors) == 1:
            return dict.fromkeys(reader.tensors, row)
        raise BadInput(f"rows are objects of values by name: {', '.join(reader.tensors)}", f"{row!r} in row {number}")
    try:
        reader.check_names(list(row))
    except BadTensor as exc:
        raise BadInput(exc.rule, f"{exc.got} in row {number}") from exc
    return row


def from_numbers(values: NDArray[Any], reader: RowReader) -> Columns:
    """Take rows `(n, columns)` of numbers, or one row, of a table of nothing else. Raises `BadInput`."""
    rows = np.atleast_2d(values).astype(np.float64)
    reader.from_array(rows)
    numbers = [[None if np.isnan(value) else value for value in column] for column in rows.T.tolist()]
    return dict(zip(reader.tensors, numbers, strict=True))


def with_pictures(columns: Columns, reader: RowReader, folder: Path) -> Columns:
    """Read pictures that rows name by their files, relative to a folder, or have in base64. Raises `BadInput`."""
    readers = {one.name: PictureReader(one) for one in reader.inputs if isinstance(one, Picture)}
    return {
        name: [_pixels(value, readers[name], folder, row) for row, value in enumerate(values)]
        if name in readers
        else values
        for name, values in columns.items()
    }


def _pixels(value: object, reader: PictureReader, folder: Path, row: int) -> object:
    """Return the pixels of a picture as nested lists; what is no text stays as it is."""
    text = value.get("b64") if isinstance(value, dict) else value
    if not isinstance(text, str):
        return value
    try:
        is_name = Path(text).suffix.lower() in PICTURES
        content = (folder / text).read_bytes() if is_name else pybase64.b64decode(text, validate=True)
        return reader.from_content(content)[0].tolist()
    except OSError as exc:
        raise BadInput(f"{reader.described.name} names a file that can be read", f"{exc} in row {row}") from exc
    except ValueError as exc:
        rule = f"{reader.described.name} is the name of a .png or .jpg, or one in base64"
        raise BadInput(rule, f"{text[:50]!r} in row {row}") from exc
    except BadInput as exc:
        raise BadInput(exc.rule, f"{exc.got} in row {row}") from exc
