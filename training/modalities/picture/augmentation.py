"""Random changes to training pictures, as a network's description requests: mirrored, moved, partly erased, resized.

Pictures are `(n, height, width)`, or with channels behind.
"""

import numpy as np
from numpy.typing import NDArray

from training.modalities.picture.jitter import recoloured
from training.task import NetworkSpec
from weir.engine.arrays import Floats

_HALF = 0.5
"""share of pictures that are mirrored, or lose a square"""

Limits = tuple[float, float]
"""raw values of black and of white"""


def augmented(pictures: Floats, spec: NetworkSpec, random: np.random.Generator, limits: Limits = (0, 255)) -> Floats:
    """Change pictures at random; their values stay within the limits."""
    pictures = flipped(pictures, random.random(len(pictures)) < (_HALF if spec.flip else 0))
    if spec.scale:
        pictures = resized(pictures, random.uniform(1 - spec.scale, 1 + spec.scale, len(pictures)))
    if spec.shift:
        pictures = shifted(pictures, spec.shift, random)
    if spec.colour:
        pictures = recoloured(pictures, spec.colour, random, limits)
    if spec.erase:
        pictures = erased(pictures, spec.erase, random, limits)
    return pictures


def flipped(pictures: Floats, mirrored: NDArray[np.bool_]) -> Floats:
    """Mirror the chosen pictures left to right."""
    return np.where(_to_all(mirrored, pictures), pictures[:, :, ::-1], pictures)


def shifted(pictures: Floats, most: int, random: np.random.Generator) -> Floats:
    """Move each picture by up to `most` pixels in each direction; its edge fills the gap."""
    height, width = pictures.shape[1:3]
    around = ((0, 0), (most, most), (most, most), (0, 0))[: pictures.ndim]
    padded = np.pad(pictures, around, mode="edge")
    tops, lefts = random.integers(0, 2 * most + 1, (2, len(pictures)))
    return np.stack([one[y : y + height, x : x + width] for one, y, x in zip(padded, tops, lefts, strict=True)])


def resized(pictures: Floats, factors: NDArray[np.float64]) -> Floats:
    """Enlarge (above 1) or reduce each picture around its centre, bilinearly; its edge fills what becomes free."""
    return _stretched(_stretched(pictures, factors, 1), factors, 2)


def erased(pictures: Floats, side: int, random: np.random.Generator, limits: Limits = (0, 255)) -> Floats:
    """Erase a square in about half of the pictures; at an edge, the part of it inside.

    Grey becomes 0; pictures in colour get a random colour, for black would be a colour like others.
    Cutout: DeVries & Taylor 2017, arXiv 1708.04552.
    """
    count, height, width = pictures.shape[:3]
    tops, lefts = random.integers(0, height, count), random.integers(0, width, count)
    erase = random.random(count) < _HALF
    rows = _span(tops - side // 2, side, height)[:, :, None]
    columns = _span(lefts - side // 2, side, width)[:, None, :]
    inside = rows & columns & erase[:, None, None]
    if pictures.ndim == 3:  # noqa: PLR2004 (n, height, width)
        return np.where(inside, np.float32(0), pictures)
    colours = random.uniform(*limits, (count, 1, 1, pictures.shape[3])).astype(np.float32)
    return np.where(inside[..., None], colours, pictures)


def _stretched(pictures: Floats, factors: NDArray[np.float64], axis: int) -> Floats:
    """Resize along one axis: the value at `x` is that at `centre + (x - centre) / factor`, between two pixels."""
    size = pictures.shape[axis]
    centre = (size - 1) / 2
    places = centre + (np.arange(size) - centre)[None, :] / factors[:, None]
    places = np.clip(places, 0, size - 1)
    shape = [len(pictures), *(size if other == axis else 1 for other in range(1, pictures.ndim))]
    below = np.floor(places).astype(np.intp)
    share = (places - below).astype(np.float32).reshape(shape)
    first, second = (
        np.take_along_axis(pictures, np.minimum(place, size - 1).reshape(shape), axis) for place in (below, below + 1)
    )
    between: Floats = first + share * (second - first)
    return between


def _to_all(each: NDArray[np.bool_], pictures: Floats) -> NDArray[np.bool_]:
    """Give values `(n,)`, one for each picture, the axes of the pictures."""
    return each.reshape(-1, *[1] * (pictures.ndim - 1))


def _span(starts: NDArray[np.int64], side: int, size: int) -> NDArray[np.bool_]:
    """Mark which of `size` places lie within `side` places from each start: `(starts, size)`."""
    offsets = np.arange(size)[None, :] - starts[:, None]
    inside: NDArray[np.bool_] = (offsets >= 0) & (offsets < side)
    return inside
