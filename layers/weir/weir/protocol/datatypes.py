"""Values of tensors: JSON and bytes -> arrays, and arrays -> bytes."""

import struct
from collections.abc import Sequence
from typing import Any

import msgspec
import numpy as np
import pybase64
from numpy.typing import NDArray

from weir.catalog.inputs import BYTES, DTYPES
from weir.errors import BadTensor
from weir.inputs.finite import check_finite
from weir.inputs.values import Values
from weir.protocol.nesting import JsonType, flat

Array = NDArray[Any]

_JSON_TYPES: dict[str, JsonType] = {"f": float, "i": int, "u": int, "b": bool}
"""kind of NumPy's datatype -> type of JSON's values"""


def from_json(data: msgspec.Raw, datatype: str, count: int) -> Array:
    """Read `count` values `(count,)`, row-major at any nesting.

    Raises:
        BadTensor: it is no list of such values, of another count, or a value is beyond the datatype.
    """
    dtype = DTYPES[datatype]
    values = flat(data, _JSON_TYPES[dtype.kind], count)
    if len(values) != count:
        raise BadTensor(f"data has {count} values", len(values))
    if datatype == "FP32":
        try:
            packed = struct.pack(f"<{count}f", *values)  # in a third of np.array's time
            return check_finite(np.frombuffer(packed, dtype), datatype, values)
        except OverflowError:  # the lines below name the value
            pass
    if dtype.kind in "iu" and count:
        limits = np.iinfo(dtype)
        for extreme in (min(values), max(values)):
            if not limits.min <= extreme <= limits.max:
                raise BadTensor(f"values of {datatype} are {limits.min} to {limits.max}", extreme)
    with np.errstate(over="ignore"):
        return check_finite(np.array(values, dtype), datatype, values)


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
    return check_finite(values if values.flags.aligned else values.copy(), datatype, values)


_any = msgspec.json.Decoder(list[Any], float_hook=float)


def column_from_json(data: msgspec.Raw, count: int) -> Values:
    """Read `count` values of a column, one a row, each by itself or in a list of its own: what they are is not checked.

    Raises:
        BadTensor: it is no list, or of another count.
    """
    try:
        values = _any.decode(data)
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError) as exc:
        raise BadTensor("data is a list of values, one a row", exc) from exc
    if len(values) != count:
        raise BadTensor(f"data has {count} values", len(values))
    return alone(values)


def alone(values: list[Any]) -> list[Any]:
    """Take values out of lists of one, as the shape [-1, 1] has them. Raises `BadTensor` for other lists."""
    if not values or type(values[0]) is not list:
        return values
    if not all(type(value) is list and len(value) == 1 for value in values):
        raise BadTensor("data is a list of values, or of lists of one value each", "others")
    return [value[0] for value in values]


def files_from_json(data: msgspec.Raw, count: int) -> list[bytes]:
    """Read `count` files in base64, each a text, or TensorFlow Serving's `{"b64": text}`. Raises `BadTensor`."""
    rule = "files are texts in base64"
    files = []
    for value in column_from_json(data, count):
        text = value.get("b64") if isinstance(value, dict) else value
        if not isinstance(text, str):
            raise BadTensor(rule, value)
        try:
            files.append(pybase64.b64decode(text, validate=True))
        except ValueError as exc:
            raise BadTensor(rule, exc) from exc
    return files


def column_from_bytes(data: memoryview, datatype: str, count: int) -> Values:
    """Read `count` values of a column from their bytes: texts, each behind its length, or numbers, NaN among them.

    Raises:
        BadTensor: the bytes are more or fewer, or a text is not UTF-8.
    """
    if datatype == BYTES:
        return [_text(content, row) for row, content in enumerate(files_from_bytes(data, count))]
    dtype = DTYPES[datatype]
    if len(data) != count * dtype.itemsize:
        raise BadTensor(f"{count} values of {datatype} are {count * dtype.itemsize} bytes", len(data))
    return np.frombuffer(data, np.uint8 if dtype.kind == "b" else dtype)


def files_from_bytes(data: memoryview, count: int) -> list[bytes]:
    """Read `count` values of BYTES, each behind its length. Raises `BadTensor` for bytes that are more or fewer."""
    values: list[bytes] = []
    at = 0
    while len(values) < count and at + _LENGTH_BYTES <= len(data):
        start = at + _LENGTH_BYTES
        at = start + int.from_bytes(data[at:start], "little")
        values.append(bytes(data[start:at]))
    if len(values) != count or at != len(data):
        raise BadTensor(f"{count} values of BYTES, each behind its length in 4 bytes, fill the bytes", len(data))
    return values


def _text(content: bytes, row: int) -> str:
    try:
        return content.decode()
    except UnicodeDecodeError as exc:
        raise BadTensor("texts are UTF-8", f"{exc}, in row {row}") from exc


_LENGTH_BYTES = 4
"""of a text, little-endian, before it"""


def to_bytes(values: Array | Sequence[str]) -> bytes:
    """Write values as the protocol's bytes; texts have their length, 4 bytes, before them."""
    if isinstance(values, np.ndarray):
        return np.ascontiguousarray(values, values.dtype.newbyteorder("<")).tobytes()
    texts = [text.encode() for text in values]
    return b"".join(part for text in texts for part in (len(text).to_bytes(4, "little"), text))
