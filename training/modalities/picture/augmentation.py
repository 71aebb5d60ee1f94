"""Training rows in batches, in a new order every epoch, and changed at random as the task says."""

import math
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from training.data.split import Split
from training.task import NetworkSpec

Floats = NDArray[np.float32]
Numbers = NDArray[np.int64]

_HALF = 0.5
"""share of pictures that are mirrored, or lose a square"""


class Batches:
    """Seeded batches of one split: the same seed gives the same batches in every epoch."""

    def __init__(self, split: Split, spec: NetworkSpec, seed: int) -> None:
        """Begin before the first epoch."""
        self._split, self._spec = split, spec
        self._random = np.random.default_rng(seed)

    def __len__(self) -> int:
        """Count the batches of an epoch."""
        return math.ceil(len(self._split.labels) / self._spec.batch_size)

    def epoch(self) -> Iterator[tuple[Floats, Numbers]]:
        """Make the batches of one more epoch: pictures, and which they are.

        That is the number of the row, or of rows that are mirrored the number plus that of all rows.
        """
        count = len(self._split.labels)
        order = self._random.permutation(count)
        for start in range(0, count, self._spec.batch_size):
            rows = order[start : start + self._spec.batch_size]
            mirrored = self._random.random(len(rows)) < (_HALF if self._spec.flip else 0)
            yield self._changed(flipped(self._split.inputs[rows], mirrored)), rows + count * mirrored

    def _changed(self, images: Floats) -> Floats:
        if self._spec.shift:
            images = shifted(images, self._spec.shift, self._random)
        if self._spec.erase:
            images = erased(images, self._spec.erase, self._random)
        return images


def flipped(images: Floats, mirrored: NDArray[np.bool_]) -> Floats:
    """Mirror the chosen pictures of `(rows, height, width)` left to right."""
    return np.where(mirrored[:, None, None], images[:, :, ::-1], images)


def shifted(images: Floats, most: int, random: np.random.Generator) -> Floats:
    """Move each picture `(rows, height, width)` by up to `most` pixels each way; what comes in is its edge."""
    _, height, width = images.shape
    padded = np.pad(images, ((0, 0), (most, most), (most, most)), mode="edge")
    down, right = random.integers(0, 2 * most + 1, (2, len(images)))
    return np.stack([picture[y : y + height, x : x + width] for picture, y, x in zip(padded, down, right, strict=True)])


def erased(images: Floats, side: int, random: np.random.Generator) -> Floats:
    """Set a square in about half of the pictures `(rows, height, width)` to zero; at an edge, what of it is inside.

    Cutout: DeVries & Taylor 2017, arXiv 1708.04552.
    """
    count, height, width = images.shape
    top, left = random.integers(0, height, count), random.integers(0, width, count)
    erase = random.random(count) < _HALF
    rows = _span(top - side // 2, side, height)[:, :, None]
    columns = _span(left - side // 2, side, width)[:, None, :]
    return np.where(rows & columns & erase[:, None, None], np.float32(0), images)


def _span(start: NDArray[np.int64], side: int, size: int) -> NDArray[np.bool_]:
    """Tell which of `size` places lie within `side` from each start, `(starts, size)`."""
    offset = np.arange(size)[None, :] - start[:, None]
    found: NDArray[np.bool_] = (offset >= 0) & (offset < side)
    return found
