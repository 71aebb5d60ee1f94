"""Ask a model: through an API's URL, or straight from a store with the code that the functions run."""

from collections.abc import Mapping
from typing import Any, Protocol

import msgspec
import requests

from training.client.signing import authorization
from weir.api.inference import Call
from weir.api.mounts import CASCADE, END_TO_END
from weir.api.routes import url_path
from weir.api.service import Service
from weir.catalog.store import Store
from weir.errors import BadInput, ModelNotFound, Unavailable, WeirError
from weir.runtime.registry import Registry

_TIMEOUT_S = 60

Document = dict[str, Any]


class Client(Protocol):
    """One mount of the Open Inference Protocol: documents in, documents out."""

    def metadata(self, model: str, version: str) -> Document:
        """Describe a model. Raises errors of `weir.errors`."""

    def infer(self, model: str, version: str, call: Call) -> Document:
        """Answer an inference request. Raises errors of `weir.errors`."""


class StoreClient:
    """A model answered in this process."""

    def __init__(self, url: str, endpoint: str, *, alias: str, cascade: bool) -> None:
        """Name a store; nothing is read yet. Raises `BadInput`."""
        self._service = Service(
            Registry(Store(url, endpoint=endpoint), alias=alias), CASCADE if cascade else END_TO_END
        )

    def metadata(self, model: str, version: str) -> Document:
        """Describe a model."""
        found: Document = msgspec.to_builtins(self._service.metadata(model, version))
        return found

    def infer(self, model: str, version: str, call: Call) -> Document:
        """Answer an inference request."""
        return _document(self._service.infer(model, version, call).body)


class HttpClient:
    """A model behind an API; requests are signed when the person has AWS credentials and the URL is https."""

    def __init__(self, url: str, *, cascade: bool) -> None:
        """Name an API's URL; nothing is asked yet. Raises `BadInput`."""
        if not url.startswith(("http://", "https://")):
            raise BadInput("--url is the API's http:// or https:// URL", url)
        self._base, self._mount = url.rstrip("/"), CASCADE if cascade else END_TO_END
        self._authorization = authorization(url)

    def metadata(self, model: str, version: str) -> Document:
        """Describe a model."""
        return self._ask("GET", url_path("metadata", self._mount, model, version), None)

    def infer(self, model: str, version: str, call: Call) -> Document:
        """Answer an inference request."""
        return self._ask("POST", url_path("infer", self._mount, model, version), call)

    def _ask(self, method: str, path: str, call: Call | None) -> Document:
        headers = {"Content-Type": call.picture or "application/json"} if call else {}
        try:
            response = requests.request(
                method,
                self._base + path,
                data=call.content if call else None,
                headers=headers,
                auth=self._authorization,
                timeout=_TIMEOUT_S,
            )
        except requests.RequestException as exc:
            raise Unavailable(f"{self._base} answers", exc) from exc
        if response.ok:
            return _document(response.content)
        raise _refusal(response)


def _refusal(response: requests.Response) -> WeirError:
    """Turn a refusal back into the error it was: ours says `error`, the gateway's own says `message`."""
    try:
        said: Mapping[str, object] = _document(response.content)
    except Unavailable:
        said = {}
    rule, _, got = str(said.get("error") or said.get("message") or response.reason).partition(". Got: ")
    kind = {400: BadInput, 404: ModelNotFound, 413: BadInput, 415: BadInput}.get(response.status_code, Unavailable)
    return kind(rule, got or f"status {response.status_code} from {response.url}")


def _document(body: bytes) -> Document:
    try:
        return msgspec.json.decode(body, type=Document)
    except (msgspec.MsgspecError, UnicodeDecodeError) as exc:
        raise Unavailable("the API answers with JSON documents", body.decode(errors="replace")) from exc
