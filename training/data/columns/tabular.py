"""From the columns of files to a data set: labels, inputs, groups and times."""

import difflib
import itertools
from collections.abc import Iterable, Sequence

import numpy as np
import polars as pl
from numpy.typing import NDArray

from training.data.columns import values
from training.data.columns.choice import Chosen, choose, odd_values
from training.data.columns.frame import Frame
from training.data.columns.inputs import RowEncoder
from training.data.columns.targets import labels_of
from training.data.dataset import Dataset
from training.data.spool import RowSpool
from training.task import Data
from weir.errors import BadInput
from weir.inputs.dates import parts_of


def dataset(frames: Iterable[Frame], data: Data) -> Dataset:
    """Make a data set of columns, whose rows come in one frame or in several; the first decides the kinds of columns.

    Raises:
        BadInput: a column that the task names is not there, the target holds no labels, a column is not of its kind, or
            no column is left to learn from.
        Unavailable: rows that are larger than `data.memory_mb` can't be kept in a file.
    """
    rest = iter(frames)
    first = next(rest)
    _check_names(first.columns.columns, data)
    labels_of(first.columns[data.target])  # before any row is encoded
    read = _Read(first, choose(first, data), data)
    for frame in itertools.chain((first,), rest):
        read.add(frame)
    return read.dataset()


class _Read:
    """Rows that were read so far, and the columns that are no inputs."""

    def __init__(self, first: Frame, chosen: Chosen, data: Data) -> None:
        self._data, self._chosen, self._decimal = data, chosen, first.decimal
        self._encoder = RowEncoder(first, chosen, data)
        self._spool = RowSpool(data.memory_mb << 20, self._encoder.stored)
        self._aside: dict[str, list[pl.Series]] = {name: [] for name in (data.target, data.group, data.time) if name}
        self._readable: list[NDArray[np.bool_]] = []
        self._notes: dict[str, None] = {}
        self._warnings: dict[str, None] = {}
        self._odd: dict[str, str] = {}

    def add(self, frame: Frame) -> None:
        """Encode the rows of a frame. Raises `BadInput`."""
        if self._readable:  # the first was looked at when columns were chosen
            self._odd = {**odd_values(frame, self._chosen), **self._odd}
        for name, parts in self._aside.items():
            parts.append(frame.columns[name])
        for rows, readable in self._encoder.rows(frame):
            self._spool.append(rows[readable])
            self._readable.append(readable)
        self._notes |= dict.fromkeys(frame.notes)
        self._warnings |= dict.fromkeys(frame.warnings)

    def dataset(self) -> Dataset:
        """Make a data set of all. Raises `BadInput`."""
        data, columns = self._data, {name: _below(parts) for name, parts in self._aside.items()}
        unreadable = self._encoder.warnings()
        labels, names = labels_of(columns[data.target])
        groups = _groups(columns[data.group]) if data.group else None
        times, untimed = _times(columns[data.time], self._decimal) if data.time else (None, "")
        kept = np.flatnonzero(np.concatenate(self._readable))
        return Dataset(
            self._spool.finished(),
            labels[kept],
            names,
            self._encoder.inputs,
            groups=None if groups is None else groups[kept],
            times=None if times is None else times[kept],
            near_duplicates=True,
            notes=(*self._notes, *_told(self._chosen)),
            warnings=(
                *self._warnings,
                *self._chosen.warnings,
                *self._further_odd(),
                *unreadable,
                *_unlabelled(labels, data),
                *filter(None, [untimed]),
            ),
        )

    def _further_odd(self) -> list[str]:
        """Return the warnings of columns that the first frame has none of."""
        told = self._chosen.warnings
        return [one for name, one in self._odd.items() if not any(other.startswith(f"{name}: ") for other in told)]


def _below(parts: list[pl.Series]) -> pl.Series:
    """Put the parts of a column one below the other; as texts, if their types differ."""
    if len({part.dtype for part in parts}) > 1:
        parts = [values.texts(part) for part in parts]
    return pl.concat(parts)


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
