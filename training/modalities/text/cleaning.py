"""Which texts training can't use."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from training.modalities.modality import Masks
from weir.catalog.inputs import Text
from weir.errors import BadInput

Rows = NDArray[Any]
"""texts as networks read them: INT32 `(n, most_bytes)`, UTF-8 bytes, and 0 behind the end"""

_BEYOND = 256
"""stands for every value that is no byte"""


def as_rows(inputs: NDArray[np.generic], text: Text) -> Rows:
    """Return the bytes of a data set's texts as rows `(rows, most_bytes)` in int32.

    Raises:
        BadInput: the array has another shape, no rows, or holds other values than whole numbers.
    """
    if inputs.shape[1:] != text.row_shape or not len(inputs):
        raise BadInput(f"texts have the shape (rows, {text.most_bytes})", inputs.shape)
    if inputs.dtype.kind not in "iu":
        raise BadInput("the bytes of texts are whole numbers", inputs.dtype)
    return np.clip(inputs, -1 if inputs.dtype.kind == "i" else 0, _BEYOND).astype(np.int32)


def unusable(rows: Rows) -> Masks:
    """Mark the rows that training can't use: reason -> mask `(rows,)`, true where it applies.

    A value is out of range if it is no byte, or is 0 with more of the text behind it.
    """
    gap = (rows[:, :-1] == 0) & (rows[:, 1:] != 0)
    return {
        "out_of_range": (rows < 0).any(axis=1) | (rows >= _BEYOND).any(axis=1) | gap.any(axis=1),
        "empty": (rows == 0).all(axis=1),
    }


def constant_inputs(rows: Rows) -> int:
    """Count the places that hold one byte in all texts; those behind the end of every text do not count."""
    return int(((rows == rows[0]).all(axis=0) & (rows[0] != 0)).sum())
