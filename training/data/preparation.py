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
from weir.catalog.inputs import Input
from weir.errors import BadInput


@dataclass(frozen=True)
class PreparedData:
    """The data of a task, cleaned and split."""

    train: Split
    validation: Split
    certification: Split
    test: Split
    label_names: tuple[str, ...]
    input: Input
    """what a row is"""
    cleaning: Cleaning
    digest: str
    """sha256 over rows, labels, label names and the split of each row"""

    @property
    def prior(self) -> tuple[float, ...]:
        """Share of each label among the training rows."""
        counts: NDArray[np.intp] = np.bincount(self.train.labels, minlength=len(self.label_names))
        return tuple((counts / counts.sum()).tolist())


def prepare(task: Task) -> PreparedData:
    """Load, clean and split the data of a task. Raises `BadInput`, and `Unavailable` when a download fails."""
    data, cleaning = clean(sources.load(task.data))
    try:
        parts = split(data, task.sizes, task.seed)
    except BadInput as exc:  # cleaning may be why there are so few rows
        raise BadInput(exc.rule, f"{exc.got}; of the data: {cleaning.summary()}") from exc
    splits = {part: Split(data.inputs[rows], data.labels[rows]) for part, rows in parts.items()}  # type: ignore[arg-type]
    digest = _digest(data, parts)
    return PreparedData(**splits, label_names=data.label_names, input=data.input, cleaning=cleaning, digest=digest)


def _digest(data: Dataset, parts: dict[str, Indices]) -> str:
    digest = hashlib.sha256()
    digest.update(repr((data.inputs.shape, data.label_names)).encode())
    digest.update(data.inputs.astype("<f4").tobytes())
    digest.update(data.labels.astype("<i8").tobytes())
    for part, rows in parts.items():
        digest.update(part.encode())
        digest.update(rows.astype("<i8").tobytes())
    return digest.hexdigest()
