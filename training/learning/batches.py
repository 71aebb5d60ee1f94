"""Training rows in batches, augmented, in a new order every epoch."""

import math
from collections.abc import Callable, Iterator
from typing import Any, Protocol

import numpy as np
from keras import tree
from numpy.typing import NDArray

from training.data.rows import RowStore
from training.data.splits.split import Indices, TrainingSplit
from training.learning.views import TeacherViews
from training.learning.windows import windows
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
        self, split: TrainingSplit, modality: Modality, spec: SettledNetwork, seed: int, front: Front = _unchanged
    ) -> None:
        """Begin before the first epoch; networks are trained on what a front makes of the rows."""
        self._split, self._modality, self._spec, self._front = split, modality, spec, front
        self._augments, inputs = modality.augments(spec), split.inputs
        self._ready = None if self._augments or isinstance(inputs, RowStore) else front(arrays_of(inputs))
        self._random = np.random.default_rng(seed)

    def __len__(self) -> int:
        """Count the batches of an epoch."""
        return math.ceil(len(self._split.labels) / self._spec.batch_size)

    def epoch(self) -> Iterator[tuple[Any, Indices]]:
        """Make the batches of the next epoch: changed rows `(n, …)`, and their numbers `(n,)`."""
        size = self._spec.batch_size
        for numbers, window in windows(self._split.inputs, size, self._random):
            batch_of = self._changed(window) if self._augments else _chosen(self._made(window))
            for rows in shuffled(len(numbers), size, self._random):
                yield batch_of(rows), numbers[rows]

    def _made(self, window: NDArray[Any]) -> Any:  # noqa: ANN401 (as Keras takes them)
        return self._front(arrays_of(window)) if self._ready is None else self._ready

    def _changed(self, window: NDArray[Any]) -> Callable[[Indices], Any]:
        def batch_of(rows: Indices) -> Any:  # noqa: ANN401 (as Keras takes them)
            return self._front(arrays_of(self._modality.augmented(window[rows], self._spec, self._random)))

        return batch_of


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
        number, size = self._epoch, self._spec.batch_size
        self._epoch += 1
        for numbers, inputs, logits in self._views.parts(number, size):
            batch_of = _chosen(self._front(arrays_of(inputs)))
            for rows in shuffled(len(inputs), size, self._random):
                yield batch_of(rows), numbers[rows], logits[rows]


def _chosen(ready: Any) -> Callable[[Indices], Any]:  # noqa: ANN401 (as Keras takes them)
    """Return what takes some rows of what a front made of all."""
    return lambda rows: tree.map_structure(lambda array: array[rows], ready)


def shuffled(count: int, size: int, random: np.random.Generator) -> Iterator[Indices]:
    """Divide the numbers of `count` rows into batches of `size`, in random order."""
    order = random.permutation(count)
    for start in range(0, count, size):
        yield order[start : start + size]
