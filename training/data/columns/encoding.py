"""From values to the arrays that networks read: the one place of training that calls `weir.inputs` for it."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from training.task import PictureKeys
from weir.catalog.inputs import Input, Picture, Table, Text
from weir.inputs.picture import PictureReader
from weir.inputs.table import TableReader
from weir.inputs.text import TextReader
from weir.inputs.values import Values

MEDIA_TYPES = {".png": "image/png", ".jpg": "image/jpeg", ".jpeg": "image/jpeg"}
"""extension of a picture -> the type that requests give it"""


def picture(name: str, keys: PictureKeys, channels: int) -> Picture:
    """Describe the input that pictures of a task become."""
    shape = (-1, *keys.size) if channels == 1 else (-1, *keys.size, channels)
    return Picture(name=name, shape=shape, meaning="raw pixel values, 0 to 255", background=keys.background)


def encoded_picture(one: Picture, content: bytes, extension: str) -> NDArray[np.float32]:
    """Decode a file as the row `(1, …)`. Raises `BadInput` for a file that can't be decoded."""
    return PictureReader(one).from_file(content, MEDIA_TYPES[extension]).astype(np.float32)


def encoded_table(one: Table, values: Mapping[str, Values], count: int) -> NDArray[np.float32]:
    """Encode rows `(count, values)`. Raises `BadInput`."""
    return TableReader(one).from_values(values, count)


def encoded_texts(one: Text, texts: Sequence[str]) -> NDArray[np.int32]:
    """Encode rows `(n, most_bytes)`. Raises `BadInput`."""
    return TextReader(one).encoded(texts)


def stored_dtype(inputs: Sequence[Input]) -> np.dtype[Any]:
    """Return the datatype that loses nothing of rows which are encoded here: pixels and bytes of texts are bytes."""
    each = [np.dtype(np.uint8) if isinstance(one, Picture | Text) else one.dtype for one in inputs]
    if len(each) == 1:
        return each[0]
    return np.dtype([(one.name, dtype, one.row_shape) for one, dtype in zip(inputs, each, strict=True)])
