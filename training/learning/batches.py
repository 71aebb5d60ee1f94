"""Training rows in batches, in a new order every epoch."""

import math
from collections.abc import Iterator

import numpy as np

from training.data.split import Split
from training.modalities.picture.augmentation import augmented
from training.task import NetworkSpec
from weir.engine.arrays import Floats, Labels


class Batches:
    """Seeded batches of one split, augmented; the same seed gives the same batches in every epoch."""

    def __init__(self, split: Split, spec: NetworkSpec, seed: int) -> None:
        """Begin before the first epoch."""
        self._split, self._spec = split, spec
        self._random = np.random.default_rng(seed)

    def __len__(self) -> int:
        """Count the batches of an epoch."""
        return math.ceil(len(self._split.labels) / self._spec.batch_size)

    def epoch(self) -> Iterator[tuple[Floats, Labels]]:
        """Make the batches of the next epoch: rows `(n, …)`, and the number of each one's variant, `(n,)`.

        Variant v of row r has the number `v * rows + r`; variant 0 is the row as it is.
        """
        count = len(self._split.labels)
        order = self._random.permutation(count)
        for start in range(0, count, self._spec.batch_size):
            rows = order[start : start + self._spec.batch_size]
            inputs, variant = augmented(self._split.inputs[rows], self._spec, self._random)
            yield inputs, rows + count * variant
