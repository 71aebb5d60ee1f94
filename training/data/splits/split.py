"""One seeded split in four: train, validation, certification, test; stratified, by group, or by time."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.model_selection import train_test_split

from training.data.dataset import Dataset
from training.data.rows import Rows, RowStore, row_bytes, take
from training.data.splits.group_split import cut_whole_groups
from training.data.splits.sizes import SettledSizes
from weir.engine.arrays import Labels
from weir.errors import BadInput

Indices = NDArray[np.intp]

_PARTS = ("train", "validation", "certification", "test")


_HELD_BYTES, _HELD_ROWS = 128 << 20, 100_000
"""of the rows of a file that are held in memory at once, at most"""


@dataclass(frozen=True)
class TrainingSplit:
    """Rows of one part, which may be kept in a file."""

    inputs: Rows
    """raw values `(rows, …)`, each row of the input's shape; of several inputs `(rows,)`, with a field for each"""
    labels: Labels
    """`(rows,)`"""

    def taken(self, rows: Indices) -> "TrainingSplit":
        """Choose rows by their numbers."""
        return TrainingSplit(take(self.inputs, rows), self.labels[rows])

    def read(self) -> "Split":
        """Read all rows into memory."""
        return Split(self.inputs[:], self.labels)

    def excerpt(self) -> "Split":
        """Return the rows in memory; of rows in a file as many as there is place for, evenly spaced."""
        if not isinstance(self.inputs, RowStore):
            return Split(self.inputs, self.labels)
        count = min(len(self.labels), _HELD_ROWS, max(1, _HELD_BYTES // row_bytes(self.inputs)))
        rows = np.linspace(0, len(self.labels) - 1, count).astype(np.intp)
        return Split(self.inputs[rows], self.labels[rows])

    def sample(self, count: int, seed: int) -> NDArray[Any]:
        """Draw at most `count` rows from the whole split, of each label as many as of the others if it has them."""
        order = np.random.default_rng(seed).permutation(len(self.labels))
        turns = np.zeros(len(order), int)
        for label in np.unique(self.labels):
            own = np.flatnonzero(self.labels[order] == label)
            turns[own] = np.arange(len(own))
        drawn: Indices = order[np.argsort(turns, kind="stable")][:count]
        return self.inputs[drawn]


@dataclass(frozen=True)
class Split(TrainingSplit):
    """Rows of one part, in memory."""

    inputs: NDArray[Any]

    def spread(self, count: int) -> NDArray[Any]:
        """Take evenly spaced rows: data sets are often sorted by label."""
        rows = np.linspace(0, len(self.inputs) - 1, count).astype(int)
        spread: NDArray[Any] = self.inputs[rows]
        return spread


def split(data: Dataset, sizes: SettledSizes, seed: int) -> dict[str, Indices]:
    """Split the rows in four; training gets what the other parts leave.

    Rows are stratified by label; with groups they are so as far as groups stay whole. With times the earliest are for
    training and the latest for test; those between are drawn at random, stratified, for validation and certification,
    so that thresholds are chosen and certified on rows of one time. Sets of the data's own stay whole.

    Raises:
        BadInput: there are too few rows, or a label is missing from a part.
    """
    labels = data.labels
    end = len(labels)
    test_from = end if data.test_from is None else data.test_from
    validation_from = test_from if data.validation_from is None else data.validation_from
    rest, parts = np.arange(validation_from), dict.fromkeys(_PARTS, np.arange(0))
    parts |= {"validation": np.arange(validation_from, test_from), "test": np.arange(test_from, end)}
    cut = _cutter(data, seed)
    for part in ("test", "certification", "validation"):
        if not len(parts[part]):
            rest, parts[part] = cut(rest, getattr(sizes, part), part)
    parts["train"] = rest
    if data.times is not None and data.validation_from is None:
        between = np.sort(np.concatenate([parts["validation"], parts["certification"]]))
        parts["validation"], parts["certification"] = _cut(
            between, sizes.certification, "certification", labels=labels, seed=seed
        )
    for part, rows in parts.items():
        missing = set(range(len(data.label_names))) - set(labels[rows].tolist())
        if missing:
            names = ", ".join(data.label_names[label] for label in sorted(missing))
            raise BadInput(f"every label is in every split; the {part} split has {len(rows)} rows", f"none of {names}")
    return parts


def _cutter(data: Dataset, seed: int) -> Callable[[Indices, int, str], tuple[Indices, Indices]]:
    """Choose how a part is taken out of the rows that are left."""
    if data.times is not None:
        return partial(_cut_by_time, times=data.times)
    if data.groups is not None and (data.groups >= 0).any():
        return partial(cut_whole_groups, labels=data.labels.astype(np.int64), groups=data.groups, seed=seed)
    return partial(_cut, labels=data.labels, seed=seed)


def _cut_by_time(rows: Indices, size: int, part: str, *, times: NDArray[np.float64]) -> tuple[Indices, Indices]:
    """Take the latest `size` rows: the rest, and those taken."""
    order = rows[np.argsort(times[rows], kind="stable")]
    if not 0 < size < len(rows):
        raise BadInput(f"{size} rows for {part}, the latest, leave rows for training", f"{len(rows)} rows")
    return np.sort(order[:-size]), np.sort(order[-size:])


def _cut(rows: Indices, size: int, part: str, *, labels: NDArray[np.generic], seed: int) -> tuple[Indices, Indices]:
    """Take `size` rows out of others, stratified by label: the rest, and those taken."""
    try:
        rest, taken = train_test_split(rows, test_size=size, random_state=seed, stratify=labels[rows])
    except ValueError as exc:
        counts = np.unique(labels[rows], return_counts=True)[1]
        left = f"{len(rows)} rows of {len(counts)} labels, the rarest has {min(counts, default=0)}"
        raise BadInput(f"{size} rows for {part}, stratified, leave rows for training", left) from exc
    return np.sort(rest), np.sort(taken)
