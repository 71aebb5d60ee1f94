"""API Gateway's events: what a request says, out of one; what is answered, into the dictionary that it takes."""

import re
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

import msgspec
import pybase64
from aws_lambda_powertools.event_handler.api_gateway import ResponseBuilder
from aws_lambda_powertools.utilities.data_classes.common import BaseProxyEvent

from weir.api.inference import Call
from weir.errors import BadBody
from weir.protocol.compression import SMALLEST, compress, takes_gzip
from weir.protocol.messages import ErrorMessage

HEADER_LENGTH = "Inference-Header-Content-Length"
"""the header that says how much of a body is JSON, when tensors stand behind it"""

MAX_ANSWER_BYTES = 6_000_000
"""what a function may return, less some for headers: Lambda takes 6,291,556 bytes"""

_TOO_LONG = msgspec.json.encode(
    ErrorMessage(
        f"an answer has at most {MAX_ANSWER_BYTES} bytes; fewer rows or outputs, or binary_data_output. Got: more"
    )
).decode()
_JSON = {"Content-Type": "application/json"}

_HEADER_LENGTH = HEADER_LENGTH.lower()
_LENGTH = re.compile(r"[0-9]{1,9}")


def call(event: Mapping[str, Any]) -> Call:
    """Take what a request says out of its event. Raises `BadBody`."""
    headers = _headers(event)
    media_type = headers.get("content-type", "").partition(";")[0].strip().lower()
    picture = media_type if media_type.startswith("image/") else ""
    length = headers.get(_HEADER_LENGTH, "")
    if picture and length:
        raise BadBody(f"a picture is sent without {HEADER_LENGTH}", length)
    return Call(_body(event), _header_length(length), headers.get("content-encoding", ""), picture)


def _body(event: Mapping[str, Any]) -> bytes:
    text = event.get("body") or ""
    try:
        return pybase64.b64decode(text, validate=True) if event.get("isBase64Encoded") else text.encode()
    except ValueError as exc:
        raise BadBody("an event's body is Unicode text, or base64 where it says so", exc) from exc


def _header_length(text: str) -> int | None:
    if not text:
        return None
    if not _LENGTH.fullmatch(text.strip()):
        raise BadBody(f"{HEADER_LENGTH} is the length of the JSON in bytes", text)
    return int(text)


def _headers(event: Mapping[str, Any]) -> Mapping[str, str]:
    """Take the headers by their names in lower case, as an HTTP API writes them and `sam local` does not."""
    headers: Mapping[str, str] = event.get("headers") or {}
    return headers if "host" in headers else {name.lower(): value for name, value in headers.items()}


def _carried_bytes(content: str | bytes) -> int:
    """Count the bytes of a body within the JSON that a function returns."""
    if isinstance(content, bytes):
        return len(content) * 4 // 3
    return len(content.encode()) + content.count('"') + content.count("\\")


class Answer(ResponseBuilder[BaseProxyEvent]):
    """What a handler returns: text as it is, bytes in base64, long ones compressed where the caller takes gzip.

    Longer than a function may return, it is a refusal.
    """

    def build(self, event: BaseProxyEvent, cors: object = None) -> dict[str, Any]:
        """Write the response for the gateway."""
        del cors  # the gateway's business
        response = self.response
        content: str | bytes = response.body or ""
        headers = response.headers
        if response.status_code < HTTPStatus.BAD_REQUEST and len(content) >= SMALLEST:
            headers["Vary"] = "Accept-Encoding"
            if takes_gzip(_headers(event).get("accept-encoding", "")):  # errors are read as they are
                headers["Content-Encoding"] = "gzip"
                content = compress(content if isinstance(content, bytes) else content.encode())
        if _carried_bytes(content) > MAX_ANSWER_BYTES:
            return {"statusCode": 413, "headers": _JSON, "body": _TOO_LONG, "isBase64Encoded": False}
        return {
            "statusCode": response.status_code,
            "headers": headers,
            "body": pybase64.b64encode_as_string(content) if isinstance(content, bytes) else content,
            "isBase64Encoded": isinstance(content, bytes),
        }
