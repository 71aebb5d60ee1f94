"""The body of an inference request -> the message, and the rows of its tensors."""

import math
from collections.abc import Sequence

import msgspec
from msgspec import Struct

from weir.catalog.inputs import BYTES, DTYPES, Picture, Tensor, TensorMetadata
from weir.catalog.promises import PredictionSets, Quantile
from weir.errors import BadBody, BadTensor
from weir.inputs.picture_structure import PICTURES
from weir.inputs.rows import RowReader
from weir.inputs.tensor import InputRows
from weir.inputs.values import Values
from weir.protocol.datatypes import (
    column_from_bytes,
    column_from_json,
    files_from_bytes,
    files_from_json,
    from_bytes,
    from_json,
)
from weir.protocol.messages import (
    IndexRequest,
    InferRequest,
    InputParameters,
    InputTensor,
    RequestedOutput,
    RequestParameters,
)
from weir.protocol.raw_json import why, without_mark

MAX_ROWS = 1024
"""rows in one request"""

_FORM = (
    'the body is a JSON object {"inputs": [{"name", "shape", "datatype", "data"}]}, with parameters as /openapi.json '
    "describes them"
)
_decoder = msgspec.json.Decoder(InferRequest)
_index = msgspec.json.Decoder(IndexRequest)


class DecodedRequest(Struct, frozen=True):
    """A request whose JSON is decoded, and the bytes of its tensors that stand behind the JSON."""

    message: InferRequest
    binary: memoryview


def decode(content: bytes, header_length: int | None, reader: RowReader) -> DecodedRequest:
    """Read the body of an inference request.

    Args:
        content: the body.
        header_length: of its JSON, when tensors stand behind it; 0 when the body is the bytes of the one input, whole
            rows and nothing else; None when it is all JSON.
        reader: of the model's rows.

    Raises:
        BadBody: it is no such document, or has a parameter that this API knows and cannot honour.
        BadTensor: the bytes alone are no whole rows.
    """
    if header_length == 0:
        return _raw(content, reader)
    if header_length is not None and header_length > len(content):
        raise BadBody(f"Inference-Header-Content-Length is at most the body's {len(content)} bytes", header_length)
    split = len(content) if header_length is None else header_length
    try:
        message = _decoder.decode(without_mark(content if split == len(content) else memoryview(content)[:split]))
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError) as exc:
        if content.startswith(PICTURES):
            raise BadBody("a picture is sent with Content-Type: image/png or image/jpeg", "a picture without") from exc
        raise BadBody(_FORM, why(content, exc)) from exc
    _check_outputs(message)
    _check_content_types(message, reader)
    behind = sum(size for tensor in message.inputs if (size := tensor.binary_data_size) is not None)
    if behind != len(content) - split:
        raise BadBody(
            f"the binary_data_size of all inputs adds up to the {len(content) - split} bytes behind the JSON", behind
        )
    return DecodedRequest(message, memoryview(content)[split:])


def _raw(content: bytes, reader: RowReader) -> DecodedRequest:
    """Read bytes alone as rows of the one input; the answer is binary, too, as Triton's is."""
    if reader.plain is None:
        rule = "a body of bytes alone (Inference-Header-Content-Length: 0) is for models of one tensor of numbers"
        raise BadBody(rule, ", ".join(reader.tensors))
    only = reader.plain.described
    row_bytes = only.row_values * only.dtype.itemsize
    if not content or len(content) % row_bytes:
        raise BadTensor(f"a body of bytes alone is whole rows of {row_bytes} bytes", len(content))
    tensor = InputTensor(
        name=only.name,
        shape=[len(content) // row_bytes, *only.row_shape],
        datatype=only.datatype,
        parameters=InputParameters(binary_data_size=len(content)),
    )
    parameters = RequestParameters(binary_data_output=True)
    return DecodedRequest(InferRequest(inputs=[tensor], parameters=parameters), memoryview(content))


def _check_outputs(message: InferRequest) -> None:
    names = [output.name for output in message.outputs or ()]
    if len(set(names)) != len(names):
        raise BadTensor("each output is requested once", names)


def _check_content_types(message: InferRequest, reader: RowReader) -> None:
    """Refuse MLServer's codecs that do not go with what the model reads."""
    for part in (message, *message.inputs, *(message.outputs or ())):
        given = part.parameters and part.parameters.content_type
        if given is not None and given not in reader.content_types:
            taken = ", ".join(reader.content_types)
            raise BadBody(_FORM, f"parameters.content_type {given}, where this model takes {taken}")


def decode_index(content: bytes) -> IndexRequest:
    """Read the body of a request for the index, which may be empty. Raises `BadBody`."""
    try:
        return _index.decode(without_mark(content) or b"{}")
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError) as exc:
        raise BadBody('the body is empty, or a JSON object {"ready": true or false}', exc) from exc


def rows(request: DecodedRequest, reader: RowReader) -> InputRows:
    """Read the rows, n from 1 to 1,024, of the model's inputs.

    Raises:
        BadTensor: a name, datatype, shape, count or value is not the model's.
    """
    tensors = request.message.inputs
    if reader.plain is not None and len(tensors) == 1 and tensors[0].datatype != BYTES:  # most models: the short way
        only, spec = tensors[0], reader.plain.described
        reader.check_names([only.name])
        _check(only, spec)
        return _values(only, request.binary if only.binary_data_size is not None else None)
    reader.check_names([tensor.name for tensor in tensors])
    values: dict[str, Values] = {}
    at = 0
    for tensor in tensors:
        size = tensor.binary_data_size
        if (known := reader.tensors.get(tensor.name)) is not None:
            binary = None if size is None else request.binary[at : at + size]
            values[tensor.name] = _read(tensor, known, binary, reader)
        at += size or 0
    counts = [len(given) for given in values.values()]
    check_rows(counts[0])
    check_equal_rows(counts)
    return reader.from_values(values, counts[0])


def _read(tensor: InputTensor, spec: TensorMetadata, binary: memoryview | None, reader: RowReader) -> Values:
    """Read the values of one tensor: of a column or text, of files of pictures, or of an array."""
    if len(spec.shape) == 1:
        return _column(tensor, spec, binary)
    if tensor.datatype == BYTES and spec.name in reader.pictures:
        return _files(tensor, binary)
    _check(tensor, spec)
    return _values(tensor, binary)


def _column(tensor: InputTensor, spec: TensorMetadata, binary: memoryview | None) -> Values:
    """Read a column or texts, `(n,)`, of shape [n] or [n, 1]; numbers may have any datatype of numbers."""
    datatype = tensor.datatype
    if (datatype == BYTES) != (spec.datatype == BYTES) or (datatype != BYTES and datatype not in DTYPES):
        raise BadTensor(f"the datatype of {spec.name} is {spec.datatype}", datatype)
    count, data = _column_rows(tensor), _data(tensor, binary)
    try:
        if data is None:
            assert binary is not None
            return column_from_bytes(binary, datatype, count)
        return column_from_json(data, count)
    except BadTensor as exc:
        raise BadTensor(f"{tensor.name}: {exc.rule}", exc.got) from exc


def _files(tensor: InputTensor, binary: memoryview | None) -> Values:
    """Read pictures as files, PNG or JPEG: in base64 in the JSON, or behind it as they are."""
    count, data = _column_rows(tensor), _data(tensor, binary)
    try:
        if data is None:
            assert binary is not None
            return files_from_bytes(binary, count)
        return files_from_json(data, count)
    except BadTensor as exc:
        raise BadTensor(f"{tensor.name}: {exc.rule}", exc.got) from exc


def _column_rows(tensor: InputTensor) -> int:
    """Return the number of rows of a column of shape [n] or [n, 1]. Raises `BadTensor`."""
    if len(tensor.shape) not in {1, 2} or tensor.shape[1:] not in ([], [1]):
        raise BadTensor(f"the shape of {tensor.name} is [-1] or [-1, 1], -1 for the rows", tensor.shape)
    check_rows(tensor.shape[0])
    return tensor.shape[0]


def check_rows(count: int) -> None:
    """Refuse a number of rows that no request may have. Raises `BadTensor`."""
    if not 1 <= count <= MAX_ROWS:
        raise BadTensor(f"a request has 1 to {MAX_ROWS} rows", count)


def check_equal_rows(counts: list[int]) -> None:
    """Refuse inputs whose numbers of rows differ. Raises `BadTensor`."""
    if len(set(counts)) > 1:
        raise BadTensor("all inputs have as many rows", counts)


def _check(tensor: InputTensor, one: TensorMetadata | Tensor | Picture) -> None:
    if tensor.datatype != one.datatype:
        raise BadTensor(f"the datatype of {one.name} is {one.datatype}", tensor.datatype)
    if tuple(tensor.shape[1:]) != one.shape[1:] or len(tensor.shape) != len(one.shape):
        raise BadTensor(f"the shape of {one.name} is {list(one.shape)}, -1 for the rows", tensor.shape)
    check_rows(tensor.shape[0])


def _values(tensor: InputTensor, binary: memoryview | None) -> InputRows:
    count, data = math.prod(tensor.shape), _data(tensor, binary)
    try:
        if data is None:
            assert binary is not None
            return from_bytes(binary, tensor.datatype, count).reshape(tensor.shape)
        return from_json(data, tensor.datatype, count).reshape(tensor.shape)
    except BadTensor as exc:
        raise BadTensor(f"{tensor.name}: {exc.rule}", exc.got) from exc


def _data(tensor: InputTensor, binary: memoryview | None) -> msgspec.Raw | None:
    """Return the values of a tensor in the JSON; None where they stand behind it. Raises `BadTensor`."""
    data = tensor.values
    if (binary is None) == (data is None):
        got = "both" if binary is not None else "neither"
        raise BadTensor(f"{tensor.name} has either data or binary_data_size", got)
    return data


def wanted(message: InferRequest, known: Sequence[str]) -> list[RequestedOutput]:
    """List the outputs to compute: those requested, or all; `set` only where the parameter alpha goes with it.

    Raises:
        BadTensor: an output that the model does not have.
        BadBody: a parameter that does not go with the outputs.
    """
    parameters = message.settings
    for output in message.outputs or ():
        if output.name not in known:
            raise BadTensor(f"outputs of the model are {', '.join(known)}", output.name)
        if output.classification is not None and output.name != "probabilities":
            raise BadBody("classification (class_count) goes with the output probabilities", output.name)
    outputs = message.outputs or [
        RequestedOutput(name=name) for name in known if name != "set" or parameters.alpha is not None
    ]
    has_sets = any(output.name == "set" for output in outputs)
    if has_sets and parameters.alpha is None:
        raise BadBody("the output set goes with the request's parameter alpha", "none")
    if not has_sets and (parameters.alpha is not None or parameters.per_label is not None):
        raise BadBody("alpha and per_label go with the output set of a cascade that has sets", "no such output")
    return outputs


def is_binary(output: RequestedOutput, parameters: RequestParameters) -> bool:
    """Tell whether an output's values go behind the JSON: by its own parameter, else by the request's."""
    own = output.binary_data
    return parameters.binary_data_output is True if own is None else own


def set_parameters(parameters: RequestParameters, promised: PredictionSets) -> tuple[Quantile, bool]:
    """Choose the prediction sets of a request: the entry of its alpha, and whether they hold for each label.

    Raises:
        BadBody: an alpha that the version has no sets for.
    """
    alpha, per_label = parameters.alpha, parameters.per_label is True
    quantile = None if alpha is None else promised.quantile(alpha)
    if quantile is None:
        raise BadBody(f"alpha is one of {', '.join(f'{one.alpha:g}' for one in promised.quantiles)}", alpha)
    if per_label and quantile.least_per_label is None:
        raise BadBody("per_label is true where the version has sets per label", alpha)
    return quantile, per_label
