"""Training rows in batches, augmented, in a new order every epoch."""

import math
from collections.abc import Iterator
from typing import Any, Protocol

import numpy as np
from keras import tree

from training.data.splits.split import Indices, Split
from training.learning.views import TeacherViews
from training.modalities.fronts import Arrays, Front, arrays_of
from training.modalities.modality import Modality
from training.task import SettledNetwork
from weir.engine.arrays import Floats


def _unchanged(rows: Arrays) -> Arrays:
    return rows


class Epochs(Protocol):
    """What gradient descent runs on: batches, epoch after epoch."""

    def __len__(self) -> int:
        """Count the batches of an epoch."""

    def epoch(self) -> Iterator[tuple[Any, ...]]:
        """Make the batches of the next epoch; each is the arguments of the loss."""


class Batches:
    """Augmented batches of one split; order and changes differ between epochs, and the seed determines all."""

    def __init__(
        self, split: Split, modality: Modality, spec: SettledNetwork, seed: int, front: Front = _unchanged
    ) -> None:
        """Begin before the first epoch; networks are trained on what a front makes of the rows."""
        self._split, self._modality, self._spec, self._front = split, modality, spec, front
        self._ready = None if modality.augments(spec) else front(arrays_of(split.inputs))
        self._random = np.random.default_rng(seed)

    def __len__(self) -> int:
        """Count the batches of an epoch."""
        return math.ceil(len(self._split.labels) / self._spec.batch_size)

    def epoch(self) -> Iterator[tuple[Any, Indices]]:
        """Make the batches of the next epoch: changed rows `(n, …)`, and their numbers `(n,)`."""
        for rows in shuffled(len(self._split.labels), self._spec.batch_size, self._random):
            yield self._rows(rows), rows

    def _rows(self, numbers: Indices) -> Any:  # noqa: ANN401 (as Keras takes them)
        if self._ready is not None:
            return tree.map_structure(lambda array: array[numbers], self._ready)
        changed = self._modality.augmented(self._split.inputs[numbers], self._spec, self._random)
        return self._front(arrays_of(changed))


class DistillationBatches:
    """Batches of a teacher's views, a view an epoch; order and seed as in `Batches`."""

    def __init__(self, views: TeacherViews, spec: SettledNetwork, seed: int, front: Front = _unchanged) -> None:
        """Begin before the first view; networks are trained on what a front makes of the rows."""
        self._views, self._spec, self._front = views, spec, front
        self._random = np.random.default_rng(seed)
        self._epoch = 0

    def __len__(self) -> int:
        """Count the batches of an epoch."""
        return math.ceil(len(self._views) / self._spec.batch_size)

    def epoch(self) -> Iterator[tuple[Any, Indices, Floats]]:
        """Make the batches of the next view.

        Each has rows `(n, …)`, their numbers `(n,)`, and the teacher's logits `(n, outputs)`.
        """
        inputs, logits = self._views.view(self._epoch)
        ready = self._front(arrays_of(inputs))
        self._epoch += 1
        for rows in shuffled(len(inputs), self._spec.batch_size, self._random):
            yield tree.map_structure(lambda array, numbers=rows: array[numbers], ready), rows, logits[rows]


def shuffled(count: int, size: int, random: np.random.Generator) -> Iterator[Indices]:
    """Divide the numbers of `count` rows into batches of `size`, in random order."""
    order = random.permutation(count)
    for start in range(0, count, size):
        yield order[start : start + size]
