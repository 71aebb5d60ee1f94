"""A batch file's bytes -> rows, each valid or with its error."""

import csv
import io
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from weir.catalog.inputs import Input
from weir.engine.arrays import Floats
from weir.errors import BadBody, BadTensor
from weir.inputs.finite import finite_rule, infinite_rows
from weir.inputs.npy import read_npy
from weir.inputs.reader import Reader, reader_for


@dataclass(frozen=True)
class FileRows:
    """All rows of one file, in order."""

    values: Floats
    """`(n, *shape)`; a bad row's values are zeros"""
    errors: dict[int, str]
    """number of a bad row, from 0 -> the rule and what came"""


def read(file: str, data: bytes, one: Input) -> FileRows:
    """Read a `.npy` or `.csv` of rows of an FP32 input, each whole or flat.

    A `.csv` has one row a line, values row-major; a first line that holds no number is its header.

    Raises:
        BadBody: the file as a whole can't be read, or its rows have another shape than the input's.
    """
    for extension, read_rows in _FORMATS.items():
        if file.endswith(extension):
            rows = read_rows(data, reader_for(one))
            if not len(rows.values):
                raise BadBody("a batch file has at least one row", file)
            return rows
    raise BadBody("a batch file is .npy or .csv", file)


def _npy(data: bytes, rows_of: Reader) -> FileRows:
    npy = read_npy(data)
    if npy.dtype.kind == "b":
        raise BadBody("a .npy holds real numbers", npy.dtype)
    try:
        rows = rows_of.from_array(npy.values())
    except BadTensor as exc:
        raise BadBody(f"in a .npy, {exc.rule}", exc.got) from exc
    with np.errstate(over="ignore"):
        values = np.array(rows, np.float32, order="C")
    bad = infinite_rows(values)
    values[bad] = 0
    return FileRows(values, dict.fromkeys(bad, str(BadTensor(finite_rule("FP32"), "NaN or infinity"))))


def _csv(data: bytes, rows_of: Reader) -> FileRows:
    try:
        text = data.decode("utf-8-sig")
        lines = [line for line in csv.reader(io.StringIO(text, newline="")) if line]
    except (UnicodeDecodeError, csv.Error) as exc:
        raise BadBody("a .csv is UTF-8 text, values separated by commas", exc) from exc
    if lines and not any(_is_number(cell) for cell in lines[0]):
        lines = lines[1:]
    values = rows_of.zeros(len(lines))
    errors: dict[int, str] = {}
    for number, line in enumerate(lines):
        try:
            values[number] = rows_of.from_cells(line)
        except BadTensor as exc:
            errors[number] = str(exc)
    return FileRows(values, errors)


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True


_FORMATS: dict[str, Callable[[bytes, Reader], FileRows]] = {".npy": _npy, ".csv": _csv}
"""extension of a batch file -> what reads it"""
