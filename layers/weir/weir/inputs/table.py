"""A table: named columns of numbers, categories and dates -> one FP32 array."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from weir.catalog.columns import DATE_PARTS, FIRST_CODE, MISSING, UNKNOWN, Category, Column, Date, Number, width
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
            BadTensor: a column has more or fewer values than `count`, or one that its kind does not allow.
        """
        parts: list[Values] = []
        for column, encode in self._encoders:
            given = values[column.name]
            if len(given) != count:
                raise BadTensor(f"{column.name} has one value for each of the {count} rows", len(given))
            parts += encode(given)
        try:
            with np.errstate(over="ignore"):
                rows = np.array(parts, np.float64).T.astype(np.float32)  # None becomes NaN
        except OverflowError as exc:
            raise self._too_large(values) from exc
        if not np.isfinite(rows).all():
            self._check_finite(rows, values)
        return rows

    def _too_large(self, values: Mapping[str, Values]) -> BadTensor:
        """Find the whole number that is beyond any float."""
        numbers = ((one.name, value) for one in self.described.columns for value in values[one.name])
        name, value = next((name, value) for name, value in numbers if type(value) is int and abs(value) > _LARGEST)
        return BadTensor(f"{name}: {finite_rule('FP32')}", f"{str(value)[:_SHOWN]}…")

    def _check_finite(self, rows: Floats, values: Mapping[str, Values]) -> None:
        """Refuse infinite values, and missing ones where there may be none."""
        place = 0
        for column in self.described.columns:
            own = rows[:, place]
            place += width(column)
            if isinstance(column, Number) and (infinite := np.isinf(own)).any():
                got = _at(values[column.name], int(np.argmax(infinite)))
                raise BadTensor(f"{column.name}: {finite_rule('FP32')}", got)
            if not column.optional and (missing := np.isnan(own)).any():
                raise _missing(column, int(np.argmax(missing)), len(rows))

    def from_cells(self, cells: Mapping[str, Sequence[str]], count: int) -> Floats:
        """Encode `count` rows from the cells of a .csv, by the names of its columns. Raises `BadTensor`."""
        columns = self.described.columns
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
    def _encoders(self) -> list[tuple[Column, "_Encode"]]:
        """Each column, and what turns its values into numbers."""
        return [(column, _encoder(column)) for column in self.described.columns]


_Encode = Callable[[Values], Sequence[Values]]
"""values of a column `(n,)` -> numbers `(n,)`, or None, for each value that it has in the array of a row"""


def _encoder(column: Column) -> _Encode:
    match column:
        case Number():
            return partial(_numbers, column)
        case Category():
            return partial(_codes, column, {text: number for number, text in enumerate(column.vocabulary, FIRST_CODE)})
        case Date():
            return partial(_dates, column)


def _numbers(column: Number, values: Values) -> Sequence[Values]:
    if not isinstance(values, np.ndarray) and not _NUMBERS.issuperset(map(type, values)):
        wrong = next(row for row, value in enumerate(values) if type(value) not in _NUMBERS)
        raise BadTensor(f"{column.name} is a number", _at(values, wrong))
    return (values,)


def _codes(column: Category, codes: Mapping[str, int], values: Values) -> Sequence[Values]:
    if len(values) == 1 and type(values[0]) is str and values[0] in codes:
        return ([codes[values[0]]],)  # most requests have one row, and know their categories
    encoded: list[int] = []
    for row, value in enumerate(values):
        text = str(value) if type(value) is int else value  # a category of whole numbers, as a .csv has it
        if text is None or text == "":
            if not column.optional:
                raise _missing(column, row, len(values))
            encoded.append(MISSING)
        elif type(text) is str:
            encoded.append(codes.get(text, UNKNOWN))
        else:
            raise BadTensor(f"{column.name} is a text", _at(values, row))
    return (encoded,)


def _dates(column: Date, values: Values) -> Sequence[Values]:
    encoded: list[tuple[float, ...]] = []
    for row, value in enumerate(values):
        if value is None or value == "":
            encoded.append(_NO_DATE)
            continue
        try:
            encoded.append(parts_of(value))
        except (TypeError, ValueError, OverflowError) as exc:
            rule = f"{column.name} is a date, or a date and a time, in ISO 8601, such as 2026-01-31 or 2026-01-31T09:30"
            raise BadTensor(rule, _at(values, row)) from exc
    return list(zip(*encoded, strict=True)) if encoded else [()] * len(DATE_PARTS)


_LARGEST = int(np.finfo(np.float64).max)
"""whole numbers beyond are no float"""
_SHOWN = 20
"""digits of a number that is refused"""
_NO_DATE = (math.nan,) * len(DATE_PARTS)


def _missing(column: Column, row: int, count: int) -> BadTensor:
    got = "none" if count == 1 else f"none in row {row}"
    return BadTensor(f"{column.name} has a value in every row, as it had in training", got)


def _at(values: Values, row: int) -> str:
    """Show a value, and where it is when there are several."""
    value = values[row]
    shown = repr(value.item() if isinstance(value, np.generic) else value)
    return shown if len(values) == 1 else f"{shown} in row {row}"


def _listed(columns: Sequence[Column]) -> str:
    return ", ".join(column.name for column in columns)
