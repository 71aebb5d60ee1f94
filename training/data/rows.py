"""Rows in memory, or in a file when they are larger than memory: both are read by their numbers."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from training.data.unnamed_file import UnnamedFile
from weir.errors import Unavailable

Numbers = NDArray[np.intp]

_GAP = 8
"""rows between two wanted ones that are read along, rather than by a read of their own"""
_CHUNK = 16 << 20
"""bytes of rows that are gone through at a time, about"""


@dataclass(frozen=True)
class RowStore:
    """Rows of a file, or some of them in another order, read as those of an array `(rows, …)` are.

    Rows are read with `pread`, so that the kernel's cache may hold them and the process does not.
    """

    file: UnnamedFile
    stored: np.dtype[Any]
    """of a row's values in the file; of several inputs, a field for each"""
    dtype: np.dtype[Any]
    """of the rows that are read"""
    row_shape: tuple[int, ...]
    numbers: Numbers
    """of the rows in the file, in their order here"""
    field: str | None = None
    """the only field that is read; None: all"""

    def __len__(self) -> int:
        """Count the rows."""
        return len(self.numbers)

    @property
    def shape(self) -> tuple[int, ...]:
        """As an array has it."""
        return (len(self), *self.row_shape)

    def chosen(self, rows: Numbers) -> "RowStore":
        """Choose rows by their numbers here, without reading them."""
        return replace(self, numbers=self.numbers[rows])

    def of(self, field: str) -> "RowStore":
        """Choose one field of rows of several inputs."""
        assert self.dtype.fields is not None
        one = self.dtype.fields[field][0]
        return replace(self, dtype=one.base, row_shape=one.shape, field=field)

    def read_as(self, dtype: np.dtype[Any]) -> "RowStore":
        """Read rows as another datatype."""
        return replace(self, dtype=dtype)

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
            for part in filter(len, np.split(np.arange(len(order)), ends)):
                first, last = order[part[[0, -1]]].tolist()
                read[part] = self._read(first, last + 1)[order[part] - first]
        except (OSError, ValueError) as exc:
            raise Unavailable("the rows that are kept in a temporary file can't be read", exc) from exc
        found: NDArray[Any] = read[places.reshape(-1)]
        return found[0] if np.isscalar(rows) else found

    def _read(self, start: int, end: int) -> NDArray[Any]:
        shape = () if self.field is not None else self.row_shape
        each = self.stored.itemsize * int(np.prod(shape, dtype=np.int64))
        content = self.file.read(start * each, (end - start) * each)
        whole = np.frombuffer(content, self.stored).reshape(end - start, *shape)
        with np.errstate(over="ignore"):  # what is too large for FP32 becomes infinite
            return (whole if self.field is None else whole[self.field]).astype(self.dtype, copy=False)


Rows = NDArray[Any] | RowStore
"""`(rows, …)`; of several inputs `(rows,)`, with a field for each"""


def take(rows: Rows, numbers: Numbers) -> Rows:
    """Choose rows by their numbers; those of a file are not read."""
    return rows.chosen(numbers) if isinstance(rows, RowStore) else rows[numbers]


def of_input(rows: Rows, name: str) -> Rows:
    """Choose an input; rows of one input are all of it."""
    if rows.dtype.names is None:
        return rows
    return rows.of(name) if isinstance(rows, RowStore) else rows[name]


def chunks(rows: Rows) -> Iterator[NDArray[Any]]:
    """Go through rows some at a time, in their order."""
    each = max(1, _CHUNK // row_bytes(rows))
    for start in range(0, max(1, len(rows)), each):
        yield rows[start : start + each]


def row_bytes(rows: Rows) -> int:
    """Return the bytes of a row, as it is read."""
    return rows.dtype.itemsize * int(np.prod(rows.shape[1:], dtype=np.int64)) or 1


def by_chunk(function: Callable[[NDArray[Any]], NDArray[Any]], rows: Rows) -> NDArray[Any]:
    """Compute something of each row, some rows at a time: rows `(n, …)` -> `(n, …)`."""
    found = [function(chunk) for chunk in chunks(rows)]
    return found[0] if len(found) == 1 else np.concatenate(found)
