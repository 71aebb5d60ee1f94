"""Read the INPUT of `weir predict` (a picture, .npy or .json) as requests of the Open Inference Protocol."""

import math
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
from weir.inputs.tensor import TensorReader
from weir.protocol.requests import MAX_ROWS

Document = dict[str, Any]

_DATATYPE: Datatype = "FP32"
"""of the requests that are made here"""
_DTYPE = np.dtype("<f4")
_MAX_BYTES = 4_000_000
"""of the rows of one request, and of their answer: in base64, what Lambda passes on, less the JSON around them"""
_ANSWER_BYTES = 24
"""of one value of an answer, written as text"""

_PICTURES = {".png": "image/png", ".jpg": "image/jpeg", ".jpeg": "image/jpeg"}


def requests(path: Path, metadata: Document) -> Iterator[RequestBody]:
    """Read a file as one or more requests, each of rows that the API takes at once; a picture is sent unchanged.

    Args:
        path: a .png or .jpg picture, a .npy of one row or of rows, or a .json: a request of the protocol, or
            nested numbers.
        metadata: of the model, as the protocol describes it.

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
    if len(metadata["inputs"]) != 1:
        names = [one["name"] for one in metadata["inputs"]]
        raise BadInput("INPUT for a model of several inputs is a .json, a request of the protocol", names)
    only = metadata["inputs"][0]
    yield from of_rows(
        _rows(values, Tensor(name=only["name"], shape=tuple(only["shape"]), datatype=_DATATYPE)), metadata
    )


def of_rows(rows: NDArray[np.floating[Any]], metadata: Document) -> Iterator[RequestBody]:
    """Write rows as requests in binary form, each with as many rows as the API takes and answers at once.

    Args:
        rows: `(rows, *shape)` of the model's only input.
        metadata: of the model, as the protocol describes it.
    """
    name = metadata["inputs"][0]["name"]
    answered = sum(math.prod(output["shape"][1:]) for output in metadata["outputs"])
    row_bytes = max(_DTYPE.itemsize * math.prod(rows.shape[1:]), _ANSWER_BYTES * answered)
    count = max(1, min(MAX_ROWS, _MAX_BYTES // row_bytes))
    for start in range(0, len(rows), count):
        yield _binary(name, rows[start : start + count])


def read(path: Path, argument: str) -> bytes:
    """Read the file that a person named as an argument of a command. Raises `BadInput`."""
    try:
        return path.read_bytes()
    except OSError as exc:
        raise BadInput(f"{argument} is a file that can be read", exc) from exc


def _binary(name: str, rows: NDArray[np.floating[Any]]) -> RequestBody:
    values = rows.astype(_DTYPE).tobytes()
    header = _message(name, rows, parameters={"binary_data_size": len(values)})
    return RequestBody(header + values, header_length=len(header))


def request(name: str, rows: NDArray[np.floating[Any]]) -> bytes:
    """Write rows as the body of a request that a person can read."""
    return _message(name, rows, data=rows.ravel().tolist())


def _message(name: str, rows: NDArray[np.floating[Any]], **values: object) -> bytes:
    return msgspec.json.encode({"inputs": [{"name": name, "shape": rows.shape, "datatype": _DATATYPE, **values}]})


def _rows(values: NDArray[np.float64], one: Tensor) -> NDArray[np.float64]:
    """Take one row or many, each of the model's shape or flat, as `(rows, *shape)`."""
    single = values.shape in {one.row_shape, (one.row_values,)}
    try:
        rows: NDArray[np.float64] = TensorReader(one).from_array(values[None] if single else values)
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
