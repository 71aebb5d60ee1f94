"""Reading a `.npy` file without trusting its header: `np.load` would reserve whatever memory that claims."""

import io
import math
from dataclasses import dataclass
from tokenize import TokenError
from typing import Any

import numpy as np
from numpy.typing import NDArray

from weir.errors import BadBody

_HEADERS: dict[tuple[int, int], Any] = {
    (1, 0): np.lib.format.read_array_header_1_0,
    (2, 0): np.lib.format.read_array_header_2_0,
}

_NOT_A_HEADER = (ValueError, LookupError, TypeError, TokenError, SyntaxError, RecursionError, MemoryError)
"""what NumPy raises while it parses a header, which it does with Python's own parser"""


@dataclass(frozen=True)
class Npy:
    """A `.npy` file: what its header claims, which may be anything, and its bytes."""

    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    fortran_order: bool
    content: bytes
    start: int
    """of the values, in bytes"""

    def values(self) -> NDArray[Any]:
        """Return the values in the shape that the header claims, without a copy.

        Raises:
            BadBody: the values are no real numbers, or do not have the size that the header claims.
        """
        if self.dtype.kind not in "fiub":
            raise BadBody("a .npy holds real numbers", self.dtype)
        size = len(self.content) - self.start
        if min(self.shape, default=0) < 0 or size != math.prod(self.shape) * self.dtype.itemsize:
            raise BadBody(f"a .npy of {self.dtype} {self.shape} is followed by exactly its values", f"{size} bytes")
        try:
            return np.ndarray(
                self.shape, self.dtype, self.content, self.start, order="F" if self.fortran_order else "C"
            )
        except (ValueError, OverflowError, TypeError) as exc:  # sizes beyond any array beside a zero, or True and False
            raise BadBody("a .npy has a shape that NumPy knows", exc) from exc


def read_npy(content: bytes) -> Npy:
    """Read the header of a `.npy`, of version 1.0 or 2.0. Raises `BadBody`."""
    stream = io.BytesIO(content)
    try:
        version = np.lib.format.read_magic(stream)  # type: ignore[no-untyped-call]
        shape, fortran_order, dtype = _HEADERS[version](stream)
    except _NOT_A_HEADER as exc:
        raise BadBody("a .npy is what numpy.save writes", exc) from exc
    return Npy(shape, dtype, fortran_order, content, stream.tell())
