"""A batch file's bytes -> rows, each valid or with its error."""

from collections.abc import Callable

import numpy as np

from weir.batch import csv_lines, named_rows
from weir.batch.file_rows import FileRows
from weir.errors import BadBody, BadTensor
from weir.inputs.finite import finite_rule, infinite_rows
from weir.inputs.npy import read_npy
from weir.inputs.rows import RowReader
from weir.inputs.tensor import TensorReader


def read(file: str, data: bytes, reader: RowReader) -> FileRows:
    """Read the rows of a file.

    - `.csv`, for a tensor or a picture: one row a line, values row-major, separated by commas, semicolons or tabs. Its
      first line may be a header: one with a word in it, or the numbers 0, 1, 2 … of the columns.
    - `.csv`, for a table or a text: its first line names the columns, of which the model may read some.
    - `.jsonl`: one row a line, an object of values by name.
    - `.npy`: rows of numbers, each whole or flat.
    - `.png`, `.jpg`: one picture.

    Raises:
        BadBody: the file as a whole can't be read, or its rows have another shape than the input's.
    """
    for extension, read_rows in _FORMATS.items():
        if file.lower().endswith(extension):
            rows = read_rows(data, reader)
            if not len(rows.values):
                raise BadBody("a batch file has at least one row", file)
            return rows
    raise BadBody(f"a batch file is {', '.join(_FORMATS)}", file)


def _npy(data: bytes, reader: RowReader) -> FileRows:
    npy = read_npy(data)
    if npy.dtype.kind == "b":
        raise BadBody("a .npy holds real numbers", npy.dtype)
    try:
        rows = reader.from_array(npy.values())
    except BadTensor as exc:
        raise BadBody(f"in a .npy, {exc.rule}", exc.got) from exc
    if reader.plain is None:
        return FileRows(rows, {})
    _check_floats(reader.plain)
    with np.errstate(over="ignore"):
        values = np.array(rows, np.float32, order="C")
    bad = infinite_rows(values)
    values[bad] = 0
    return FileRows(values, dict.fromkeys(bad, str(BadTensor(finite_rule("FP32"), "NaN or infinity"))))


def _csv(data: bytes, reader: RowReader) -> FileRows:
    if reader.plain is None:
        return named_rows.from_csv(data, reader)
    _check_floats(reader.plain)
    lines = csv_lines.lines(data, reader.plain.described.row_values)
    header = bool(lines) and csv_lines.is_header(lines[0])
    if header:
        lines = lines[1:]
    values = reader.zeros(len(lines))
    errors: dict[int, str] = {}
    for number, line in enumerate(lines):
        try:
            values[number] = reader.plain.from_line(line)
        except BadTensor as exc:
            errors[number] = str(exc)
    return FileRows(values, errors, header)


def _check_floats(plain: TensorReader) -> None:
    if (datatype := plain.described.datatype) != "FP32":
        raise BadBody("a .csv or .npy is for an FP32 input; a .jsonl is for others, too", datatype)


def _picture(media_type: str) -> Callable[[bytes, RowReader], FileRows]:
    return lambda data, reader: FileRows(reader.from_file(data, media_type), {})


_FORMATS: dict[str, Callable[[bytes, RowReader], FileRows]] = {
    ".npy": _npy,
    ".csv": _csv,
    ".jsonl": named_rows.from_jsonl,
    ".png": _picture("image/png"),
    ".jpg": _picture("image/jpeg"),
    ".jpeg": _picture("image/jpeg"),
}
"""extension of a batch file -> what reads it"""
