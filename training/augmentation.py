"""Training rows in batches, in a new order every epoch, and moved or mirrored at random when the task says so."""

import math

import keras
import numpy as np
from numpy.typing import NDArray

from training.data.split import Split
from training.task import NetworkSpec

Floats = NDArray[np.float32]


class Batches(keras.utils.PyDataset):  # type: ignore[misc] # keras has no types
    """Seeded batches of one split: the same seed gives the same batches in every epoch."""

    def __init__(self, split: Split, spec: NetworkSpec, seed: int) -> None:
        """Begin the first epoch."""
        super().__init__()
        self._split, self._spec = split, spec
        self._random = np.random.default_rng(seed)
        self._order = self._random.permutation(len(split.labels))

    def __len__(self) -> int:
        """Count the batches of an epoch."""
        return math.ceil(len(self._order) / self._spec.batch_size)

    def __getitem__(self, number: int) -> tuple[Floats, NDArray[np.int64]]:
        """Make one batch."""
        start = number * self._spec.batch_size
        rows = self._order[start : start + self._spec.batch_size]
        images = self._split.images[rows]
        if self._spec.flip:
            images = flipped(images, self._random)
        if self._spec.shift:
            images = shifted(images, self._spec.shift, self._random)
        return images, self._split.labels[rows]

    def on_epoch_end(self) -> None:
        """Shuffle for the next epoch."""
        self._order = self._random.permutation(self._order)


def flipped(images: Floats, random: np.random.Generator) -> Floats:
    """Mirror about half of the pictures `(rows, height, width)` left to right."""
    mirror = random.random(len(images)) < 0.5  # noqa: PLR2004 (half)
    return np.where(mirror[:, None, None], images[:, :, ::-1], images)


def shifted(images: Floats, most: int, random: np.random.Generator) -> Floats:
    """Move each picture `(rows, height, width)` by up to `most` pixels each way; what comes in is its edge."""
    _, height, width = images.shape
    padded = np.pad(images, ((0, 0), (most, most), (most, most)), mode="edge")
    down, right = random.integers(0, 2 * most + 1, (2, len(images)))
    return np.stack([picture[y : y + height, x : x + width] for picture, y, x in zip(padded, down, right, strict=True)])
