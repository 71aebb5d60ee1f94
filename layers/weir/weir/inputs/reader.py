"""The interface of readers, and the one of each kind of input."""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from numpy.typing import NDArray

from weir.catalog.inputs import Input, Picture, Table, Tensor, Text
from weir.inputs.picture import PictureReader
from weir.inputs.table import TableReader
from weir.inputs.tensor import TensorReader
from weir.inputs.text import TextReader
from weir.inputs.values import Values


class Reader(Protocol):
    """Interface that every kind of input implements; each verb returns the array `(n, …)` that networks read."""

    def from_values(self, values: Mapping[str, Values], count: int) -> NDArray[Any]:
        """Encode `count` rows from the values of the input's tensors, by name. Raises `BadTensor`."""

    def from_file(self, content: bytes, media_type: str) -> NDArray[Any]:
        """Read a file of this media type as one row. Raises `BadInput`."""

    def from_array(self, array: NDArray[Any]) -> NDArray[Any]:
        """Take the rows of an array, whole or flat, in its own datatype. Raises `BadTensor`."""

    def from_cells(self, cells: Mapping[str, Sequence[str]], count: int) -> NDArray[Any]:
        """Encode `count` rows from the cells of a .csv, by the names of its columns. Raises `BadTensor`."""

    def zeros(self, count: int) -> NDArray[Any]:
        """Make rows of zeros."""


def reader_for(one: Input) -> Reader:
    """Choose the reader of an input."""
    match one:
        case Picture():
            return PictureReader(one)
        case Tensor():
            return TensorReader(one)
        case Table():
            return TableReader(one)
        case Text():
            return TextReader(one)
