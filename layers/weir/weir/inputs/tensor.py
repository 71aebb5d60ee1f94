"""A tensor: numbers of one shape."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from weir.catalog.inputs import Picture, Tensor
from weir.engine.arrays import Floats
from weir.errors import BadTensor, UnsupportedMedia
from weir.inputs.finite import check_finite
from weir.inputs.values import Values

InputRows = NDArray[Any]
"""`(n, …)` of a model with one input; of several, `(n,)` with a field for each"""

NO_FILES = "pictures are for models whose one input is a picture; others take tensors"
"""why a file is refused"""


@dataclass(frozen=True)
class TensorReader:
    """Reads the rows of a tensor, and of a picture that is sent as one."""

    described: Tensor | Picture

    def from_values(self, values: Mapping[str, Values], count: int) -> InputRows:
        """Take the array of this input, of `count` rows, as it is. Raises `BadTensor` for another shape."""
        one, rows = self.described, np.asarray(values[self.described.name])
        if rows.shape != (count, *one.row_shape):
            raise BadTensor(f"{one.name} has {count} rows of the shape {list(one.row_shape)}", rows.shape)
        return rows

    def from_file(self, content: bytes, media_type: str) -> InputRows:
        """Refuse a file: no file is a tensor. Raises `UnsupportedMedia`."""
        del content
        raise UnsupportedMedia(NO_FILES, media_type)

    def from_array(self, array: NDArray[Any]) -> InputRows:
        """Give rows `(n, *shape)` or flat rows `(n, values)` the shape `(n, *shape)`; their datatype stays.

        Raises:
            BadTensor: they have another shape.
        """
        one = self.described
        if array.shape[1:] not in {one.row_shape, (one.row_values,)}:
            raise BadTensor(f"rows have the shape {list(one.row_shape)}, or {one.row_values} values", array.shape[1:])
        return array.reshape(len(array), *one.row_shape)

    def from_cells(self, cells: Mapping[str, Sequence[str]], count: int) -> InputRows:
        """Refuse columns: a tensor has no names for its values. Raises `BadTensor`."""
        del count
        raise BadTensor(f"a .csv has no column for the tensor {self.described.name}", ", ".join(cells))

    def from_line(self, cells: Sequence[str]) -> Floats:
        """Read the values of one row, row-major, from their texts: `(*shape)` in FP32.

        Raises:
            BadTensor: they are more or fewer, no numbers, or not finite.
        """
        one = self.described
        if len(cells) != one.row_values:
            raise BadTensor(f"a row has {one.row_values} values", len(cells))
        try:
            with np.errstate(over="ignore"):
                values = np.array(cells, np.float64).astype(np.float32)
        except ValueError as exc:
            raise BadTensor("a row holds numbers", exc) from exc
        return check_finite(values, "FP32", cells).reshape(one.row_shape)

    def zeros(self, count: int) -> InputRows:
        """Make rows of zeros `(count, *shape)`."""
        return np.zeros((count, *self.described.row_shape), self.described.dtype)
