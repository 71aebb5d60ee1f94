"""Random changes to training pictures, as a network's description requests: mirrored, shifted, partly erased."""

import numpy as np
from numpy.typing import NDArray

from training.task import NetworkSpec
from weir.engine.arrays import Floats

_HALF = 0.5
"""share of pictures that are mirrored, or lose a square"""


def augmented(pictures: Floats, spec: NetworkSpec, random: np.random.Generator) -> Floats:
    """Change pictures `(n, height, width)` at random."""
    pictures = flipped(pictures, random.random(len(pictures)) < (_HALF if spec.flip else 0))
    if spec.shift:
        pictures = shifted(pictures, spec.shift, random)
    if spec.erase:
        pictures = erased(pictures, spec.erase, random)
    return pictures


def flipped(pictures: Floats, mirrored: NDArray[np.bool_]) -> Floats:
    """Mirror the chosen pictures of `(n, height, width)` left to right."""
    return np.where(mirrored[:, None, None], pictures[:, :, ::-1], pictures)


def shifted(pictures: Floats, most: int, random: np.random.Generator) -> Floats:
    """Move each picture of `(n, height, width)` by up to `most` pixels in each direction; its edge fills the gap."""
    _, height, width = pictures.shape
    padded = np.pad(pictures, ((0, 0), (most, most), (most, most)), mode="edge")
    tops, lefts = random.integers(0, 2 * most + 1, (2, len(pictures)))
    return np.stack([one[y : y + height, x : x + width] for one, y, x in zip(padded, tops, lefts, strict=True)])


def erased(pictures: Floats, side: int, random: np.random.Generator) -> Floats:
    """Set a square in about half of the pictures `(n, height, width)` to zero; at an edge, the part of it inside.

    Cutout: DeVries & Taylor 2017, arXiv 1708.04552.
    """
    count, height, width = pictures.shape
    tops, lefts = random.integers(0, height, count), random.integers(0, width, count)
    erase = random.random(count) < _HALF
    rows = _span(tops - side // 2, side, height)[:, :, None]
    columns = _span(lefts - side // 2, side, width)[:, None, :]
    return np.where(rows & columns & erase[:, None, None], np.float32(0), pictures)


def _span(starts: NDArray[np.int64], side: int, size: int) -> NDArray[np.bool_]:
    """Mark which of `size` places lie within `side` places from each start: `(starts, size)`."""
    offsets = np.arange(size)[None, :] - starts[:, None]
    inside: NDArray[np.bool_] = (offsets >= 0) & (offsets < side)
    return inside
