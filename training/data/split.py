"""One seeded, stratified split in four: train, validation, certification, test."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.model_selection import train_test_split

from training.data.dataset import Dataset
from training.task import Sizes
from weir.engine.arrays import Floats, Labels
from weir.errors import BadInput

Indices = NDArray[np.intp]


@dataclass(frozen=True)
class Split:
    """Rows of one part."""

    inputs: Floats
    """raw values `(rows, …)`, each row of the input's shape"""
    labels: Labels
    """`(rows,)`"""

    def spread(self, count: int) -> Floats:
        """Take evenly spaced rows: data sets are often sorted by label."""
        rows = np.linspace(0, len(self.inputs) - 1, count).astype(int)
        return np.take(self.inputs, rows, axis=0)

    def sample(self, count: int, seed: int) -> Floats:
        """Draw at most `count` rows from the whole split, of each label as many as of the others if it has them."""
        order = np.random.default_rng(seed).permutation(len(self.labels))
        turns = np.zeros(len(order), int)
        for label in np.unique(self.labels):
            own = np.flatnonzero(self.labels[order] == label)
            turns[own] = np.arange(len(own))
        drawn: Indices = order[np.argsort(turns, kind="stable")][:count]
        return np.take(self.inputs, drawn, axis=0)


def split(data: Dataset, sizes: Sizes, seed: int) -> dict[str, Indices]:
    """Split the rows, stratified by label; training gets what the other parts leave.

    A test set of the data's own stays whole.

    Raises:
        BadInput: there are too few rows, or a label is missing from a part.
    """
    labels = data.labels
    if data.test_from is None:
        rest, test = _cut(np.arange(len(labels)), labels, sizes.test, seed, "test")
    elif sizes.test:
        raise BadInput("sizes.test is 0 when the data have a test set of their own", sizes.test)
    else:
        rest, test = np.arange(data.test_from), np.arange(data.test_from, len(labels))
    rest, certification = _cut(rest, labels, sizes.certification, seed, "certification")
    train, validation = _cut(rest, labels, sizes.validation, seed, "validation")
    parts = {"train": train, "validation": validation, "certification": certification, "test": test}
    for part, rows in parts.items():
        missing = set(range(len(data.label_names))) - set(labels[rows].tolist())
        if missing:
            names = ", ".join(data.label_names[label] for label in sorted(missing))
            raise BadInput(f"every label is in every split; the {part} split has {len(rows)} rows", f"none of {names}")
    return parts


def _cut(rows: Indices, labels: NDArray[np.generic], size: int, seed: int, part: str) -> tuple[Indices, Indices]:
    """Take `size` rows out of others, stratified by label: the rest, and those taken."""
    try:
        rest, taken = train_test_split(rows, test_size=size, random_state=seed, stratify=labels[rows])
    except ValueError as exc:
        counts = np.unique(labels[rows], return_counts=True)[1]
        left = f"{len(rows)} rows of {len(counts)} labels, the rarest has {min(counts, default=0)}"
        raise BadInput(f"{size} rows for {part}, stratified, leave rows for training", left) from exc
    return np.sort(rest), np.sort(taken)
