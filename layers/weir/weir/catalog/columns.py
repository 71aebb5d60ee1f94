"""The columns of a table: a tagged union of kinds, and where the values of each stand in the array of a row."""

from typing import Literal

import msgspec


class _Named(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind"):
    """A column, which rows name."""

    name: str


class Number(_Named, frozen=True, kw_only=True, tag="number"):
    """Numbers; one value in the array of a row, NaN where it is missing."""

    datatype: Literal["FP64", "INT64", "BOOL"] = "FP64"
    """as the training rows had it; requests may send any numeric datatype"""
    optional: bool = False
    """whether a value may be missing"""


class Category(_Named, frozen=True, kw_only=True, tag="category"):
    """Texts of a vocabulary; one code in the array of a row: `MISSING`, `UNKNOWN`, or 2 and more for its entries."""

    vocabulary: tuple[str, ...]
    optional: bool = True
    """whether a value may be missing"""

    @property
    def codes(self) -> int:
        """How many codes there are: missing, unknown, and the vocabulary."""
        return len(self.vocabulary) + FIRST_CODE


class Date(_Named, frozen=True, kw_only=True, tag="date"):
    """ISO 8601 dates, with or without a time; `DATE_PARTS` values in the array of a row, NaN where it is missing."""

    optional: bool = False
    """whether a value may be missing"""


Column = Number | Category | Date

MISSING, UNKNOWN, FIRST_CODE = 0, 1, 2
"""codes of a category: no value, a value outside the vocabulary, the first entry of the vocabulary"""

DATE_PARTS = ("days", "month", "weekday", "hour")
"""a date in numbers: days since 1970-01-01, 1 to 12, 0 (Monday) to 6, and hours since midnight; UTC where it has a
zone"""


def width(column: Column) -> int:
    """Count the values that a column has in the array of a row."""
    return len(DATE_PARTS) if isinstance(column, Date) else 1
