"""A batch file's bytes -> rows, each valid or with its error."""

import csv
import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice

import numpy as np

from weir.catalog.inputs import Input
from weir.engine.arrays import Floats
from weir.errors import BadBody, BadTensor
from weir.inputs.finite import finite_rule, infinite_rows
from weir.inputs.npy import read_npy
from weir.inputs.reader import Reader, reader_for

_DELIMITERS = ",;\t"
_SNIFFED_LINES = 20
_FEWEST_NUMBERED = 4
"""cells of a header 0, 1, 2 …: a first row of fewer values may well be 0, or 0 and 1"""


@dataclass(frozen=True)
class FileRows:
    """All rows of one file, in order."""

    values: Floats
    """`(n, *shape)`; a bad row's values are zeros"""
    errors: dict[int, str]
    """number of a bad row, from 0 -> the rule and what came"""
    header: bool = False
    """whether the first line was taken for a header"""


def read(file: str, data: bytes, one: Input) -> FileRows:
    """Read a `.npy` or `.csv` of rows of an FP32 input, each whole or flat.

    A `.csv` has one row a line, values row-major, separated by commas, semicolons or tabs. Its first line may be a
    header: one with a word in it, or the numbers 0, 1, 2 … of the columns.

    Raises:
        BadBody: the file as a whole can't be read, or its rows have another shape than the input's.
    """
    for extension, read_rows in _FORMATS.items():
        if file.lower().endswith(extension):
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
        lines = list(_lines(text, _delimiter(text, rows_of.zeros(1).size)))
    except (UnicodeDecodeError, csv.Error) as exc:
        raise BadBody("a .csv is UTF-8 text, values separated by commas, semicolons or tabs", exc) from exc
    header = bool(lines) and _is_header(lines[0])
    if header:
        lines = lines[1:]
    values = rows_of.zeros(len(lines))
    errors: dict[int, str] = {}
    for number, line in enumerate(lines):
        try:
            values[number] = rows_of.from_cells(line)
        except BadTensor as exc:
            errors[number] = str(exc)
    return FileRows(values, errors, header)


def _lines(text: str, delimiter: str) -> Iterator[list[str]]:
    """Split a .csv into its lines, and these into cells; blank lines are left out."""
    return (line for line in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter) if line)


def _delimiter(text: str, cells: int) -> str:
    """Choose the delimiter that splits the most of the first lines into as many cells as a row has, or else the most.

    `csv.Sniffer` takes a digit for the delimiter of lines that have as many of it.
    """
    first = list(islice(filter(str.strip, io.StringIO(text)), _SNIFFED_LINES))

    def fits(delimiter: str) -> tuple[int, int]:
        found = [line.count(delimiter) + 1 for line in first]
        return found.count(cells), sum(found)

    return max(_DELIMITERS, key=fits)


def _is_header(cells: list[str]) -> bool:
    """Tell whether the cells of a first line are names: 0, 1, … or words, the first of which stands for no value.

    A row whose values are numbers but for some that are missing is a bad row, and no header.
    """
    names = [cell.strip() for cell in cells]
    numbered = len(names) >= _FEWEST_NUMBERED and names == [str(number) for number in range(len(names))]
    words = [any(map(str.isalpha, name)) and not _is_number(name) for name in names]
    only_words = any(words) and all(word or not name for word, name in zip(words, names, strict=True))
    return numbered or only_words or (words[0] and names[0].lower() not in _MISSING)


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True


_MISSING = {"", "na", "n/a", "nan", "nil", "none", "null", "missing", "unknown"}
"""words for a value that is not there, in lower case"""

_FORMATS: dict[str, Callable[[bytes, Reader], FileRows]] = {".npy": _npy, ".csv": _csv}
"""extension of a batch file -> what reads it"""
