"""The datatypes of tensors: JSON values and bytes -> arrays, and back to bytes."""

import struct
from collections.abc import Sequence
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from weir.errors import BadTensor
from weir.inputs.tensor import DTYPES
from weir.protocol.nesting import flat

Array = NDArray[Any]

_KINDS: dict[str, type[float | int | bool]] = {"f": float, "i": int, "u": int, "b": bool}
"""kind of NumPy's datatype -> of JSON's values"""


def from_json(data: msgspec.Raw, datatype: str, count: int) -> Array:
    """Read `count` values `(count,)`, row-major at any nesting.

    Raises:
        BadTensor: it is no list of such values, of another count, or a value is beyond the datatype.
    """
    dtype = DTYPES[datatype]
    values = flat(data, _KINDS[dtype.kind], count)
    if len(values) != count:
        raise BadTensor(f"data has {count} values", len(values))
    if datatype == "FP32":
        try:
            packed = struct.pack(f"<{count}f", *values)  # in a third of np.array's time
            return _finite(np.frombuffer(packed, dtype), datatype, values)
        except OverflowError:  # the lines below say which value
            pass
    if dtype.kind in "iu" and count:
        limits = np.iinfo(dtype)
        for extreme in (min(values), max(values)):
            if not limits.min <= extreme <= limits.max:
                raise BadTensor(f"values of {datatype} are {limits.min} to {limits.max}", extreme)
    with np.errstate(over="ignore"):
        return _finite(np.array(values, dtype), datatype, values)


def from_bytes(data: memoryview, datatype: str, count: int) -> Array:
    """Read `count` values `(count,)` from their little-endian bytes, without a copy where they are aligned.

    Raises:
        BadTensor: the bytes are more or fewer, or a value is not finite.
    """
    dtype = DTYPES[datatype]
    if len(data) != count * dtype.itemsize:
        raise BadTensor(f"{count} values of {datatype} are {count * dtype.itemsize} bytes", len(data))
    if dtype.kind == "b" and (largest := np.frombuffer(data, np.uint8).max(initial=0)) > 1:
        raise BadTensor("a BOOL is a byte of 0 or 1", largest)
    values = np.frombuffer(data, dtype)
    return _finite(values if values.flags.aligned else values.copy(), datatype, values)


def to_bytes(values: Array | Sequence[str]) -> bytes:
    """Write values as the protocol's bytes; texts have their length, 4 bytes, before them."""
    if isinstance(values, np.ndarray):
        return np.ascontiguousarray(values, values.dtype.newbyteorder("<")).tobytes()
    texts = [text.encode() for text in values]
    return b"".join(part for text in texts for part in (len(text).to_bytes(4, "little"), text))


def _finite(array: Array, datatype: str, came: Array | list[Any]) -> Array:
    if array.dtype.kind == "f" and not (finite := np.isfinite(array)).all():
        raise BadTensor(f"values are finite in {datatype}", came[int(np.argmin(finite))])
    return array
