"""Bytes <-> tensors: the JSON form of the Open Inference Protocol (V2 REST)."""

import math
from collections.abc import Iterator
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from weir.errors import BadBody, BadTensor
from weir.manifest import TensorSpec
from weir.promises import PredictionSets, Quantile

MAX_ROWS = 1024
"""rows in one request"""

PARAMETERS = ("alpha", "per_label")
"""of a request that asks for the output `set`"""

Floats = NDArray[np.float32]


class InputTensor(msgspec.Struct, kw_only=True):
    """One input of a request; `data` is read row-major at any nesting."""

    name: str
    shape: list[int]
    datatype: str
    data: msgspec.Raw
    parameters: dict[str, Any] = {}


class RequestedOutput(msgspec.Struct, kw_only=True):
    """One output the caller asks for."""

    name: str
    parameters: dict[str, Any] = {}


class InferRequest(msgspec.Struct, kw_only=True):
    """The body of `POST …/infer`."""

    inputs: list[InputTensor]
    outputs: list[RequestedOutput] = []
    id: str = ""
    parameters: dict[str, Any] = {}


class OutputTensor(msgspec.Struct, kw_only=True):
    """One output of an answer, flat and row-major."""

    name: str
    shape: list[int]
    datatype: str
    data: list[Any]


class InferResponse(msgspec.Struct, kw_only=True, omit_defaults=True):
    """The answer to `POST …/infer`."""

    model_name: str
    model_version: str
    outputs: list[OutputTensor]
    id: str = ""


_request = msgspec.json.Decoder(InferRequest)
_flat = msgspec.json.Decoder(list[float])
_any = msgspec.json.Decoder(float_hook=float)


def decode_request(body: bytes) -> InferRequest:
    """Read the body of an inference request.

    Raises:
        BadBody: it is no JSON document of that form, or holds a parameter that this API does not know.
    """
    try:
        request = _request.decode(body)
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError) as exc:
        raise BadBody('the body is a JSON object {"inputs": [{"name", "shape", "datatype", "data"}]}', exc) from exc
    for parameters in (*(i.parameters for i in request.inputs), *(o.parameters for o in request.outputs)):
        if parameters:
            raise BadBody("inputs and outputs have no parameters here", ", ".join(parameters))
    if unknown := [name for name in request.parameters if name not in PARAMETERS]:
        raise BadBody(f"parameters of a request are {', '.join(PARAMETERS)}", ", ".join(unknown))
    return request


def rows(request: InferRequest, spec: TensorSpec) -> Floats:
    """Read the rows `(n, …)`, n from 1 to 1,024, of the model's one input.

    Raises:
        BadTensor: its name, datatype, shape, count or a value is not the model's.
    """
    if len(request.inputs) != 1 or request.inputs[0].name != spec.name:
        raise BadTensor(f"the one input is named {spec.name}", [tensor.name for tensor in request.inputs])
    tensor = request.inputs[0]
    if tensor.datatype != spec.datatype:
        raise BadTensor(f"the datatype of {spec.name} is {spec.datatype}", tensor.datatype)
    if tuple(tensor.shape[1:]) != spec.shape[1:] or len(tensor.shape) != len(spec.shape):
        raise BadTensor(f"the shape of {spec.name} is {list(spec.shape)}, -1 for the rows", tensor.shape)
    if not 1 <= tensor.shape[0] <= MAX_ROWS:
        raise BadTensor(f"a request has 1 to {MAX_ROWS} rows", tensor.shape[0])
    values = _values(tensor, math.prod(tensor.shape))
    return values.reshape(tensor.shape)


def _values(tensor: InputTensor, count: int) -> Floats:
    data = _decode_data(tensor)
    if len(data) != count:
        raise BadTensor(f"data of shape {tensor.shape} has {count} values", len(data))
    with np.errstate(over="ignore"):
        values = np.array(data, np.float32)
    if not np.isfinite(values).all():
        raise BadTensor("values are finite in FP32", data[int(np.argmin(np.isfinite(values)))])
    return values


def _decode_data(tensor: InputTensor) -> list[float]:
    try:
        return _flat.decode(tensor.data)
    except msgspec.ValidationError:  # nested, or not numbers
        pass
    try:
        nested = _any.decode(tensor.data)
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError) as exc:
        raise BadTensor(f"data of {tensor.name} is a list of numbers, at any nesting", exc) from exc
    if not isinstance(nested, list):
        raise BadTensor(f"data of {tensor.name} is a list of numbers, at any nesting", nested)
    return list(_numbers(nested))


def _numbers(nested: list[Any]) -> Iterator[float]:
    """Flatten row-major, in one pass whatever the nesting, and without recursion."""
    lists = [iter(nested)]
    while lists:
        for part in lists[-1]:
            if isinstance(part, list):
                lists.append(iter(part))
                break
            if isinstance(part, bool) or not isinstance(part, int | float):
                raise BadTensor("data is a list of numbers, at any nesting", part)
            yield _float(part)
        else:
            lists.pop()


def _float(value: float) -> float:
    try:
        return float(value)
    except OverflowError:  # an integer beyond any float
        return math.inf


def wanted(request: InferRequest, known: tuple[str, ...]) -> tuple[str, ...]:
    """Name the outputs to compute: those asked for, or all; `set` only where the parameter alpha goes with it.

    Raises:
        BadTensor: an output that the model does not have.
        BadBody: `set` without alpha, or its parameters without `set`.
    """
    names = tuple(output.name for output in request.outputs)
    for name in names:
        if name not in known:
            raise BadTensor(f"outputs of the model are {', '.join(known)}", name)
    names = names or tuple(name for name in known if name != "set" or "alpha" in request.parameters)
    if "set" in names and "alpha" not in request.parameters:
        raise BadBody("the output set goes with the request's parameter alpha", request.parameters)
    if request.parameters and "set" not in names:
        raise BadBody(
            f"{' and '.join(PARAMETERS)} go with the output set of the cascade", ", ".join(request.parameters)
        )
    return names


def set_parameters(request: InferRequest, promised: PredictionSets) -> tuple[Quantile, bool]:
    """Read which prediction sets a request asks for: the entry of its alpha, and whether the promise is per label.

    Raises:
        BadBody: an alpha that the version has no sets for, or no boolean.
    """
    alpha, per_label = request.parameters["alpha"], request.parameters.get("per_label", False)
    known = ", ".join(f"{one.alpha:g}" for one in promised.quantiles)
    found = None if isinstance(alpha, bool) or not isinstance(alpha, int | float) else promised.quantile(alpha)
    if found is None:
        raise BadBody(f"alpha is one of {known}", alpha)
    if not isinstance(per_label, bool) or (per_label and found.least_per_label is None):
        raise BadBody("per_label is true or false, true where the version has sets per label", per_label)
    return found, per_label


def encode_response(response: InferResponse) -> bytes:
    """Write an answer as JSON."""
    return msgspec.json.encode(response)
