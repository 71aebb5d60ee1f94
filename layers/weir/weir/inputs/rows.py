"""Rows of a model: one array for all of its inputs."""

from collections.abc import Sequence

import numpy as np

from weir.catalog.inputs import Input
from weir.errors import UnsupportedMedia
from weir.inputs.reader import reader_for
from weir.inputs.tensor import NO_FILES, InputRows


def joined(arrays: Sequence[InputRows], inputs: Sequence[Input]) -> InputRows:
    """Make one array of rows of the arrays `(n, …)` of each input."""
    if len(arrays) == 1:
        return arrays[0]
    rows = np.empty(len(arrays[0]), [(one.name, one.dtype, one.row_shape) for one in inputs])
    for one, array in zip(inputs, arrays, strict=True):
        rows[one.name] = array
    return rows


def zeros(inputs: Sequence[Input], count: int = 1) -> InputRows:
    """Make rows of zeros."""
    return joined([reader_for(one).zeros(count) for one in inputs], inputs)


def from_file(content: bytes, media_type: str, inputs: Sequence[Input]) -> InputRows:
    """Read a file, such as a PNG, as one row of a model with one input.

    Raises:
        UnsupportedMedia: the model has several inputs, or reads no files of this type.
        TooLarge: the file has more pixels, or takes more time or memory, than a request may.
        BadBody: it can't be decoded.
    """
    if len(inputs) != 1:
        raise UnsupportedMedia(NO_FILES, media_type)
    return reader_for(inputs[0]).from_file(content, media_type)
