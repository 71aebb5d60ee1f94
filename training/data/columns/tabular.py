"""From the columns of files to a data set: labels, inputs, groups and times."""

import difflib
from collections.abc import Sequence

import numpy as np
import polars as pl
from numpy.typing import NDArray

from training.data.columns import values
from training.data.columns.choice import Chosen, choose
from training.data.columns.frame import Frame
from training.data.columns.inputs import encode
from training.data.columns.targets import labels_of
from training.data.dataset import Dataset
from training.task import Data
from weir.errors import BadInput
from weir.inputs.dates import parts_of
from weir.inputs.rows import joined


def dataset(frame: Frame, data: Data) -> Dataset:
    """Make a data set of columns.

    Raises:
        BadInput: a column that the task names is not there, the target holds no labels, a column is not of its kind, or
            no column is left to learn from.
    """
    _check_names(frame.columns.columns, data)
    labels, names = labels_of(frame.columns[data.target])
    chosen = choose(frame, data)
    encoded = encode(frame, chosen, data)
    groups = _groups(frame.columns[data.group]) if data.group else None
    times, untimed = _times(frame.columns[data.time], frame.decimal) if data.time else (None, "")
    kept = np.flatnonzero(encoded.readable)
    rows = joined([array[kept] for array in encoded.arrays], encoded.inputs)
    return Dataset(
        rows,
        labels[kept],
        names,
        encoded.inputs,
        groups=None if groups is None else groups[kept],
        times=None if times is None else times[kept],
        near_duplicates=True,
        notes=(*frame.notes, *_told(chosen)),
        warnings=(
            *frame.warnings,
            *chosen.warnings,
            *encoded.warnings,
            *_unlabelled(labels, data),
            *filter(None, [untimed]),
        ),
    )


def _check_names(columns: Sequence[str], data: Data) -> None:
    """Refuse names that no column has, with the nearest that one has. Raises `BadInput`."""
    if not data.target:
        raise BadInput("data.target names the column of the labels", f"the columns {', '.join(columns)}")
    named = {"target": [data.target], "group": [data.group], "time": [data.time]}
    named |= {"ignore": list(data.ignore), "columns": list(data.columns)}
    for key, given in named.items():
        for name in filter(None, given):
            if name not in columns:
                near = difflib.get_close_matches(name, columns, 1)
                hint = f"; did you mean {near[0]}?" if near else ""
                one = "; the data have one column: is data.csv.delimiter right?" if len(columns) == 1 else ""
                raise BadInput(f"data.{key} names columns of the data, {', '.join(columns)}", f"{name}{hint}{one}")


def _told(chosen: Chosen) -> list[str]:
    shown = ", ".join(f"{name} {kind}" for name, kind in chosen.kinds.items())
    return [f"columns: {shown}"]


def _unlabelled(labels: NDArray[np.int64], data: Data) -> list[str]:
    missing = int((labels < 0).sum())
    return [f"{missing} of {len(labels)} rows have no {data.target}; they are dropped"] if missing else []


def _groups(series: pl.Series) -> NDArray[np.int64]:
    """Number the values of a column; -1 where there is none."""
    texts = values.texts(series)
    codes = texts.rank("dense").cast(pl.Int64).fill_null(0).to_numpy() - 1
    numbers: NDArray[np.int64] = codes.astype(np.int64)
    return numbers


def _times(series: pl.Series, decimal: str) -> tuple[NDArray[np.float64], str]:
    """Read numbers or dates as times; a row without one counts as the earliest, and a warning says so.

    Raises:
        BadInput: over a tenth of the values are neither numbers nor dates.
    """
    read = values.numbers(series, decimal) if values.is_number(series) or series.dtype == pl.String else None
    if read is None or read.null_count() == len(read):
        read = _days(values.dates(series))
    missing = read.null_count()
    if missing > len(read) / 10:
        rule = f"data.time has numbers, or dates of ISO 8601 such as 2026-01-31; {series.name}"
        raise BadInput(rule, f"neither in {missing} of {len(read)} rows")
    times: NDArray[np.float64] = read.fill_null(float("-inf")).to_numpy().astype(np.float64)
    return times, f"{missing} rows have no {series.name}; they count as the earliest" if missing else ""


def _days(iso: pl.Series) -> pl.Series:
    days = [None if one is None else parts_of(one)[0] for one in iso.to_list()]
    return pl.Series(iso.name, days, pl.Float64)
