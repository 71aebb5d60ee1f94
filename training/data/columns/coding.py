"""The columns of a table, batch by batch: what each is follows from all of its values."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal, Protocol

import polars as pl

from training.data.columns import values
from training.data.columns.targets import naturally
from training.task import Kind
from weir.catalog.columns import Category, Column, Date, Number
from weir.inputs.values import Values

MOST_SEEN = 100_000
"""different values of a category that are told apart before the vocabulary is settled"""


class ColumnCoder(Protocol):
    """Interface of every kind of column."""

    def values(self, series: pl.Series, decimal: str) -> Values:
        """Read the values of the next rows, `(n,)`."""

    @property
    def reading(self) -> Column:
        """What encodes the values of the rows so far."""

    @property
    def described(self) -> Column:
        """What the column is, by the rows so far."""


@dataclass
class _NumberCoder:
    name: str
    _missing: bool = False
    _types: set[Literal["FP64", "INT64", "BOOL"]] = field(default_factory=set)

    def values(self, series: pl.Series, decimal: str) -> Values:
        read = values.numbers(series, decimal)
        self._missing |= read.null_count() > 0
        self._types.add(_datatype(series))
        return read.fill_null(float("nan")).to_numpy()

    @property
    def reading(self) -> Number:
        return Number(name=self.name, optional=True)

    @property
    def described(self) -> Number:
        alike = len(self._types) == 1 and not self._missing
        return Number(name=self.name, datatype=next(iter(self._types)) if alike else "FP64", optional=self._missing)


def _datatype(series: pl.Series) -> Literal["FP64", "INT64", "BOOL"]:
    if values.is_boolean(series):
        return "BOOL"
    return "INT64" if series.dtype.is_integer() or (series.dtype == pl.String and _are_whole(series)) else "FP64"


def _are_whole(series: pl.Series) -> bool:
    return bool(series.str.strip_chars().str.contains(r"^[-+]?\d{1,18}$").all())


@dataclass
class _CategoryCoder:
    """Takes every value into the vocabulary; `columns.vocabulary` leaves rare ones out once rows are split."""

    name: str
    _seen: dict[str, None] = field(default_factory=dict)

    def values(self, series: pl.Series, decimal: str) -> Values:
        del decimal
        texts = values.texts(series)
        new = [one for one in naturally(texts.drop_nulls().unique().to_list()) if one not in self._seen]
        self._seen |= dict.fromkeys(new[: MOST_SEEN - len(self._seen)])
        return texts.to_list()

    @property
    def reading(self) -> Category:
        return Category(name=self.name, vocabulary=tuple(self._seen))

    described = reading


@dataclass
class _DateCoder:
    name: str
    _missing: bool = False

    def values(self, series: pl.Series, decimal: str) -> Values:
        del decimal
        read = values.dates(series)
        self._missing |= read.null_count() > 0
        return read.to_list()

    @property
    def reading(self) -> Date:
        return Date(name=self.name, optional=True)

    @property
    def described(self) -> Date:
        return Date(name=self.name, optional=self._missing)


CODERS: dict[Kind, Callable[[str], ColumnCoder]] = {
    "number": _NumberCoder,
    "category": _CategoryCoder,
    "date": _DateCoder,
}
