"""What a model reads, as its manifest describes it: a tagged union of kinds of input."""

import math
from collections.abc import Sequence
from typing import Annotated, Any, Literal

import msgspec
import numpy as np

from weir.catalog.columns import Category, Column, Number, width
from weir.errors import BadManifest

Datatype = Literal[
    "BOOL", "UINT8", "UINT16", "UINT32", "UINT64", "INT8", "INT16", "INT32", "INT64", "FP16", "FP32", "FP64"
]
"""of the arrays that networks read"""

BYTES = "BYTES"
"""datatype of the protocol for texts and files"""

DTYPES: dict[str, np.dtype[Any]] = {
    "BOOL": np.dtype("?"),
    "UINT8": np.dtype("u1"),
    "UINT16": np.dtype("<u2"),
    "UINT32": np.dtype("<u4"),
    "UINT64": np.dtype("<u8"),
    "INT8": np.dtype("i1"),
    "INT16": np.dtype("<i2"),
    "INT32": np.dtype("<i4"),
    "INT64": np.dtype("<i8"),
    "FP16": np.dtype("<f2"),
    "FP32": np.dtype("<f4"),
    "FP64": np.dtype("<f8"),
}
"""datatype of the protocol -> NumPy's, little-endian as the protocol's bytes are; BYTES has none"""

CHANNELS = (1, 3)
"""of a picture: grey, or red, green and blue"""


Sample = Annotated[int, msgspec.Meta(ge=0, le=255)]
"""red, green or blue of a colour"""


class TensorMetadata(msgspec.Struct, frozen=True, kw_only=True):
    """Name, datatype and shape of a tensor in requests or answers; -1 stands for any number of rows."""

    name: str
    datatype: str
    shape: tuple[int, ...]


class _Shaped(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind"):
    """An input whose rows all have one shape."""

    name: str
    shape: tuple[int, ...]
    """-1 (any number of rows) first"""
    datatype: Datatype = "FP32"
    meaning: str = ""
    """what a value stands for, in words"""

    @property
    def row_shape(self) -> tuple[int, ...]:
        """The shape of one row."""
        return self.shape[1:]

    @property
    def row_values(self) -> int:
        """How many values one row has."""
        return math.prod(self.row_shape)

    @property
    def dtype(self) -> np.dtype[Any]:
        """The datatype as NumPy has it."""
        return DTYPES[self.datatype]

    @property
    def tensors(self) -> tuple[TensorMetadata, ...]:
        """The tensors that requests send: the array that networks read."""
        return (TensorMetadata(name=self.name, datatype=self.datatype, shape=self.shape),)


class Picture(_Shaped, frozen=True, kw_only=True, tag="picture"):
    """Pixels `[-1, height, width]`, or with 1 or 3 channels behind: sent as a tensor, or as a PNG or JPEG."""

    range: tuple[float, float] = (0.0, 255.0)
    """the values of black and of white"""
    background: tuple[Sample, Sample, Sample] | None = None
    """red, green and blue of what shows through where a picture is transparent; None: white or black, whichever is
    further from the brightness of what is visible"""

    @property
    def height(self) -> int:
        """Rows of pixels."""
        return self.shape[1]

    @property
    def width(self) -> int:
        """Columns of pixels."""
        return self.shape[2]

    @property
    def channels(self) -> int:
        """1 for grey, 3 for red, green and blue."""
        return self.shape[3] if len(self.shape) > 3 else 1  # noqa: PLR2004 (rows, height, width, channels)


class Tensor(_Shaped, frozen=True, kw_only=True, tag="tensor"):
    """Numbers of any shape, sent as a tensor: what a network made elsewhere reads."""


class _Encoded(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind"):
    """An input that requests send in other tensors than the one array that networks read."""

    name: str
    """of the array, in artifacts"""
    meaning: str = ""
    """what a row stands for, in words"""


class Table(_Encoded, frozen=True, kw_only=True, tag="table"):
    """Named columns, each a tensor of its own; networks read one FP32 array `[-1, values]`.

    A row of that array has the values of the columns in their order.
    """

    columns: tuple[Column, ...]

    @property
    def row_values(self) -> int:
        """How many values one row of the array has."""
        return sum(map(width, self.columns))

    @property
    def row_shape(self) -> tuple[int, ...]:
        """The shape of one row of the array."""
        return (self.row_values,)

    @property
    def dtype(self) -> np.dtype[Any]:
        """The datatype of the array, as NumPy has it."""
        return DTYPES["FP32"]

    @property
    def tensors(self) -> tuple[TensorMetadata, ...]:
        """The tensors that requests send: one for each column."""
        return tuple(TensorMetadata(name=one.name, datatype=_datatype(one), shape=(-1,)) for one in self.columns)


class Text(_Encoded, frozen=True, kw_only=True, tag="text"):
    """UTF-8 texts; networks read one INT32 array `[-1, most_bytes]`: the bytes, and 0 behind the end."""

    most_bytes: int
    """what is longer is cut"""

    @property
    def row_values(self) -> int:
        """How many values one row of the array has."""
        return self.most_bytes

    @property
    def row_shape(self) -> tuple[int, ...]:
        """The shape of one row of the array."""
        return (self.most_bytes,)

    @property
    def dtype(self) -> np.dtype[Any]:
        """The datatype of the array, as NumPy has it."""
        return DTYPES["INT32"]

    @property
    def tensors(self) -> tuple[TensorMetadata, ...]:
        """The tensor that requests send."""
        return (TensorMetadata(name=self.name, datatype=BYTES, shape=(-1,)),)


def _datatype(column: Column) -> str:
    return column.datatype if isinstance(column, Number) else BYTES


Input = Picture | Tensor | Table | Text

MAX_TEXT_BYTES = 65_536
"""of a text that a network reads"""


def could_be_picture(shape: tuple[int, ...], datatype: Datatype, limits: tuple[float, float]) -> bool:
    """Tell whether an input of this shape and datatype can be a picture with these values for black and white."""
    return _is_picture_shape(shape) and _holds(datatype, limits)


def check_inputs(inputs: Sequence[Input]) -> None:
    """Refuse inputs that no network can read. Raises `BadManifest`."""
    names = [one.name for one in inputs]
    if not names or len(set(names)) != len(names):
        raise BadManifest("a model has inputs, all of different names", names)
    tensors = [tensor.name for one in inputs for tensor in one.tensors]
    if len(set(tensors)) != len(tensors):
        raise BadManifest("the tensors and columns of a model all have different names", tensors)
    for one in inputs:
        match one:
            case Table():
                _check_table(one)
            case Text():
                if not 1 <= one.most_bytes <= MAX_TEXT_BYTES:
                    raise BadManifest(f"a text has 1 to {MAX_TEXT_BYTES} bytes", one.most_bytes)
            case Picture() | Tensor():
                if one.shape[:1] != (-1,) or not one.row_shape or min(one.row_shape) < 1:
                    raise BadManifest("an input has the shape [-1, then sizes of at least 1]", one.shape)
        if isinstance(one, Picture):
            _check_picture(one)


def _check_table(one: Table) -> None:
    if not one.columns:
        raise BadManifest("a table has columns", one.name)
    for column in one.columns:
        if isinstance(column, Category) and len(set(column.vocabulary)) != len(column.vocabulary):
            raise BadManifest(f"the vocabulary of {column.name} has each entry once", column.vocabulary)


def _check_picture(one: Picture) -> None:
    if not _is_picture_shape(one.shape):
        raise BadManifest("a picture has the shape [-1, height, width], or 1 or 3 channels behind them", one.shape)
    black, white = one.range
    if not (-math.inf < black < white < math.inf and _holds(one.datatype, one.range)):
        raise BadManifest(f"the range of a picture is black, then more for white, both {one.datatype}", one.range)


def _is_picture_shape(shape: tuple[int, ...]) -> bool:
    sizes = shape[1:]
    return len(sizes) == 2 or (len(sizes) == 3 and sizes[2] in CHANNELS)  # noqa: PLR2004 (height, width, channels)


def _holds(datatype: Datatype, limits: tuple[float, float]) -> bool:
    """Tell whether a datatype has the two values."""
    dtype = DTYPES[datatype]
    if dtype.kind == "b":
        return limits[0] >= 0 and limits[1] <= 1
    info = np.finfo(dtype) if dtype.kind == "f" else np.iinfo(dtype)
    return float(info.min) <= limits[0] and limits[1] <= float(info.max)
