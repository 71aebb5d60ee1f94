"""Which pictures training can't use."""

import numpy as np
from numpy.typing import NDArray

from training.modalities.modality import Masks
from weir.catalog.inputs import Picture
from weir.engine.arrays import Floats
from weir.errors import BadInput


def as_rows(inputs: NDArray[np.generic], picture: Picture) -> Floats:
    """Return the raw values of a data set as rows `(rows, height, width)`, or with channels behind, in float32.

    Raises:
        BadInput: the values have another shape than the input, are none, or are no numbers.
    """
    if inputs.shape[1:] != picture.row_shape or not len(inputs):
        sizes = ", ".join(map(str, picture.row_shape))
        raise BadInput(f"pictures have the shape (rows, {sizes})", inputs.shape)
    if inputs.dtype.kind not in "fiub":
        raise BadInput("pixels are numbers", inputs.dtype)
    with np.errstate(over="ignore"):
        return inputs.astype(np.float32)


def unusable(rows: Floats, picture: Picture) -> Masks:
    """Mark the rows that training can't use: reason -> mask `(rows,)`, true where it applies."""
    black, white = picture.range
    flat = rows.reshape(len(rows), -1)
    with np.errstate(invalid="ignore"):
        return {
            "not_finite": ~np.isfinite(flat).all(axis=1),
            "out_of_range": (flat < black).any(axis=1) | (flat > white).any(axis=1),
            "constant_row": (flat == flat[:, :1]).all(axis=1),
        }


def constant_inputs(rows: Floats) -> int:
    """Count the pixels that have one value in all rows."""
    flat = rows.reshape(len(rows), -1)
    return int((flat == flat[0]).all(axis=0).sum())
