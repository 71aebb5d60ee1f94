"""Requests of the Open Inference Protocol, and the inputs they are for."""

import json
from typing import Any

from weir.catalog.inputs import Input, Picture, Tensor
from weir.inputs.rows import RowReader
from weir.inputs.tensor import InputRows
from weir.protocol import requests

IMAGE = (Picture(name="image", shape=(-1, 4, 4)),)
PAIR = (Tensor(name="a", shape=(-1, 2)), Tensor(name="b", shape=(-1, 3), datatype="INT32"))

INTEGERS = ("UINT8", "UINT16", "UINT32", "UINT64", "INT8", "INT16", "INT32", "INT64")
FLOATS = ("FP16", "FP32", "FP64")


def tensor(name: str, shape: list[int], datatype: str = "FP32", **other: object) -> dict[str, Any]:
    """Make one input of a request."""
    return {"name": name, "shape": shape, "datatype": datatype, **other}


def behind(name: str, shape: list[int], datatype: str, size: int) -> dict[str, Any]:
    """Make one input whose values stand behind the JSON."""
    return tensor(name, shape, datatype, parameters={"binary_data_size": size})


def document(*tensors: dict[str, Any], **other: object) -> bytes:
    """Make the JSON of a request."""
    return json.dumps({"inputs": tensors, **other}).encode()


def read(content: bytes, header_length: int | None = None, inputs: tuple[Input, ...] = IMAGE) -> InputRows:
    """Read the rows of a request."""
    reader = RowReader(inputs)
    return requests.rows(requests.decode(content, header_length, reader), reader)
