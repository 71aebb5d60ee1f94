"""An array of a `.npz` file, some rows at a time."""

import zipfile
from collections.abc import Iterator
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

_BYTES = 16 << 20
"""of rows that are read at a time, about"""


def unpacked_bytes(path: str) -> int:
    """Return the bytes of all arrays of a file. Raises `OSError` and `zipfile.BadZipFile`."""
    with zipfile.ZipFile(path) as archive:
        return sum(member.file_size for member in archive.infolist())


def names(path: str) -> set[str]:
    """Name the arrays of a file. Raises `OSError` and `zipfile.BadZipFile`."""
    with zipfile.ZipFile(path) as archive:
        return {member.removesuffix(".npy") for member in archive.namelist()}


def batches(path: str, name: str) -> Iterator[NDArray[Any]]:
    """Read the rows of an array, at least once.

    Raises:
        ValueError: it holds objects, is in Fortran's order or a single number, or ends too early.
        OSError: the file can't be read.
        KeyError: it has no such array.
        zipfile.BadZipFile: it is no archive, or damaged.
    """
    with zipfile.ZipFile(path) as archive, archive.open(f"{name}.npy") as file:
        shape, fortran, dtype = _header(file)
        if fortran or dtype.hasobject or not shape:
            raise ValueError(f"{name} is larger than memory, and not rows of numbers in C's order")
        row_bytes = dtype.itemsize * int(np.prod(shape[1:], dtype=np.int64))
        each, left = max(1, _BYTES // max(1, row_bytes)), shape[0]
        while True:
            count = min(each, left)
            content = file.read(count * row_bytes)
            yield np.frombuffer(content, dtype, count * row_bytes // dtype.itemsize).reshape(count, *shape[1:])
            left -= count
            if not left:
                return


def _header(file: IO[bytes]) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    """Read shape, order and datatype (the format: https://numpy.org/doc/stable/reference/generated/numpy.lib.format)."""
    version = np.lib.format.read_magic(file)  # type: ignore[no-untyped-call]
    read: Any = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    header: tuple[tuple[int, ...], bool, np.dtype[Any]] = read(file)
    return header
