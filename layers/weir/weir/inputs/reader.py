"""The interface of readers, and the one of each kind of input."""

from collections.abc import Sequence
from typing import Any, Protocol

from numpy.typing import NDArray

from weir.catalog.inputs import Input, Picture, Tensor
from weir.inputs.picture import PictureReader
from weir.inputs.tensor import InputRows, TensorReader


class Reader(Protocol):
    """Interface that every kind of input implements."""

    def from_file(self, content: bytes, media_type: str) -> InputRows:
        """Read a file of this media type as one row. Raises `BadInput`."""

    def from_array(self, array: NDArray[Any]) -> InputRows:
        """Take the rows of an array, whole or flat, in its own datatype. Raises `BadTensor`."""

    def from_cells(self, cells: Sequence[str]) -> InputRows:
        """Read one row from a line of texts, as a .csv has it. Raises `BadTensor`."""

    def zeros(self, count: int) -> InputRows:
        """Make rows of zeros."""


def reader_for(one: Input) -> Reader:
    """Choose the reader of an input."""
    match one:
        case Picture():
            return PictureReader(one)
        case Tensor():
            return TensorReader(one)
