"""API Gateway's events: the request out of one, and the dictionary that the gateway takes for a response."""

import re
from collections.abc import Mapping
from typing import Any

import msgspec
import pybase64

from weir.api.inference import RequestBody
from weir.errors import BadBody, UnsupportedMedia
from weir.protocol.compression import SMALLEST, compress, takes_gzip
from weir.protocol.messages import ErrorMessage

Event = Mapping[str, Any]

HEADER_LENGTH = "Inference-Header-Content-Length"
"""the header that gives the length of the JSON in a body, when tensors follow it"""

MAX_RESPONSE_BYTES = 6_000_000
"""what a function may return, less some for headers: Lambda takes 6,291,556 bytes"""

_TOO_LONG = msgspec.json.encode(
    ErrorMessage(
        f"an answer has at most {MAX_RESPONSE_BYTES} bytes; fewer rows or outputs, or binary_data_output. Got: more"
    )
).decode()
_JSON = {"Content-Type": "application/json"}

_FORMAT = "the function answers the events of an API Gateway HTTP API, payload format 2.0"
_WARMERS = {"warmer", "serverless-plugin-warmup", "aws.events", "aws.scheduler"}
"""sources of events that keep a function warm: plug-ins, and the schedules of EventBridge"""

_HEADER_LENGTH = HEADER_LENGTH.lower()
_LENGTH = re.compile(r"[0-9]{1,9}")


class Response(msgspec.Struct):
    """What an operation answers: a text is sent as it is, bytes are sent in base64."""

    status: int
    body: str | bytes
    headers: dict[str, str]
    compressible: bool = False
    """whether it may be compressed: Triton's asyncio client asks for gzip always, and reads it in predictions only"""


def is_request(event: object) -> bool:
    """Tell whether an event is a request of an HTTP API, payload format 2.0."""
    match event:
        case {"rawPath": str(), "requestContext": {"stage": str(), "http": {"method": str()}}}:
            return True
        case _:
            return False


def check_warmer(event: object) -> None:
    """Accept an event that only keeps the function warm: it is empty, or from a plug-in or a schedule.

    Raises:
        BadBody: it is another, such as a request of a REST API or a load balancer.
    """
    match event:
        case {"warmer": _}:
            return
        case {"source": str(source)} if source in _WARMERS:
            return
        case dict() if not event:
            return
        case dict():
            raise BadBody(_FORMAT, f"an event with {', '.join(event)}")
        case _:
            raise BadBody(_FORMAT, event)


def route_key(event: Event) -> str:
    """Take the key of the route that the gateway chose out of a request; empty when there is none."""
    return event.get("routeKey") or ""


def verb_and_paths(event: Event, base_path: str = "") -> tuple[str, list[str]]:
    """Take the verb out of an event, and the paths that its own may be: the first that has a route is.

    The name of a stage, and a base path, may stand in front of it or not, and may be named like its first segment.

    Args:
        event: of a request.
        base_path: of a custom domain, such as `/ml`; the name of a stage other than `$default` is in the event.
    """
    context, whole = event["requestContext"], event["rawPath"]
    without_stage = _without(whole, f"/{context['stage']}")
    return context["http"]["method"], list(dict.fromkeys([whole, without_stage, _without(without_stage, base_path)]))


def _without(path: str, prefix: str) -> str:
    """Cut whole segments off the beginning of a path, if it has them; the root may be left."""
    if path == prefix:
        return "/"
    return path[len(prefix) :] if path.startswith(f"{prefix}/") else path


def request_body(event: Event) -> RequestBody:
    """Take the body of a request, and what its headers say of it, out of an event.

    Raises:
        BadBody: its base64, or the length of its JSON, is none.
        UnsupportedMedia: it is a form with files.
    """
    headers = _headers(event)
    media_type = headers.get("content-type", "").partition(";")[0].strip().lower()
    picture = media_type if media_type.startswith("image/") else ""
    if media_type.startswith("multipart/"):
        raise UnsupportedMedia(
            "a body is JSON, or one file as it is: curl --data-binary @file, with Content-Type: image/png for a PNG",
            media_type,
        )
    length = headers.get(_HEADER_LENGTH)
    if picture and length is not None:
        raise BadBody(f"a picture is sent without {HEADER_LENGTH}", length)
    return RequestBody(_body(event), _header_length(length), headers.get("content-encoding", ""), picture)


def _body(event: Event) -> bytes:
    text = event.get("body") or ""
    try:
        return pybase64.b64decode(text, validate=True) if event.get("isBase64Encoded") else text.encode()
    except ValueError as exc:
        raise BadBody("an event's body is Unicode text, or base64 where it says so", exc) from exc


def _header_length(text: str | None) -> int | None:
    if text is None:
        return None
    if not _LENGTH.fullmatch(text.strip()):
        raise BadBody(f"{HEADER_LENGTH} is the length of the JSON in bytes", text)
    return int(text)


def _headers(event: Event) -> Mapping[str, str]:
    """Take the headers by their names in lower case, as an HTTP API writes them and `sam local` does not."""
    headers: Mapping[str, str] = event.get("headers") or {}
    return headers if "host" in headers else {name.lower(): value for name, value in headers.items()}


def to_gateway(response: Response, event: Event) -> dict[str, Any]:
    """Write a response for the gateway: long predictions compressed, and a 413 for what is longer than Lambda allows.

    Args:
        response: what an operation answered.
        event: of the request, which says whether the client accepts gzip.
    """
    content = response.body
    if response.compressible and len(content) >= SMALLEST:
        response.headers["Vary"] = "Accept-Encoding"
        if takes_gzip(_headers(event).get("accept-encoding", "")):
            response.headers["Content-Encoding"] = "gzip"
            content = compress(content if isinstance(content, bytes) else content.encode())
    if _carried_bytes(content) > MAX_RESPONSE_BYTES:
        return {"statusCode": 413, "headers": _JSON, "body": _TOO_LONG, "isBase64Encoded": False}
    return {
        "statusCode": response.status,
        "headers": response.headers,
        "body": pybase64.b64encode_as_string(content) if isinstance(content, bytes) else content,
        "isBase64Encoded": isinstance(content, bytes),
    }


def _carried_bytes(content: str | bytes) -> int:
    """Count the bytes of a body within the JSON that a function returns."""
    if isinstance(content, bytes):
        return len(content) * 4 // 3
    return len(content.encode()) + content.count('"') + content.count("\\")
