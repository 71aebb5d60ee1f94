"""The datatypes of tensors: JSON values and bytes -> arrays, and back to bytes."""

import math
import struct
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from weir.errors import BadTensor
from weir.tensors import DTYPES

Array = NDArray[Any]

_floats = msgspec.json.Decoder(list[float])
_any = msgspec.json.Decoder(float_hook=float)

_LEAVES: dict[str, tuple[type, ...]] = {"f": (int, float), "i": (int,), "u": (int,), "b": (bool,)}
_CALLED = {"f": "numbers", "i": "whole numbers", "u": "whole numbers", "b": "true and false"}


def from_json(data: msgspec.Raw, datatype: str, count: int) -> Array:
    """Read `count` values `(count,)`, row-major at any nesting.

    Raises:
        BadTensor: it is no list of such values, of another count, or a value is beyond the datatype.
    """
    dtype = DTYPES[datatype]
    values = _decoded(data, dtype)
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
    if dtype.kind == "b" and not np.isin(np.frombuffer(data, np.uint8), (0, 1)).all():
        raise BadTensor("a BOOL is a byte of 0 or 1", "another byte")
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


def _decoded(data: msgspec.Raw, dtype: np.dtype[Any]) -> list[Any]:
    if dtype.kind == "f":
        try:
            return _floats.decode(data)
        except msgspec.ValidationError:  # nested, or not numbers
            pass
    rule = f"data is a list of {_CALLED[dtype.kind]}, at any nesting"
    try:
        nested = _any.decode(data)
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError) as exc:
        raise BadTensor(rule, exc) from exc
    if not isinstance(nested, list):
        raise BadTensor(rule, nested)
    kinds = _LEAVES[dtype.kind]
    found = list(
        leaves(nested, lambda part: isinstance(part, kinds) and isinstance(part, bool) == (bool in kinds), rule)
    )
    return [_float(value) for value in found] if dtype.kind == "f" else found


def leaves(nested: list[Any], is_value: Callable[[object], bool], rule: str) -> Iterator[Any]:
    """Flatten row-major, in one pass whatever the nesting, and without recursion.

    Raises:
        BadTensor: something is neither a list nor a value.
    """
    lists = [iter(nested)]
    while lists:
        for part in lists[-1]:
            if isinstance(part, list):
                lists.append(iter(part))
                break
            if not is_value(part):
                raise BadTensor(rule, part)
            yield part
        else:
            lists.pop()


def _float(value: float) -> float:
    try:
        return float(value)
    except OverflowError:  # an integer beyond any float
        return math.inf
