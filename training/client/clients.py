"""Send requests to a model: through an API's URL, or straight from a store with the code that the functions run."""

import sys
from contextlib import redirect_stdout
from http import HTTPStatus
from typing import Any, Protocol

import msgspec
import requests
from requests.auth import AuthBase

from weir.api.gateway_events import HEADER_LENGTH
from weir.api.inference import RequestBody
from weir.api.routes import url_path
from weir.api.service import Service
from weir.catalog.mounts import Mount
from weir.catalog.store import Store
from weir.catalog.store_failures import explain
from weir.catalog.store_urls import is_http, without_credentials
from weir.errors import BadInput, NotFound, Unavailable, WeirError
from weir.runtime.registry import Registry

_TIMEOUT_S = 60
_NOT_JSON = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)

Document = dict[str, Any]


class Client(Protocol):
    """One mount of the Open Inference Protocol: requests in, JSON documents out."""

    def metadata(self, model: str, version: str) -> Document:
        """Describe a model. Raises errors of `weir.errors`."""

    def infer(self, model: str, version: str, body: RequestBody) -> Document:
        """Answer an inference request. Raises errors of `weir.errors`."""


class StoreClient:
    """A model of a store, loaded into this process; what a function would log goes to stderr."""

    def __init__(self, url: str, endpoint: str, *, alias: str, mount: Mount) -> None:
        """Name a store; nothing is read yet. Raises `BadInput`."""
        self._service = Service(Registry(Store(url, endpoint=endpoint), alias=alias), mount)

    def metadata(self, model: str, version: str) -> Document:
        """Describe a model."""
        with redirect_stdout(sys.stderr):
            document: Document = msgspec.to_builtins(self._service.metadata(model, version))
        return document

    def infer(self, model: str, version: str, body: RequestBody) -> Document:
        """Answer an inference request."""
        with redirect_stdout(sys.stderr):
            return _document(self._service.infer(model, version, body).body)


class HttpClient:
    """A model behind an API. Requests to an https URL are signed when there are AWS credentials."""

    def __init__(self, url: str, mount: Mount) -> None:
        """Name an API's URL; nothing is sent yet. Raises `BadInput`, or `StoreUnavailable` for a bad AWS profile."""
        if not is_http(url):
            raise BadInput("--url is the API's http:// or https:// URL", without_credentials(url))
        self._base, self._mount = url.rstrip("/"), mount
        self._authorization = _authorization(url)

    def metadata(self, model: str, version: str) -> Document:
        """Describe a model."""
        return self._send("GET", url_path("metadata", self._mount, model, version), None)

    def infer(self, model: str, version: str, body: RequestBody) -> Document:
        """Answer an inference request."""
        return self._send("POST", url_path("infer", self._mount, model, version), body)

    def _send(self, method: str, path: str, body: RequestBody | None) -> Document:
        try:
            response = requests.request(
                method,
                self._base + path,
                data=body.content if body else None,
                headers=_headers(body) if body else {},
                auth=self._authorization,
                timeout=_TIMEOUT_S,
            )
        except requests.RequestException as exc:
            raise Unavailable(f"{without_credentials(self._base + path)} did not answer", explain(exc).cause) from exc
        if not response.ok:
            raise _error(response)
        try:
            return _document(response.content)
        except _NOT_JSON as exc:
            shown = response.content.decode(errors="replace")
            raise Unavailable(f"{_shown(response)} answered with no JSON document", shown) from exc


def _authorization(url: str) -> AuthBase | None:
    """Sign requests to an https URL; nothing is looked up for http, whatever the AWS profile is."""
    if not url.lower().startswith("https://"):
        return None
    from training.client.signing import authorization  # noqa: PLC0415 (botocore takes a quarter of a second)

    return authorization(url)


def _headers(body: RequestBody) -> dict[str, str]:
    if body.header_length is None:
        return {"Content-Type": body.picture or "application/json"}
    return {"Content-Type": "application/octet-stream", HEADER_LENGTH: str(body.header_length)}


def _error(response: requests.Response) -> WeirError:
    """Turn an answer with an error status back into an error: Weir's has `error`, the gateway's own has `message`."""
    try:
        document = _document(response.content)
    except _NOT_JSON:
        document = {}
    message = str(document.get("error") or document.get("message") or response.reason)
    rule, _, got = message.partition(". Got: ")
    if response.status_code in {400, 413, 415}:
        return BadInput(rule, got or f"status {response.status_code} from {_shown(response)}")
    if response.status_code == HTTPStatus.NOT_FOUND:
        return NotFound(rule, got or f"status {response.status_code} from {_shown(response)}")
    return Unavailable(f"{_shown(response)} answered with status {response.status_code}", message)


def _shown(response: requests.Response) -> str:
    return without_credentials(response.url)


def _document(body: bytes) -> Document:
    """Decode a JSON object. Raises one of `_NOT_JSON`."""
    return msgspec.json.decode(body, type=Document)
