"""Encoded rows in a file, read by their numbers: data larger than memory."""

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from weir.errors import Unavailable

Numbers = NDArray[np.intp]

_GAP = 8
"""rows between two wanted ones that are read along, rather than by a read of their own"""


@dataclass(frozen=True)
class RowStore:
    """Rows of a file, or some of them in another order; takes the place of an array `(rows, …)` in a `Split`.

    Rows are read with `pread`, so that the kernel's cache may hold them and the process does not.
    """

    path: Path
    dtype: np.dtype[Any]
    """of a row's values; of several inputs, a field for each"""
    row_shape: tuple[int, ...]
    numbers: Numbers
    """of the rows in the file, in their order here"""

    def __len__(self) -> int:
        """Count the rows."""
        return len(self.numbers)

    @property
    def shape(self) -> tuple[int, ...]:
        """As an array has it."""
        return (len(self), *self.row_shape)

    def chosen(self, rows: Numbers) -> "RowStore":
        """Choose rows by their numbers here, without reading them."""
        return RowStore(self.path, self.dtype, self.row_shape, self.numbers[rows])

    def __getitem__(self, rows: int | slice | NDArray[Any]) -> NDArray[Any]:
        """Read rows into memory, as indexing of an array does.

        Raises:
            Unavailable: the file can't be read.
        """
        wanted = np.atleast_1d(self.numbers[rows])
        order, places = np.unique(wanted, return_inverse=True)
        read = np.empty((len(order), *self.row_shape), self.dtype)
        ends = np.flatnonzero(np.diff(order) > _GAP) + 1
        try:
            with self.path.open("rb", buffering=0) as file:
                for part in filter(len, np.split(np.arange(len(order)), ends)):
                    first, last = order[part[[0, -1]]].tolist()
                    read[part] = self._read(file.fileno(), first, last + 1)[order[part] - first]
        except OSError as exc:
            raise Unavailable(f"the rows of {self.path.name} can't be read", exc) from exc
        found: NDArray[Any] = read[places.reshape(-1)]
        return found[0] if np.isscalar(rows) else found

    def _read(self, file: int, start: int, end: int) -> NDArray[Any]:
        size = (end - start) * self._row_bytes
        content = bytearray(size)
        view, done = memoryview(content), 0
        while done < size:
            got = os.preadv(file, [view[done:]], start * self._row_bytes + done)
            if not got:
                raise OSError(f"it ends before row {end}")
            done += got
        return np.frombuffer(content, self.dtype).reshape(end - start, *self.row_shape)

    @property
    def _row_bytes(self) -> int:
        return self.dtype.itemsize * int(np.prod(self.row_shape, dtype=np.int64))


def written(path: Path, batches: Iterable[NDArray[Any]]) -> RowStore:
    """Write rows, batch by batch, and return them all. The batches have one datatype and one shape of a row.

    Raises:
        Unavailable: the file can't be written.
        ValueError: there is no batch, or one differs from the first.
    """
    dtype: np.dtype[Any] | None = None
    shape: tuple[int, ...] = ()
    count = 0
    try:
        with path.open("wb") as file:
            for batch in batches:
                if dtype is None:
                    dtype, shape = batch.dtype, batch.shape[1:]
                if (batch.dtype, batch.shape[1:]) != (dtype, shape):
                    raise ValueError(f"batches have rows of {dtype} {shape}. Got: {batch.dtype} {batch.shape[1:]}")
                file.write(np.ascontiguousarray(batch).tobytes())
                count += len(batch)
    except OSError as exc:
        raise Unavailable(f"rows can't be written to {path}", exc) from exc
    if dtype is None:
        raise ValueError("a store has rows. Got: none")
    return RowStore(path, dtype, shape, np.arange(count))
