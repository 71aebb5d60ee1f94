"""From chosen columns to the inputs of a model and their rows: one table, then each text, then each picture."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from training.data.columns import values
from training.data.columns.choice import Chosen
from training.data.columns.encoding import encoded_table, encoded_texts
from training.data.columns.frame import Frame
from training.data.columns.pictures import read_pictures
from training.data.columns.targets import naturally
from training.task import Data, Kind
from weir.catalog.columns import Category, Column, Date, Number
from weir.catalog.inputs import Input, Table, Text
from weir.inputs.values import Values

_TABLE = ("table", "columns", "values")
"""names of the input of a table: the first that no column has"""
_FEWEST_BYTES, _MOST_BYTES, _STEP = 32, 1024, 32
_CUT = 0.99
"""share of the texts that are not cut"""


@dataclass(frozen=True)
class Encoded:
    """Inputs, and for each its rows `(n, …)`."""

    inputs: tuple[Input, ...]
    arrays: tuple[NDArray[Any], ...]
    readable: NDArray[np.bool_]
    """`(n,)`: false for a row whose picture can't be read"""
    warnings: tuple[str, ...]


def encode(frame: Frame, chosen: Chosen, data: Data) -> Encoded:
    """Describe the inputs, cheap ones first, and encode their rows. Raises `BadInput`."""
    described: list[Input] = []
    arrays: list[NDArray[Any]] = []
    warnings: list[str] = []
    readable = np.ones(frame.columns.height, bool)
    by_kind = {kind: [frame.columns[name] for name, own in chosen.kinds.items() if own == kind] for kind in _KINDS}
    tabular = [frame.columns[name] for name, kind in chosen.kinds.items() if kind in _COLUMNS]
    if tabular:
        table, table_rows = _table(tabular, chosen, frame.decimal, set(frame.columns.columns))
        described.append(table)
        arrays.append(table_rows)
    for series in by_kind["text"]:
        text, rows = text_input(series, data.text.most_bytes)
        described.append(text)
        arrays.append(rows)
    for series in by_kind["picture"]:
        paths = [frame.folder / one if one else None for one in values.texts(series).to_list()]
        found = read_pictures(series.name, paths, data.picture)
        described.append(found.described)
        arrays.append(found.rows)
        warnings += found.warnings
        readable &= found.readable
    return Encoded(tuple(described), tuple(arrays), readable, tuple(warnings))


def text_input(series: pl.Series, most_bytes: int | None) -> tuple[Text, NDArray[np.int32]]:
    """Describe the input of a column of texts, and encode them; none is an empty text."""
    texts = series.cast(pl.String).fill_null("").to_list()
    text = Text(name=series.name, most_bytes=most_bytes or _most_bytes(series), meaning="UTF-8")
    return text, encoded_texts(text, texts)


def _most_bytes(series: pl.Series) -> int:
    lengths = series.cast(pl.String).fill_null("").str.len_bytes()
    enough = float(lengths.quantile(_CUT, "higher") or 0)
    return int(min(_MOST_BYTES, max(_FEWEST_BYTES, -(-enough // _STEP) * _STEP)))


def _table(series: list[pl.Series], chosen: Chosen, decimal: str, taken: set[str]) -> tuple[Table, NDArray[np.float32]]:
    columns: list[Column] = []
    encoded: dict[str, Values] = {}
    for one in series:
        column, column_values = _COLUMNS[chosen.kinds[one.name]](one, decimal)
        columns.append(column)
        encoded[one.name] = column_values
    name = next((name for name in _TABLE if name not in taken), "_".join(_TABLE))
    table = Table(name=name, columns=tuple(columns))
    return table, encoded_table(table, encoded, len(series[0]))


def _number(series: pl.Series, decimal: str) -> tuple[Number, Values]:
    read = values.numbers(series, decimal)
    optional = read.null_count() > 0
    column = Number(name=series.name, datatype="FP64", optional=optional)
    if not optional and values.is_boolean(series):
        column = Number(name=series.name, datatype="BOOL")
    elif not optional and (series.dtype.is_integer() or (series.dtype == pl.String and _are_whole(series))):
        column = Number(name=series.name, datatype="INT64")
    return column, read.fill_null(float("nan")).to_numpy()


def _are_whole(series: pl.Series) -> bool:
    return bool(series.str.strip_chars().str.contains(r"^[-+]?\d{1,18}$").all())


def _category(series: pl.Series, _decimal: str) -> tuple[Category, Values]:
    """Take every value into the vocabulary; `columns.vocabulary` leaves rare ones out once rows are split."""
    texts = values.texts(series)
    return Category(
        name=series.name, vocabulary=tuple(naturally(texts.drop_nulls().unique().to_list()))
    ), texts.to_list()


def _date(series: pl.Series, _decimal: str) -> tuple[Date, Values]:
    read = values.dates(series)
    return Date(name=series.name, optional=read.null_count() > 0), read.to_list()


_COLUMNS: dict[Kind, Callable[[pl.Series, str], tuple[Column, Values]]] = {
    "number": _number,
    "category": _category,
    "date": _date,
}
_KINDS: tuple[Kind, ...] = ("text", "picture")
