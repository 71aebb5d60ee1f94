"""Rows larger than memory, a window of them at a time."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from training.data.rows import Rows, RowStore, row_bytes
from training.data.splits.split import Indices

_BYTES = 64 << 20
"""of a window, about; two are in memory, as the next is read while networks learn from one"""
_BLOCK = 32
"""rows that are next to each other in the file, and are read together"""


def windows(rows: Rows, batch_size: int, random: np.random.Generator) -> Iterator[tuple[Indices, NDArray[Any]]]:
    """Read all rows once, in windows of whole batches: the numbers of their rows `(n,)`, and these rows `(n, …)`.

    Rows in memory are one window. Those of a file come in windows of about 64 MiB, each of many blocks of neighbours,
    drawn at random from the whole file: the order of a file, such as one label after the other, does not matter.
    """
    if not isinstance(rows, RowStore):
        yield np.arange(len(rows)), rows
        return
    parts = divided(len(rows), _size(rows, batch_size), random)
    signature = tf.TensorSpec((None, row_bytes(rows)), tf.uint8)
    read = tf.data.Dataset.from_generator(lambda: map(_bytes, map(rows.__getitem__, parts)), output_signature=signature)
    for numbers, content in zip(parts, read.prefetch(1).as_numpy_iterator(), strict=True):
        yield numbers, np.frombuffer(content, rows.dtype).reshape(len(numbers), *rows.row_shape)


def _size(rows: RowStore, batch_size: int) -> int:
    return batch_size * max(1, _BYTES // (batch_size * row_bytes(rows)))


def _bytes(rows: NDArray[Any]) -> NDArray[np.uint8]:
    """Return rows as tensors have them, which know no fields."""
    return np.frombuffer(np.ascontiguousarray(rows), np.uint8).reshape(len(rows), -1)


def divided(count: int, size: int, random: np.random.Generator) -> list[Indices]:
    """Divide the numbers of rows into windows of `size`, the last of fewer; each has whole blocks, where they fit."""
    starts = _BLOCK * random.permutation(-(-count // _BLOCK))
    order = (starts[:, None] + np.arange(_BLOCK)).reshape(-1)
    order = order[order < count]
    return [np.sort(order[start : start + size]) for start in range(0, count, size)]
