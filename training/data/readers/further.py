"""Further rows of a model that was trained on files: the same columns, encoded as the model reads them."""

from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from training.data.columns import values
from training.data.columns.encoding import encoded_table, encoded_texts
from training.data.columns.frame import Frame
from training.data.columns.pictures import read_as
from training.data.readers import read
from training.task import Data
from weir.catalog.columns import Category, Column, Date
from weir.catalog.inputs import Input, Picture, Table, Text
from weir.engine.arrays import Labels
from weir.errors import BadInput
from weir.inputs.rows import joined
from weir.inputs.values import Values


def columns(
    path: Path, data: Data, inputs: tuple[Input, ...], names: tuple[str, ...]
) -> tuple[NDArray[Any], Labels | None]:
    """Read the rows of a file, and their labels if it has the column of the target.

    Raises:
        BadInput: a column is missing or not of its kind, or a label is none of the model's.
    """
    frame = read((path,), data)
    arrays = [_encoded(one, frame) for one in inputs]
    return joined(arrays, inputs), _labels(frame, data.target, names)


def _encoded(one: Input, frame: Frame) -> NDArray[Any]:
    match one:
        case Table():
            given = {column.name: _values(column, _series(frame, column.name), frame.decimal) for column in one.columns}
            return encoded_table(one, given, frame.columns.height)
        case Text():
            return encoded_texts(one, _series(frame, one.name).cast(pl.String).fill_null("").to_list())
        case Picture():
            return read_as(one, [frame.folder / str(name) for name in _series(frame, one.name).to_list()])
        case _:
            raise BadInput("a file of columns has tables, texts and pictures", f"the tensor {one.name}")


def _series(frame: Frame, name: str) -> pl.Series:
    if name not in frame.columns.columns:
        raise BadInput(f"a file has the column {name}", ", ".join(frame.columns.columns))
    return frame.columns[name]


def _values(column: Column, series: pl.Series, decimal: str) -> Values:
    match column:
        case Category():
            return values.texts(series).to_list()
        case Date():
            read = values.dates(series)
            encoded: Values = read.to_list()
        case _:
            read = values.numbers(series, decimal)
            encoded = read.fill_null(float("nan")).to_numpy()
    wrong = series.is_not_null() & read.is_null()
    if wrong.any():
        kind = "dates of ISO 8601" if isinstance(column, Date) else "numbers"
        raise BadInput(f"{column.name} has {kind}", f"{series.filter(wrong)[0]!r} in row {wrong.arg_max()}")
    return encoded


def _labels(frame: Frame, target: str, names: tuple[str, ...]) -> Labels | None:
    if target not in frame.columns.columns:
        return None
    numbers = {name: number for number, name in enumerate(names)}
    texts = values.texts(frame.columns[target]).to_list()
    for row, text in enumerate(texts):
        if text not in numbers:
            shown = ", ".join(names[:10])
            raise BadInput(f"{target} has a label of the model for each row ({shown} …)", f"{text!r} in row {row}")
    return np.array([numbers[text] for text in texts], np.int64)
