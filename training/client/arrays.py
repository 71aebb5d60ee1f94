"""Rows that are arrays -> requests of the Open Inference Protocol."""

from collections.abc import Iterator
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from training.client.limits import Document, rows_per_request
from weir.api.inference import RequestBody
from weir.catalog.inputs import Picture, Tensor

Rows = NDArray[Any]
"""`(n, *shape)` of a model's only input"""


def requests(rows: Rows, one: Picture | Tensor, metadata: Document) -> Iterator[RequestBody]:
    """Write rows as requests in binary form, each with as many rows as the API takes and answers at once.

    Args:
        rows: `(rows, *shape)`.
        one: the model's only input.
        metadata: of the model, as the protocol describes it.
    """
    values = rows.astype(one.dtype)
    count = rows_per_request(values[:1].nbytes, metadata)
    for start in range(0, len(values), count):
        content = values[start : start + count].tobytes()
        header = _message(one, values[start : start + count], parameters={"binary_data_size": len(content)})
        yield RequestBody(header + content, header_length=len(header))


def request(rows: Rows, one: Picture | Tensor) -> bytes:
    """Write rows as the body of a request that a person can read."""
    exact = rows.astype(np.float64) if rows.dtype.kind == "f" else rows
    return _message(one, rows, data=exact.ravel().tolist())


def _message(one: Picture | Tensor, rows: Rows, **values: object) -> bytes:
    tensor = {"name": one.name, "shape": rows.shape, "datatype": one.datatype, **values}
    return msgspec.json.encode({"inputs": [tensor]})
