"""Rows that are collected batch by batch, in memory or in a temporary file."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from training.data.rows import Rows, RowStore, chunks
from training.data.unnamed_file import UnnamedFile
from weir.errors import Unavailable


class RowSpool:
    """Collects rows batch by batch: in memory, and in a temporary file once they take more than some bytes."""

    def __init__(self, most_bytes: int, stored: np.dtype[Any] | None = None) -> None:
        """Begin without rows.

        Args:
            most_bytes: rows that take more are kept in a file.
            stored: datatype of rows in the file; None: their own.
        """
        self._most, self._stored = most_bytes, stored
        self._batches: list[NDArray[Any]] = []
        self._like: NDArray[Any] | None = None
        self._file: UnnamedFile | None = None
        self._count = self._bytes = 0

    def append(self, batch: NDArray[Any]) -> None:
        """Add rows, of the datatype and the shape of those before.

        Raises:
            Unavailable: the file can't be written.
            ValueError: they have another datatype or shape.
        """
        like = self._like = batch[:0] if self._like is None else self._like
        if (batch.dtype, batch.shape[1:]) != (like.dtype, like.shape[1:]):
            got = f"{batch.dtype} {batch.shape[1:]}"
            raise ValueError(f"batches have rows of {like.dtype} {like.shape[1:]}. Got: {got}")
        self._batches.append(batch)
        self._count += len(batch)
        self._bytes += batch.nbytes
        if self._bytes > self._most:
            self._write()

    def _write(self) -> None:
        try:
            if self._file is None:
                self._file = UnnamedFile()
            while self._batches:
                batch = self._batches.pop(0)
                self._file.write(np.ascontiguousarray(batch.astype(self._stored or batch.dtype, copy=False)).tobytes())
        except OSError as exc:
            rule = "rows that are larger than data.memory_mb can't be kept in a temporary file; TMPDIR names its folder"
            raise Unavailable(rule, exc) from exc

    def finished(self) -> Rows:
        """Return all rows, in the order in which they came.

        Raises:
            Unavailable: the file can't be written.
            ValueError: no batch was added.
        """
        if self._like is None:
            raise ValueError("rows come in batches. Got: none")
        if self._file is None:
            return self._batches[0] if len(self._batches) == 1 else np.concatenate(self._batches)
        try:
            self._file.flush()
        except OSError as exc:
            raise Unavailable("rows can't be kept in a temporary file", exc) from exc
        dtype, shape = self._like.dtype, self._like.shape[1:]
        return RowStore(self._file, self._stored or dtype, dtype, shape, np.arange(self._count))


def spooled(batches: Iterable[NDArray[Any]], stored: np.dtype[Any] | None = None) -> Rows:
    """Keep rows in a file. Raises `Unavailable`."""
    spool = RowSpool(-1, stored)
    for batch in batches:
        spool.append(batch)
    return spool.finished()


def joined(parts: Sequence[Rows]) -> Rows:
    """Put rows one behind the other: in memory, unless some of them are kept in a file. Raises `Unavailable`."""
    in_memory = [part for part in parts if not isinstance(part, RowStore)]
    if len(in_memory) == len(parts):
        return np.concatenate(in_memory)
    dtype = np.result_type(*(part.dtype for part in parts))
    return spooled(chunk.astype(dtype) for part in parts for chunk in chunks(part))


def changed(rows: Rows, change: Callable[[NDArray[Any]], NDArray[Any]]) -> Rows:
    """Change rows, some at a time; `change` may write into the rows that it gets."""
    if not isinstance(rows, RowStore):
        return change(rows.copy())
    return spooled((change(chunk) for chunk in chunks(rows)), rows.stored)
