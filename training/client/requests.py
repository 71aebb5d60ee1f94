"""Turn the file of `weir predict` (a picture, .npy or .json) into requests of the Open Inference Protocol."""

import math
from collections.abc import Iterator
from pathlib import Path

import msgspec
import numpy as np
from numpy.typing import NDArray

from weir.api.inference import Call
from weir.errors import BadInput
from weir.protocol.requests import MAX_ROWS

Shape = tuple[int, ...]

_PICTURES = {".png": "image/png", ".jpg": "image/jpeg", ".jpeg": "image/jpeg"}


def requests(path: Path, name: str, shape: Shape) -> Iterator[Call]:
    """Read a file as one or more requests, each of at most 1,024 rows; a picture is sent as it is.

    Args:
        path: a .png or .jpg picture, a .npy of one row or of rows, or a .json: a request of the protocol, or
            nested numbers.
        name: of the model's input.
        shape: of one row.

    Raises:
        BadInput: the file is none of these, can't be read, or holds no row of that shape.
    """
    try:
        content = path.read_bytes()
    except OSError as exc:
        raise BadInput("INPUT is a file that can be read", exc) from exc
    suffix = path.suffix.lower()
    if suffix == ".json" and isinstance(document := _json(content), dict):
        yield Call(content)
        return
    if suffix in _PICTURES:
        yield Call(content, picture=_PICTURES[suffix])
        return
    if suffix == ".json":
        values = _numbers(document)
    elif suffix == ".npy":
        values = _npy(path)
    else:
        raise BadInput("INPUT is a .png, .jpg, .npy or .json", str(path))
    rows = _rows(values, shape)
    for start in range(0, len(rows), MAX_ROWS):
        yield Call(request(name, rows[start : start + MAX_ROWS]))


def request(name: str, rows: NDArray[np.float64]) -> bytes:
    """Write rows as the body of a request."""
    tensor = {"name": name, "shape": rows.shape, "datatype": "FP32", "data": rows.ravel().tolist()}
    return msgspec.json.encode({"inputs": [tensor]})


def _rows(values: NDArray[np.float64], shape: Shape) -> NDArray[np.float64]:
    """Reshape one row or many, each of the model's shape or flat, to `(rows, *shape)`."""
    count = math.prod(shape)
    fits = values.shape in {shape, (count,)} or (values.ndim > 1 and values.shape[1:] in {shape, (count,)})
    if not fits or not values.size:
        raise BadInput(f"INPUT is one row of shape {list(shape)}, or rows of it, or flat", list(values.shape))
    if not np.isfinite(values).all():
        raise BadInput("values are finite", values[~np.isfinite(values)][0])
    return values.reshape(-1, *shape)


def _json(content: bytes) -> object:
    try:
        return msgspec.json.decode(content)
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError) as exc:
        raise BadInput("a .json INPUT is JSON", exc) from exc


def _numbers(document: object) -> NDArray[np.float64]:
    try:
        return np.array(document, np.float64)
    except (ValueError, TypeError, OverflowError) as exc:
        raise BadInput("a .json INPUT is a request of the protocol, or numbers nested as the row is", exc) from exc


def _npy(path: Path) -> NDArray[np.float64]:
    try:
        array = np.load(path, allow_pickle=False, mmap_mode="r")
    except (ValueError, OSError, EOFError) as exc:
        raise BadInput("a .npy INPUT is what numpy.save writes", exc) from exc
    if array.dtype.kind not in "fiub":
        raise BadInput("a .npy INPUT holds real numbers", array.dtype)
    return np.array(array, np.float64)
