"""Read the INPUT of `weir predict` (a picture, .npy or .json) as requests of the Open Inference Protocol."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from weir.api.inference import RequestBody
from weir.catalog.inputs import Datatype, Tensor
from weir.errors import BadInput, BadTensor
from weir.inputs.finite import finite_rule, infinite_rows
from weir.inputs.npy import read_npy
from weir.inputs.reader import reader_for
from weir.protocol.requests import MAX_ROWS

Shape = tuple[int, ...]

_DATATYPE: Datatype = "FP32"
"""of the requests that are made here"""

_PICTURES = {".png": "image/png", ".jpg": "image/jpeg", ".jpeg": "image/jpeg"}


def requests(path: Path, name: str, shape: Shape) -> Iterator[RequestBody]:
    """Read a file as one or more requests, each of at most 1,024 rows; a picture is sent unchanged.

    Args:
        path: a .png or .jpg picture, a .npy of one row or of rows, or a .json: a request of the protocol, or
            nested numbers.
        name: of the model's input.
        shape: of one row.

    Raises:
        BadInput: the file is none of them, can't be read, or has rows of another shape.
    """
    content = read(path, "INPUT")
    suffix = path.suffix.lower()
    if suffix == ".json" and isinstance(document := _json(content), dict):
        yield RequestBody(content)
        return
    if suffix in _PICTURES:
        yield RequestBody(content, picture=_PICTURES[suffix])
        return
    if suffix == ".json":
        values = _numbers(document)
    elif suffix == ".npy":
        values = read_npy(content).values().astype(np.float64)
    else:
        raise BadInput("INPUT is a .png, .jpg, .npy or .json", str(path))
    rows = _rows(values, Tensor(name=name, shape=(-1, *shape), datatype=_DATATYPE))
    for start in range(0, len(rows), MAX_ROWS):
        yield RequestBody(request(name, rows[start : start + MAX_ROWS]))


def read(path: Path, argument: str) -> bytes:
    """Read the file that a person named as an argument of a command. Raises `BadInput`."""
    try:
        return path.read_bytes()
    except OSError as exc:
        raise BadInput(f"{argument} is a file that can be read", exc) from exc


def request(name: str, rows: NDArray[np.floating[Any]]) -> bytes:
    """Write rows as the body of a request."""
    tensor = {"name": name, "shape": rows.shape, "datatype": _DATATYPE, "data": rows.ravel().tolist()}
    return msgspec.json.encode({"inputs": [tensor]})


def _rows(values: NDArray[np.float64], one: Tensor) -> NDArray[np.float64]:
    """Take one row or many, each of the model's shape or flat, as `(rows, *shape)`."""
    single = values.shape in {one.row_shape, (one.row_values,)}
    try:
        rows: NDArray[np.float64] = reader_for(one).from_array(values[None] if single else values)
    except BadTensor as exc:
        raise BadInput(f"INPUT is one row of shape {list(one.row_shape)}, or rows of it, or flat", exc.got) from exc
    if not len(rows):
        raise BadInput("INPUT has at least one row", list(values.shape))
    with np.errstate(over="ignore"):
        bad = infinite_rows(rows.astype(np.float32))
    if bad:
        raise BadInput(finite_rule(_DATATYPE), f"NaN or infinity in row {bad[0]}")
    return rows


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
