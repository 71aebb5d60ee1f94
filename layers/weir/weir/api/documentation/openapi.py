"""The document `/openapi.json` (OpenAPI 3.1), made of the types that decode requests and encode answers."""

from collections.abc import Iterable, Mapping, Sequence
from http import HTTPStatus
from types import MappingProxyType
from typing import Any

import msgspec

from weir import __version__
from weir.api.documentation.examples import Example, examples
from weir.catalog import keys
from weir.inputs.picture import MEDIA_TYPES
from weir.protocol import messages
from weir.runtime.registry import Registry

Document = dict[str, Any]

MOUNTS = {"": "End-to-end", "/cascade": "Levels"}
"""where the API is mounted -> what answers there"""

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
end-to-end model answers, below `/cascade/v2` the levels do. Bodies may be compressed (`Content-Encoding: gzip` or
`deflate`), answers are when that is asked for. A wrong verb is answered 405 with `Allow`.

Clients of TensorFlow Serving ask the end-to-end model at `POST /v1/models/{model}[/versions/{version}]:predict`, as
[its own REST API](https://www.tensorflow.org/tfx/serving/api_rest#predict_api) says.
"""
_BINARY = "The JSON, and behind it the values of its tensors; or, with the header 0, whole rows of the one input alone."
_LENGTH_NAME = "Inference-Header-Content-Length"
_LENGTH = {"type": "integer", "minimum": 0, "maximum": 999_999_999}
_RAW = {"type": "string", "format": "binary"}
_NAMES = {"model": "A model's name.", "version": "A number or an alias."}

_REFUSALS = {
    HTTPStatus.BAD_REQUEST: "The request is off; the same one fails again",
    HTTPStatus.NOT_FOUND: "No such model, version or alias",
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: "More bytes or pixels than a request may have",
    HTTPStatus.UNSUPPORTED_MEDIA_TYPE: "A media type or compression that is not read",
    HTTPStatus.INTERNAL_SERVER_ERROR: "A fault of Weir's own",
    HTTPStatus.SERVICE_UNAVAILABLE: "The store or the model can't be used; may pass",
}
_NAMED = (HTTPStatus.BAD_REQUEST, HTTPStatus.NOT_FOUND, HTTPStatus.SERVICE_UNAVAILABLE)
_BODY = (HTTPStatus.BAD_REQUEST, HTTPStatus.REQUEST_ENTITY_TOO_LARGE, HTTPStatus.UNSUPPORTED_MEDIA_TYPE)
_ASKED = tuple(_REFUSALS)


def openapi(registry: Registry) -> Document:
    """Describe the API, with examples of models that the store serves."""
    known = examples(registry)
    _, schemas = msgspec.json.schema_components(_TYPES, ref_template="#/components/schemas/{name}")
    paths: Document = {}
    for mount, tag in MOUNTS.items():
        paths |= _protocol(mount, tag, known)
    return {
        "openapi": "3.1.0",
        "info": {"title": "Weir", "version": __version__, "description": _DESCRIPTION},
        "servers": [{"url": "/"}],
        "tags": [{"name": tag} for tag in MOUNTS.values()],
        "paths": paths,
        "components": {"schemas": schemas, "responses": _refusals()},
    }


def _protocol(mount: str, tag: str, known: Sequence[Example]) -> Document:
    """Describe one mount of the protocol."""
    server: dict[str, tuple[str, type]] = {
        "/v2": ("Name and version of the server", messages.ServerMetadata),
        "/v2/health/live": ("Whether the server runs", messages.Live),
        "/v2/health/ready": ("Whether the store answers", messages.Ready),
    }
    model: dict[str, tuple[str, type]] = {
        "": ("Inputs, outputs, and what was measured", messages.ModelMetadata),
        "/ready": ("Whether the model's first network loads", messages.ModelReady),
        "/config": ("The model in the words of Triton's configuration", messages.ModelConfig),
        "/stats": ("What the process that answers has done since it started", messages.Statistics),
    }
    paths = {path: {"get": _get(tag, summary, answer)} for path, (summary, answer) in server.items()}
    for base in ("/v2/models/{model}", "/v2/models/{model}/versions/{version}"):
        for path, (summary, answer) in model.items():
            paths[base + path] = {"get": _get(tag, summary, answer, _names(base, known))}
        paths[f"{base}/infer"] = {"post": _infer(tag, _names(base, known), known)}
    paths["/v2/repository/index"] = {"post": _index(tag)}
    return {mount + path: operations for path, operations in paths.items()}


def _get(tag: str, summary: str, answer: type, names: Sequence[Document] = ()) -> Document:
    refused = (*(_NAMED if names else ()), HTTPStatus.INTERNAL_SERVER_ERROR)
    found = _operation(tag, summary, _json(_ref(answer)), refused, names)
    if answer in {messages.Ready, messages.ModelReady}:  # the same document says no
        found["responses"]["503"] = {
            "description": "No, or the store does not answer",
            "content": _json({"anyOf": [_ref(answer), _ref(messages.ErrorMessage)]}),
        }
    return found


def _infer(tag: str, names: Sequence[Document], known: Sequence[Example]) -> Document:
    binary = {"application/octet-stream": {"schema": _RAW}}
    length = {"name": _LENGTH_NAME, "in": "header", "schema": _LENGTH, "description": f"Length of the JSON. {_BINARY}"}
    answers = {**_json(_ref(messages.InferResponse)), **binary}
    found = _operation(tag, "Predictions", answers, _ASKED, [*names, length])
    found["responses"]["200"]["headers"] = {
        _LENGTH_NAME: {"schema": _LENGTH, "description": "Length of the JSON, when tensors stand behind it."}
    }
    pictures = {media_type: {"schema": _RAW} for media_type in MEDIA_TYPES[:2]}
    content = {**_json(_ref(messages.InferRequest), {one.model: one.infer for one in known}), **binary, **pictures}
    found["requestBody"] = {"required": True, "content": content, "description": _BINARY}
    return found


def _index(tag: str) -> Document:
    answer = _json({"type": "array", "items": _ref(messages.IndexEntry)})
    refused = (*_BODY, HTTPStatus.INTERNAL_SERVER_ERROR, HTTPStatus.SERVICE_UNAVAILABLE)
    found = _operation(tag, "Every version in the store", answer, refused)
    found["requestBody"] = {"required": False, "content": _json(_ref(messages.IndexRequest))}
    return found


def _operation(
    tag: str, summary: str, answer: Document, refused: Iterable[HTTPStatus], parameters: Sequence[Document] = ()
) -> Document:
    refusals = {str(int(status)): {"$ref": f"#/components/responses/{status.name}"} for status in refused}
    return {
        "tags": [tag],
        "summary": summary,
        "parameters": list(parameters),
        "responses": {"200": {"description": summary, "content": answer}, **refusals},
    }


def _names(base: str, known: Sequence[Example]) -> list[Document]:
    shown = {"examples": {one.model: {"value": one.model} for one in known}} if known else {}
    found = [_name("model", keys.NAME, **shown)]
    return [*found, _name("version", f"({keys.VERSION}|{keys.ALIAS})")] if "{version}" in base else found


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
    return {status.name: {"description": told, "content": content} for status, told in _REFUSALS.items()}
