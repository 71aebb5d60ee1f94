"""From chosen columns to the inputs of a model and their rows: one table, then each text, then each picture."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from training.data.columns import values
from training.data.columns.choice import Chosen
from training.data.columns.coding import CODERS
from training.data.columns.encoding import encoded_table, encoded_texts, stored_dtype
from training.data.columns.frame import Frame
from training.data.columns.pictures import PictureFiles
from training.task import Data
from weir.catalog.inputs import Input, Table, Text
from weir.inputs.rows import joined

_TABLE = ("table", "columns", "values")
"""names of the input of a table: the first that no column has"""
_FEWEST_BYTES, _MOST_BYTES, _STEP = 32, 1024, 32
_CUT = 0.99
"""share of the texts that are not cut"""
_BATCH = 32 << 20
"""bytes of the rows that are encoded at a time"""


class RowEncoder:
    """Encodes columns, frame by frame; the first decides which texts are cut, and whether pictures are grey."""

    def __init__(self, first: Frame, chosen: Chosen, data: Data) -> None:
        """Describe the inputs, cheap ones first, as far as the first frame tells them."""
        self._kinds = kinds = chosen.kinds
        columns = first.columns
        taken = set(columns.columns)
        self._table_name = next((name for name in _TABLE if name not in taken), "_".join(_TABLE))
        self._coders = {name: CODERS[kind](name) for name, kind in kinds.items() if kind in CODERS}
        self._texts = [text_of(columns[name], data.text.most_bytes) for name in kinds if kinds[name] == "text"]
        self._pictures = [
            PictureFiles.like(name, _paths(first, columns[name]), data.picture)
            for name in kinds
            if kinds[name] == "picture"
        ]

    def rows(self, frame: Frame) -> Iterator[tuple[NDArray[Any], NDArray[np.bool_]]]:
        """Encode a frame, some rows at a time: `(n, …)`, and whether all pictures of each row could be read.

        Raises:
            BadInput: a value can't be encoded.
        """
        each = max(1, _BATCH // sum(one.row_values * one.dtype.itemsize for one in self.inputs))
        categories = [values.texts(frame.columns[name]) for name, kind in self._kinds.items() if kind == "category"]
        for part in frame.columns.with_columns(categories).iter_slices(each):
            yield self._encoded(frame, part)

    def _encoded(self, frame: Frame, part: pl.DataFrame) -> tuple[NDArray[Any], NDArray[np.bool_]]:
        arrays: list[NDArray[Any]] = []
        readable = np.ones(part.height, bool)
        if self._coders:
            read = {name: coder.values(part[name], frame.decimal) for name, coder in self._coders.items()}
            columns = tuple(coder.reading for coder in self._coders.values())
            arrays.append(encoded_table(Table(name=self._table_name, columns=columns), read, part.height))
        arrays += [encoded_texts(text, _contents(part[text.name]).to_list()) for text in self._texts]
        for files in self._pictures:
            rows, own = files.rows(_paths(frame, part[files.described.name]))
            arrays.append(rows)
            readable &= own
        return joined(arrays, self.inputs), readable

    @property
    def inputs(self) -> tuple[Input, ...]:
        """The inputs, by the rows so far."""
        columns = tuple(coder.described for coder in self._coders.values())
        table = (Table(name=self._table_name, columns=columns),) if columns else ()
        return (*table, *self._texts, *(files.described for files in self._pictures))

    @property
    def stored(self) -> np.dtype[Any]:
        """How rows are kept in a file."""
        return stored_dtype(self.inputs)

    def warnings(self) -> tuple[str, ...]:
        """Say which pictures could not be read. Raises `BadInput` if that is all of a column."""
        return tuple(warning for files in self._pictures for warning in files.warnings())


def text_of(series: pl.Series, most_bytes: int | None) -> Text:
    """Describe the input of a column of texts."""
    return Text(
        name=series.name, most_bytes=most_bytes or most_bytes_of(_contents(series).str.len_bytes()), meaning="UTF-8"
    )


def most_bytes_of(lengths: pl.Series) -> int:
    """Return the bytes, in steps of 32, that 99 of 100 texts of these lengths have at most."""
    enough = float(lengths.quantile(_CUT, "higher") or 0)
    return int(min(_MOST_BYTES, max(_FEWEST_BYTES, -(-enough // _STEP) * _STEP)))


def _contents(series: pl.Series) -> pl.Series:
    return series.cast(pl.String).fill_null("")


def _paths(frame: Frame, series: pl.Series) -> list[Any]:
    return [frame.folder / one if one else None for one in values.texts(series).to_list()]
