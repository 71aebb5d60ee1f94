"""A table: named columns of numbers, categories and dates -> one FP32 array."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from itertools import accumulate
from typing import Any

import numpy as np
from numpy.typing import NDArray

from weir.catalog.columns import FIRST_CODE, MISSING, UNKNOWN, Category, Column, Date, Number, width
from weir.catalog.inputs import Table
from weir.engine.arrays import Floats
from weir.errors import BadTensor, UnsupportedMedia
from weir.inputs.cells import parsed
from weir.inputs.dates import parts_of
from weir.inputs.finite import finite_rule
from weir.inputs.tensor import NO_FILES
from weir.inputs.values import Values

_NUMBERS: frozenset[type] = frozenset((int, float, bool, type(None)))


@dataclass(frozen=True)
class TableReader:
    """Reads the rows of a table."""

    described: Table

    def from_values(self, values: Mapping[str, Values], count: int) -> Floats:
        """Encode rows `(count, row_values)` from the values of each column.

        Raises:
            BadTensor: a column is missing, has more or fewer values than `count`, or one that its kind does not allow.
        """
        rows = np.empty((count, self.described.row_values), np.float32)
        for column, start, encode in self._encoders:
            given = values.get(column.name)
            if given is None:
                missing = [one.name for one in self.described.columns if one.name not in values]
                raise BadTensor(f"a row has the columns {_listed(self.described.columns)}", _without(missing))
            if len(given) != count:
                raise BadTensor(f"{column.name} has one value for each of the {count} rows", len(given))
            encode(given, rows[:, start : start + width(column)])
        return rows

    def from_cells(self, cells: Mapping[str, Sequence[str]], count: int) -> Floats:
        """Encode `count` rows from the cells of a .csv, by the names of its columns. Raises `BadTensor`."""
        columns = [column for column in self.described.columns if column.name in cells]
        return self.from_values({column.name: parsed(column, cells[column.name]) for column in columns}, count)

    def from_array(self, array: NDArray[Any]) -> Floats:
        """Take rows `(n, columns)` of numbers, for a table of nothing else, in the order of its columns.

        Raises:
            BadTensor: the table has other columns, or the array another shape.
        """
        columns = self.described.columns
        if not all(isinstance(column, Number) for column in columns):
            raise BadTensor(f"rows name their columns: {_listed(columns)}", "an array of numbers")
        if array.ndim != 2 or array.shape[1] != len(columns):  # noqa: PLR2004 (rows, columns)
            raise BadTensor(f"rows have {len(columns)} numbers: {_listed(columns)}", array.shape[1:])
        return self.from_values({one.name: array[:, place] for place, one in enumerate(columns)}, len(array))

    def from_file(self, content: bytes, media_type: str) -> Floats:
        """Refuse a file: no picture is a row of a table. Raises `UnsupportedMedia`."""
        del content
        raise UnsupportedMedia(NO_FILES, media_type)

    def zeros(self, count: int) -> Floats:
        """Make rows of zeros: numbers of 0, and categories that are missing."""
        return np.zeros((count, self.described.row_values), np.float32)

    @cached_property
    def _encoders(self) -> list[tuple[Column, int, "_Encode"]]:
        """Each column, where its values start in a row, and what writes them there."""
        columns = self.described.columns
        starts = accumulate(map(width, columns[:-1]), initial=0)
        return [(column, start, _encoder(column)) for column, start in zip(columns, starts, strict=True)]


_Encode = Callable[[Values, NDArray[np.float32]], None]
"""values of a column `(n,)`, and the place for what they are in the array `(n, width)`"""


def _encoder(column: Column) -> _Encode:
    match column:
        case Number():
            return partial(_write_numbers, column)
        case Category():
            codes = {text: number for number, text in enumerate(column.vocabulary, FIRST_CODE)}
            return partial(_write_codes, column, codes)
        case Date():
            return partial(_write_dates, column)


def _write_numbers(column: Number, values: Values, out: NDArray[np.float32]) -> None:
    if not isinstance(values, np.ndarray):
        _check_types(values, _NUMBERS, column, "a number")
    try:
        with np.errstate(over="ignore"):
            out[:, 0] = np.asarray(values, np.float64)  # None becomes NaN
    except (TypeError, ValueError, OverflowError) as exc:
        raise BadTensor(finite_rule("FP32"), f"{column.name}: {exc}") from exc
    if np.isfinite(out).all():
        return
    if (infinite := np.isinf(out[:, 0])).any():
        row = int(np.argmax(infinite))
        raise BadTensor(f"{column.name}: {finite_rule('FP32')}", _at(values, row))
    if not column.optional:
        raise _missing(column, int(np.argmax(np.isnan(out[:, 0]))), len(values))


def _write_codes(column: Category, codes: Mapping[str, int], values: Values, out: NDArray[np.float32]) -> None:
    for row, value in enumerate(values):
        if type(value) is int:  # a category of whole numbers, as a .csv has it
            value = str(value)  # noqa: PLW2901
        if value is None or value == "":
            if not column.optional:
                raise _missing(column, row, len(values))
            out[row] = MISSING
        elif type(value) is str:
            out[row] = codes.get(value, UNKNOWN)
        else:
            raise BadTensor(f"{column.name} is a text", _at(values, row))


def _write_dates(column: Date, values: Values, out: NDArray[np.float32]) -> None:
    for row, value in enumerate(values):
        if value is None or value == "":
            if not column.optional:
                raise _missing(column, row, len(values))
            out[row] = math.nan
            continue
        try:
            out[row] = parts_of(value)
        except (TypeError, ValueError, OverflowError) as exc:
            rule = f"{column.name} is a date, or a date and a time, in ISO 8601, such as 2026-01-31 or 2026-01-31T09:30"
            raise BadTensor(rule, _at(values, row)) from exc


def _check_types(values: Sequence[object], types: frozenset[type], column: Column, kind: str) -> None:
    for row, value in enumerate(values):
        if type(value) not in types:
            raise BadTensor(f"{column.name} is {kind}", _at(values, row))


def _missing(column: Column, row: int, count: int) -> BadTensor:
    return BadTensor(
        f"{column.name} has a value in every row, as it had in training", "none" if count == 1 else f"none in row {row}"
    )


def _at(values: Values, row: int) -> str:
    """Show a value, and where it is when there are several."""
    value = values[row]
    shown = repr(value.item() if isinstance(value, np.generic) else value)
    return shown if len(values) == 1 else f"{shown} in row {row}"


def _listed(columns: Sequence[Column]) -> str:
    return ", ".join(column.name for column in columns)


def _without(names: Sequence[str]) -> str:
    return f"no {', '.join(names)}"
