"""HTTP <-> the events of an API Gateway HTTP API, payload format 2.0.

https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html
"""

import base64
import json
import re
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl, unquote

ACCOUNT = "123456789012"
REGION = "us-east-1"

Event = dict[str, Any]

_HEADER = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+: [\t\x20-\x7e\x80-\xff]*")
_STATUSES = range(200, 600)
_CONNECTION_HEADERS = {"connection", "content-length", "transfer-encoding"}
"""headers that the gateway writes itself"""


@dataclass(frozen=True)
class HttpRequest:
    """One request, as it arrives over the wire."""

    method: str
    raw_path: str
    """percent-encoded, without the query"""
    query: str
    headers: Sequence[tuple[str, str]]
    body: bytes = b""
    client: str = "127.0.0.1"


@dataclass(frozen=True)
class HttpResponse:
    """One response, as it leaves over the wire."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes


def to_event(request: HttpRequest, route_key: str, parameters: dict[str, str]) -> Event:
    """Make the event that calls a function.

    The template declares every media type binary, so a body arrives base64-encoded, JSON too. Headers are lower-case,
    several of one name joined by commas; paths and path parameters arrive percent-decoded.

    Args:
        request: as it arrived.
        route_key: `POST /v2/models/{model}/infer`, or `$default`.
        parameters: the route's variables, percent-decoded.
    """
    headers = _joined([(name.lower(), value) for name, value in request.headers])
    cookies = headers.pop("cookie", "")
    now = datetime.now(UTC)
    event: Event = {
        "version": "2.0",
        "routeKey": route_key,
        "rawPath": unquote(request.raw_path),
        "rawQueryString": request.query,
        "headers": headers,
        "requestContext": {
            "accountId": ACCOUNT,
            "apiId": "local",
            "domainName": headers.get("host", "localhost"),
            "domainPrefix": "local",
            "http": {
                "method": request.method,
                "path": unquote(request.raw_path),
                "protocol": "HTTP/1.1",
                "sourceIp": request.client,
                "userAgent": headers.get("user-agent", ""),
            },
            "requestId": str(uuid.uuid4()),
            "routeKey": route_key,
            "stage": "$default",
            "time": now.strftime("%d/%b/%Y:%H:%M:%S +0000"),
            "timeEpoch": int(now.timestamp() * 1000),
        },
        "isBase64Encoded": bool(request.body),
    }
    if cookies:
        event["cookies"] = [cookie.strip() for cookie in cookies.split(";")]
    if request.query:
        event["queryStringParameters"] = _joined(parse_qsl(request.query, keep_blank_values=True))
    if parameters:
        event["pathParameters"] = parameters
    if request.body:
        event["body"] = base64.b64encode(request.body).decode()
    return event


def to_response(answer: object) -> HttpResponse:
    """Convert the answer of a function: an object with a `statusCode`, or anything else as the JSON body of a 200.

    Raises:
        ValueError: its status, headers or body are impossible in HTTP.
    """
    if not isinstance(answer, dict) or "statusCode" not in answer:
        return HttpResponse(200, [("content-type", "application/json")], json.dumps(answer).encode())
    text = answer.get("body") or ""
    body = base64.b64decode(text) if answer.get("isBase64Encoded") else str(text).encode()
    headers = [(name, str(value)) for name, value in dict(answer.get("headers") or {}).items()]
    headers += [("set-cookie", str(cookie)) for cookie in answer.get("cookies") or []]
    wrong = [name for name, value in headers if not _HEADER.fullmatch(f"{name}: {value}")]
    status = int(answer["statusCode"])
    if wrong or status not in _STATUSES:
        raise ValueError(f"a status is 200 to 599, and headers are one line of Latin-1. Got: {status}, {wrong}")
    return HttpResponse(status, [pair for pair in headers if pair[0].lower() not in _CONNECTION_HEADERS], body)


def refusal(status: int, message: str) -> HttpResponse:
    """Answer as the gateway itself does."""
    return HttpResponse(status, [("content-type", "application/json")], json.dumps({"message": message}).encode())


def _joined(pairs: Sequence[tuple[str, str]]) -> dict[str, str]:
    joined: dict[str, str] = {}
    for name, value in pairs:
        joined[name] = f"{joined[name]},{value}" if name in joined else value
    return joined
