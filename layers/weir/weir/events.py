"""API Gateway's events: what a request says, out of one; what is answered, into the dictionary that it takes."""

import re
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

import pybase64
from aws_lambda_powertools.event_handler.api_gateway import ResponseBuilder
from aws_lambda_powertools.utilities.data_classes.common import BaseProxyEvent

from weir.errors import BadBody
from weir.inference import Call
from weir.protocol.compression import SMALLEST, compress, takes_gzip

HEADER_LENGTH = "Inference-Header-Content-Length"
"""the header that says how much of a body is JSON, when tensors stand behind it"""

_LENGTH = re.compile(r"[0-9]{1,9}")


def call(event: Mapping[str, Any]) -> Call:
    """Take what a request says out of its event. Raises `BadBody`."""
    headers = event.get("headers") or {}
    media_type = _header(headers, "content-type").partition(";")[0].strip().lower()
    return Call(
        _body(event),
        _header_length(_header(headers, HEADER_LENGTH.lower())),
        _header(headers, "content-encoding"),
        media_type if media_type.startswith("image/") else "",
    )


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


def _header(headers: Mapping[str, str], name: str) -> str:
    """Look a header up by its name in lower case, as an HTTP API writes it and `sam local` does not."""
    found = headers.get(name)
    if found is None:
        found = next((value for other, value in headers.items() if other.lower() == name), "")
    return found


class Answer(ResponseBuilder[BaseProxyEvent]):
    """What a handler returns: text as it is, bytes in base64, long ones compressed where the caller takes gzip."""

    def build(self, event: BaseProxyEvent, cors: object = None) -> dict[str, Any]:
        """Write the response for the gateway."""
        del cors  # the gateway's business
        response = self.response
        content: str | bytes = response.body or ""
        headers = response.headers
        if response.status_code < HTTPStatus.BAD_REQUEST and len(content) >= SMALLEST:
            headers["Vary"] = "Accept-Encoding"
            if takes_gzip(_header(event.get("headers") or {}, "accept-encoding")):  # errors are read as they are
                headers["Content-Encoding"] = "gzip"
                content = compress(content if isinstance(content, bytes) else content.encode())
        return {
            "statusCode": response.status_code,
            "headers": headers,
            "body": pybase64.b64encode_as_string(content) if isinstance(content, bytes) else content,
            "isBase64Encoded": isinstance(content, bytes),
        }
