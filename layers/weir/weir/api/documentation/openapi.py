"""The document `/openapi.json` (OpenAPI 3.1), made from the table of routes and the types of the messages."""

from collections.abc import Iterable, Mapping, Sequence
from http import HTTPStatus
from types import MappingProxyType
from typing import Any

import msgspec

from weir import __version__
from weir.api.documentation.examples import Example, examples
from weir.api.gateway_events import HEADER_LENGTH
from weir.api.routes import ROUTES, Operation, Route
from weir.catalog import keys
from weir.catalog.mounts import CASCADE, END_TO_END, MOUNTS
from weir.inputs.picture import MEDIA_TYPES
from weir.protocol import messages
from weir.runtime.registry import Registry

Document = dict[str, Any]

_TAGS = {END_TO_END: "End-to-end", CASCADE: "Cascade"}
"""mount -> heading of its routes"""

_TYPES = (
    messages.InferRequest,
    messages.InferResponse,
    messages.ServerMetadata,
    messages.Live,
    messages.Ready,
    messages.ModelReady,
    messages.ModelMetadata,
    messages.ModelConfig,
    messages.Statistics,
    messages.IndexRequest,
    messages.IndexEntry,
    messages.ErrorMessage,
)

_DESCRIPTION = """\
The [Open Inference Protocol](https://github.com/kserve/open-inference-protocol) with binary tensors: below `/v2` the
end-to-end model answers, below `/cascade/v2` the cascade does. Request bodies may be compressed
(`Content-Encoding: gzip` or `deflate`); predictions are compressed with gzip when `Accept-Encoding` allows it. A wrong
verb gets 405 with `Allow`. Parameters that are not described here are ignored.

Clients of TensorFlow Serving and of KServe's V1 protocol send requests for the end-to-end model to
`POST /v1/models/{model}[/versions/{version}|/labels/{alias}]:predict`, as
[TensorFlow's REST API](https://www.tensorflow.org/tfx/serving/api_rest) describes.
"""
_BINARY = (
    "The JSON, followed by the values of its tensors; or, with the header 0, only whole rows of a model's one input."
)
_LENGTH = {"type": "integer", "minimum": 0, "maximum": 999_999_999}
_RAW = {"type": "string", "format": "binary"}
_NAMES = {"model": "A model's name.", "version": "A number or an alias."}

_REFUSALS = {
    HTTPStatus.BAD_REQUEST: "The request is wrong; sending it again fails again",
    HTTPStatus.NOT_FOUND: "No such model, version or alias",
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: "More bytes or pixels than a request may have",
    HTTPStatus.UNSUPPORTED_MEDIA_TYPE: "A media type or compression that is not read",
    HTTPStatus.INTERNAL_SERVER_ERROR: "An error in Weir itself",
    HTTPStatus.SERVICE_UNAVAILABLE: "The store or the model is unavailable; trying again may work",
}
_NAME_REFUSALS = (HTTPStatus.NOT_FOUND, HTTPStatus.SERVICE_UNAVAILABLE)
"""of operations that name a model"""
_BODY_REFUSALS = (HTTPStatus.BAD_REQUEST, HTTPStatus.REQUEST_ENTITY_TOO_LARGE, HTTPStatus.UNSUPPORTED_MEDIA_TYPE)
"""of operations that read a body"""

_GETS: dict[Operation, tuple[str, type]] = {
    "server": ("Name and version of the server", messages.ServerMetadata),
    "live": ("Whether the server runs", messages.Live),
    "ready": ("Whether the store answers", messages.Ready),
    "metadata": ("Inputs, outputs and measured metrics", messages.ModelMetadata),
    "model_ready": ("Whether the model's first network loads", messages.ModelReady),
    "config": ("The model as Triton's configuration describes it", messages.ModelConfig),
    "stats": ("What the answering process has answered since it started", messages.Statistics),
}
"""operations without a body: summary and answer"""

UNDOCUMENTED: frozenset[Operation] = frozenset(
    {"predict", "alive", "model_names", "model_status", "signature", "openapi", "docs"}
)
"""operations outside the document: TensorFlow and KServe document theirs, and the last two serve the documentation"""


def openapi(registry: Registry) -> Document:
    """Describe the API, with examples of models that the store serves."""
    models = examples(registry)
    _, schemas = msgspec.json.schema_components(_TYPES, ref_template="#/components/schemas/{name}")
    documented = [route for route in ROUTES if route.operation not in UNDOCUMENTED and not route.path.endswith("/")]
    return {
        "openapi": "3.1.0",
        "info": {"title": "Weir", "version": __version__, "description": _DESCRIPTION},
        "servers": [{"url": "./"}],  # from where the document is: a stage, or a base path, stays in front
        "tags": [{"name": _TAGS[mount]} for mount in MOUNTS],
        "paths": {route.path: {route.verb.lower(): _described(route, models)} for route in documented},
        "components": {"schemas": schemas, "responses": _refusals()},
    }


def _described(route: Route, models: Sequence[Example]) -> Document:
    """Describe the operation of one route."""
    if route.operation == "infer":
        return _infer(route, models)
    return _index(route) if route.operation == "index" else _get(route, models)


def _get(route: Route, models: Sequence[Example]) -> Document:
    summary, answer = _GETS[route.operation]
    names = _names(route, models)
    refused = (*(_NAME_REFUSALS if names else ()), HTTPStatus.INTERNAL_SERVER_ERROR)
    operation = _operation(route, summary, _json(_ref(answer)), refused, names)
    if answer in {messages.Ready, messages.ModelReady}:  # a 503 of them is the same document
        operation["responses"]["503"] = {
            "description": "No, or the store does not answer",
            "content": _json({"anyOf": [_ref(answer), _ref(messages.ErrorMessage)]}),
        }
    return operation


def _infer(route: Route, models: Sequence[Example]) -> Document:
    binary = {"application/octet-stream": {"schema": _RAW}}
    length = {"name": HEADER_LENGTH, "in": "header", "schema": _LENGTH, "description": f"Length of the JSON. {_BINARY}"}
    answers = {**_json(_ref(messages.InferResponse)), **binary}
    operation = _operation(route, "Predictions", answers, _REFUSALS, [*_names(route, models), length])
    operation["responses"]["200"]["headers"] = {
        HEADER_LENGTH: {"schema": _LENGTH, "description": "Length of the JSON, when tensors follow it."}
    }
    pictures = {media_type: {"schema": _RAW} for media_type in MEDIA_TYPES[:2]}
    requests = _json(_ref(messages.InferRequest), {example.model: example.infer for example in models})
    content = {**requests, **binary, **pictures}
    operation["requestBody"] = {"required": True, "content": content, "description": _BINARY}
    return operation


def _index(route: Route) -> Document:
    answer = _json({"type": "array", "items": _ref(messages.IndexEntry)})
    refused = (*_BODY_REFUSALS, HTTPStatus.INTERNAL_SERVER_ERROR, HTTPStatus.SERVICE_UNAVAILABLE)
    operation = _operation(route, "Every version in the store", answer, refused)
    operation["requestBody"] = {"required": False, "content": _json(_ref(messages.IndexRequest))}
    return operation


def _operation(
    route: Route, summary: str, answer: Document, refused: Iterable[HTTPStatus], parameters: Sequence[Document] = ()
) -> Document:
    refusals = {str(int(status)): {"$ref": f"#/components/responses/{status.name}"} for status in refused}
    return {
        "tags": [_TAGS[route.mount]],
        "summary": summary,
        "parameters": list(parameters),
        "responses": {"200": {"description": summary, "content": answer}, **refusals},
    }


def _names(route: Route, models: Sequence[Example]) -> list[Document]:
    """Describe the variables of a path."""
    shown = {"examples": {example.model: {"value": example.model} for example in models}} if models else {}
    parameters = {
        "model": _name("model", keys.NAME, **shown),
        "version": _name("version", f"({keys.VERSION}|{keys.ALIAS})"),
    }
    return [parameter for name, parameter in parameters.items() if f"{{{name}}}" in route.path]


def _name(name: str, pattern: str, **other: object) -> Document:
    schema = {"type": "string", "pattern": f"^{pattern}$"}
    return {"name": name, "in": "path", "required": True, "schema": schema, "description": _NAMES[name], **other}


def _json(schema: Document, shown: Mapping[str, object] = MappingProxyType({})) -> Document:
    values = {"examples": {name: {"value": value} for name, value in shown.items()}} if shown else {}
    return {"application/json": {"schema": schema, **values}}


def _ref(kind: type) -> Document:
    return {"$ref": f"#/components/schemas/{kind.__name__}"}


def _refusals() -> Document:
    content = _json(_ref(messages.ErrorMessage))
    return {status.name: {"description": why, "content": content} for status, why in _REFUSALS.items()}
