"""Training rows in batches, augmented, in a new order every epoch."""

import math
from collections.abc import Iterator

import numpy as np

from training.data.split import Split
from training.modalities.modality import Modality
from training.task import NetworkSpec
from weir.engine.arrays import Floats, Labels


class Batches:
    """Augmented batches of one split; order and changes differ between epochs, and the seed determines all."""

    def __init__(self, split: Split, modality: Modality, spec: NetworkSpec, seed: int) -> None:
        """Begin before the first epoch."""
        self._split, self._modality, self._spec = split, modality, spec
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
            inputs, variant = self._modality.augmented(self._split.inputs[rows], self._spec, self._random)
            yield inputs, rows + count * variant
