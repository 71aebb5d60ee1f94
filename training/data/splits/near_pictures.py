"""Which pictures are nearly equal: their difference hashes, then their pixels."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from training.data.rows import Rows, by_chunk, row_bytes
from weir.catalog.inputs import Picture

_SIDE = 8
_BANDS = 4
"""16 bits each: hashes that differ in at most 3 bits have one in common"""
_BITS = 3
_DIFFERENCE = 0.02
"""mean difference of pixels, as a share of their range"""
_BYTES = 16 << 20
"""of the pictures that are compared at a time, about"""


def picture_keys(
    rows: Rows, picture: Picture
) -> tuple[list[NDArray[np.uint64]], Callable[[NDArray[np.intp], NDArray[np.intp]], NDArray[np.bool_]]]:
    """Return four keys of each picture `(n, height, width[, 3])`, and the comparison of pairs."""
    hashes = by_chunk(_hashes, rows)
    each = max(1, _BYTES // row_bytes(rows))
    bands = [_band(hashes, number) for number in range(_BANDS)]
    black, white = picture.range

    def same(first: NDArray[np.intp], second: NDArray[np.intp]) -> NDArray[np.bool_]:
        yes = _bits(hashes[first] ^ hashes[second]) <= _BITS
        places = np.flatnonzero(yes)
        for start in range(0, len(places), each):
            part = places[start : start + each]
            a, b = (rows[one[part]].reshape(len(part), -1).astype(np.float32) for one in (first, second))
            yes[part] = np.abs(a - b).mean(axis=1) <= _DIFFERENCE * (white - black)
        return yes

    return bands, same


def _band(hashes: NDArray[np.uint64], number: int) -> NDArray[np.uint64]:
    """Put 16 bits of a hash in front of the others: in the order of these keys, the most similar are neighbours."""
    shift = np.uint64(16 * number)
    return (hashes >> shift) | (hashes << (np.uint64(64) - shift)) if number else hashes


def _bits(values: NDArray[np.uint64]) -> NDArray[np.int64]:
    counts: NDArray[np.int64] = np.unpackbits(values.view(np.uint8).reshape(-1, 8), axis=1).sum(axis=1, dtype=np.int64)
    return counts


def _hashes(rows: NDArray[np.generic]) -> NDArray[np.uint64]:
    """Compute dHashes (Krawetz 2013): whether each of 8 x 8 cells is brighter than the one to its right."""
    grey = rows.astype(np.float32)
    grey = grey.mean(axis=3) if grey.ndim == 4 else grey  # noqa: PLR2004 (rows, height, width, channels)
    cells = _pooled(_pooled(grey, 1, _SIDE), 2, _SIDE + 1)
    bits = np.packbits((cells[:, :, 1:] > cells[:, :, :-1]).reshape(len(rows), -1), axis=1)
    return bits.view(np.uint64)[:, 0]


def _pooled(grey: NDArray[np.float32], axis: int, cells: int) -> NDArray[np.float32]:
    """Average along an axis to so many cells; of fewer values, some are there twice."""
    size = grey.shape[axis]
    edges = np.arange(cells) * size // cells
    ends = np.maximum((np.arange(cells) + 1) * size // cells, edges + 1)
    sums = np.concatenate([np.zeros_like(np.take(grey, [0], axis)), np.cumsum(grey, axis, dtype=np.float32)], axis)
    shape = [1, 1, 1]
    shape[axis] = cells
    pooled: NDArray[np.float32] = (np.take(sums, ends, axis) - np.take(sums, edges, axis)) / (ends - edges).reshape(
        shape
    )
    return pooled
