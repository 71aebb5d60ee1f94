"""A batch file's bytes -> rows, each good or with its error."""

import csv
import io
import math
from dataclasses import dataclass
from tokenize import TokenError
from typing import Any

import numpy as np
from numpy.typing import NDArray

from weir.errors import BadBody

Floats = NDArray[np.float32]


_HEADERS: dict[tuple[int, int], Any] = {
    (1, 0): np.lib.format.read_array_header_1_0,
    (2, 0): np.lib.format.read_array_header_2_0,
}

_NOT_A_HEADER = (ValueError, LookupError, TypeError, TokenError, SyntaxError, RecursionError, MemoryError)
"""what NumPy raises while it parses a header, which it does as Python's own parser would"""


@dataclass(frozen=True)
class FileRows:
    """All rows of one file, in order."""

    values: Floats
    """`(n, *shape)`; a bad row's values are zeros"""
    errors: dict[int, str]
    """row number, from 0 -> the rule and what came"""


def read(file: str, data: bytes, shape: tuple[int, ...]) -> FileRows:
    """Read a `.npy` or `.csv` of rows, each of `shape` or flat.

    A `.csv` has one row a line, values row-major; a first line that holds no number is its header.

    Raises:
        BadBody: the file as a whole can't be read.
    """
    for extension, reader in ((".npy", _npy), (".csv", _csv)):
        if file.endswith(extension):
            rows = reader(data, shape)
            if not len(rows.values):
                raise BadBody("a batch file has at least one row", file)
            return rows
    raise BadBody("a batch file is .npy or .csv", file)


def _npy(data: bytes, shape: tuple[int, ...]) -> FileRows:
    array = _array(data, shape)
    with np.errstate(over="ignore"):
        values = np.array(array.reshape(len(array), *shape), np.float32, order="C")
    finite = np.isfinite(values).all(axis=tuple(range(1, values.ndim)))
    values[~finite] = 0
    return FileRows(
        values, {int(i): "values are finite in FP32. Got: NaN or infinity" for i in np.flatnonzero(~finite)}
    )


def _array(data: bytes, shape: tuple[int, ...]) -> NDArray[np.generic]:
    """Read a `.npy` without trusting its header: `np.load` would reserve whatever memory that claims."""
    stream = io.BytesIO(data)
    found, fortran, dtype = _header(stream)
    if dtype.kind not in "fiu":
        raise BadBody("a .npy holds real numbers", dtype)
    row = next((row for row in (shape, (math.prod(shape),)) if found[1:] == row), None)
    if row is None:
        raise BadBody(f"a .npy has the shape (rows, {', '.join(map(str, shape))}) or is flat", found)
    size = len(data) - stream.tell()
    if size != found[0] * math.prod(row) * dtype.itemsize:
        raise BadBody(f"a .npy of {dtype} {found} is followed by exactly its values", f"{size} bytes")
    return np.ndarray((int(found[0]), *row), dtype, data, stream.tell(), order="F" if fortran else "C")


def _header(stream: io.BytesIO) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    """Read what a `.npy` says of itself: shape, column-major or not, datatype. The numbers may be any."""
    try:
        version = np.lib.format.read_magic(stream)  # type: ignore[no-untyped-call]
        header: tuple[tuple[int, ...], bool, np.dtype[Any]] = _HEADERS[version](stream)
    except _NOT_A_HEADER as exc:
        raise BadBody("a .npy is what numpy.save writes", exc) from exc
    return header


def _csv(data: bytes, shape: tuple[int, ...]) -> FileRows:
    try:
        text = data.decode("utf-8-sig")
        lines = [line for line in csv.reader(io.StringIO(text, newline="")) if line]
    except (UnicodeDecodeError, csv.Error) as exc:
        raise BadBody("a .csv is UTF-8 text, values separated by commas", exc) from exc
    if lines and not any(_is_number(cell) for cell in lines[0]):
        lines = lines[1:]
    count = math.prod(shape)
    values = np.zeros((len(lines), count), np.float32)
    errors: dict[int, str] = {}
    for number, line in enumerate(lines):
        try:
            values[number] = _csv_row(line, count)
        except BadBody as exc:
            errors[number] = str(exc)
    return FileRows(values.reshape(-1, *shape), errors)


def _csv_row(line: list[str], count: int) -> Floats:
    if len(line) != count:
        raise BadBody(f"a row has {count} values", len(line))
    try:
        with np.errstate(over="ignore"):
            row = np.array(line, np.float64).astype(np.float32)
    except ValueError as exc:
        raise BadBody("a row holds numbers", exc) from exc
    if not np.isfinite(row).all():
        raise BadBody("values are finite in FP32", line[int(np.argmin(np.isfinite(row)))])
    return row


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True
