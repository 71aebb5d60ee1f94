"""From a task to the rows of its four splits."""

import hashlib
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from training.data import sources
from training.data.cleaning import Cleaning, clean
from training.data.dataset import Dataset
from training.data.split import Indices, Split, split
from training.task import Task


@dataclass(frozen=True)
class Prepared:
    """Everything that training and its measurements need of the data."""

    train: Split
    validation: Split
    certification: Split
    test: Split
    label_names: tuple[str, ...]
    value_range: tuple[float, float]
    cleaning: Cleaning
    digest: str
    """sha256 over rows, labels, label names and who is in which split"""

    @property
    def input_shape(self) -> tuple[int, int]:
        """Height and width of one row."""
        _, height, width = self.train.inputs.shape
        return height, width

    @property
    def prior(self) -> tuple[float, ...]:
        """Share of each label among the training rows."""
        counts: NDArray[np.intp] = np.bincount(self.train.labels, minlength=len(self.label_names))
        return tuple((counts / counts.sum()).tolist())


def prepare(task: Task) -> Prepared:
    """Load, clean and split the data of a task. Raises `BadInput`, and `Unavailable` when a download fails."""
    data, cleaning = clean(sources.load(task.data))
    parts = split(data, task.sizes, task.seed)
    splits = {part: Split(data.inputs[rows], data.labels[rows]) for part, rows in parts.items()}  # type: ignore[arg-type]
    digest = _digest(data, parts)
    return Prepared(
        **splits, label_names=data.label_names, value_range=data.value_range, cleaning=cleaning, digest=digest
    )


def _digest(data: Dataset, parts: dict[str, Indices]) -> str:
    found = hashlib.sha256()
    found.update(repr((data.inputs.shape, data.label_names)).encode())
    found.update(data.inputs.astype("<f4").tobytes())
    found.update(data.labels.astype("<i8").tobytes())
    for part, rows in parts.items():
        found.update(part.encode())
        found.update(rows.astype("<i8").tobytes())
    return found.hexdigest()
