"""weir.api.gateway_events."""

import base64
import gzip
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from weir.api import routes
from weir.api.gateway_events import (
    _WARMERS,
    Response,
    check_warmer,
    is_request,
    request_body,
    route_key,
    to_gateway,
    verb_and_paths,
)
from weir.errors import BadBody, RouteNotFound, UnsupportedMedia
from weir.protocol.compression import SMALLEST


def _event(body: str | None, *, encoded: bool, **headers: str) -> dict[str, Any]:
    event: dict[str, Any] = {
        "isBase64Encoded": encoded,
        "headers": {name.replace("_", "-"): value for name, value in headers.items()},
    }
    return event if body is None else {**event, "body": body}


@given(st.binary())
def test_base64_bodies_arrive_whole(content: bytes) -> None:
    """Any bytes are decoded to themselves."""
    assert request_body(_event(base64.b64encode(content).decode(), encoded=True)).content == content


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_text_bodies_arrive_as_utf8(content: str) -> None:
    """A gateway without binary media types sends JSON as text."""
    assert request_body(_event(content, encoded=False)).content == content.encode()


@pytest.mark.parametrize("encoded", [False, True])
def test_a_missing_body_is_empty(encoded: bool) -> None:
    """A request without a body has no such key in its event, and one without headers neither."""
    assert request_body(_event(None, encoded=encoded)).content == b""
    empty = request_body({})
    assert (empty.content, empty.header_length, empty.encoding, empty.picture) == (b"", None, "", "")


@pytest.mark.parametrize(
    ("body", "encoded"), [("a", True), ("abc", True), ("***", True), ("ä", True), ("YQ==!", True), ("\ud800", False)]
)
def test_bodies_that_no_gateway_makes_are_refused(body: str, encoded: bool) -> None:
    """They are answered as bad requests, not as errors of Weir."""
    with pytest.raises(BadBody, match="an event's body is"):
        request_body(_event(body, encoded=encoded))


@pytest.mark.parametrize(
    ("content_type", "picture"),
    [
        ("image/png", "image/png"),
        ("IMAGE/JPEG; q=1", "image/jpeg"),
        ("image/gif", "image/gif"),
        ("application/json", ""),
        ("", ""),
    ],
)
def test_pictures_are_recognised_by_their_type(content_type: str, picture: str) -> None:
    """Any media type of images counts; the decoder refuses those that it does not read."""
    assert request_body(_event("", encoded=False, content_type=content_type)).picture == picture


@pytest.mark.parametrize("content_type", ["multipart/form-data; boundary=x", "Multipart/Mixed"])
def test_forms_with_files_are_refused_with_the_way_to_send_a_file(content_type: str) -> None:
    """Such a form is no JSON and no picture, whatever it holds."""
    with pytest.raises(UnsupportedMedia, match=r"curl --data-binary @file, .* Got: multipart/"):
        request_body(_event("", encoded=False, content_type=content_type))


def test_headers_are_read_in_any_case() -> None:
    """An HTTP API writes them in lower case, `sam local` does not."""
    for headers in (
        {"content_encoding": "gzip", "inference_header_content_length": "12"},
        {"Content_Encoding": "gzip", "Inference_Header_Content_Length": " 12 "},
    ):
        request = request_body(_event("", encoded=False, **headers))
        assert (request.encoding, request.header_length) == ("gzip", 12)


@pytest.mark.parametrize("length", ["", " ", "-1", "1.0", "x", "1 2", "٣", "1e3", "0x1", "9999999999", "+1"])
def test_lengths_are_whole_numbers(length: str) -> None:
    """Anything else is refused, even digits of other scripts."""
    with pytest.raises(BadBody, match="Inference-Header-Content-Length is the length of the JSON in bytes"):
        request_body(_event("", encoded=False, inference_header_content_length=length))


def _answer(body: str | bytes, accepted: str, *, compressible: bool = True) -> dict[str, Any]:
    response = Response(200, body, {}, compressible=compressible)
    return to_gateway(response, _event("", encoded=False, accept_encoding=accepted))


@pytest.mark.parametrize("body", ["x" * SMALLEST, b"\xff" * SMALLEST])
def test_long_answers_are_compressed_for_clients_that_accept_it(body: str | bytes) -> None:
    """The header Vary makes caches keep both forms."""
    plain, packed = _answer(body, "identity"), _answer(body, "br, gzip")
    assert plain["headers"]["Vary"] == packed["headers"]["Vary"] == "Accept-Encoding"
    assert "Content-Encoding" not in plain["headers"]
    assert packed["headers"]["Content-Encoding"] == "gzip"
    content = body if isinstance(body, bytes) else body.encode()
    assert gzip.decompress(base64.b64decode(packed["body"])) == content


@pytest.mark.parametrize(
    ("body", "compressible"), [("x" * (SMALLEST - 1), True), ("", True), ("x" * SMALLEST, False), ("x" * 9999, False)]
)
def test_short_answers_and_documents_are_sent_as_they_are(body: str, compressible: bool) -> None:
    """Compression gains nothing on short ones, and some clients read errors and documents without decompressing."""
    answer = _answer(body, "gzip", compressible=compressible)
    assert (answer["statusCode"], answer["body"], answer["isBase64Encoded"]) == (200, body, False)
    assert not {"Content-Encoding", "Vary"} & set(answer["headers"])


def test_bytes_are_sent_in_base64() -> None:
    """The gateway decodes them."""
    answer = _answer(b"\xff\0", "")
    assert answer["isBase64Encoded"]
    assert base64.b64decode(answer["body"]) == b"\xff\0"


@pytest.mark.parametrize("body", ["x" * 6_000_001, '"' * 3_000_001, b"x" * 4_500_001], ids=["text", "quotes", "bytes"])
def test_an_answer_above_lambdas_limit_is_refused(body: str | bytes) -> None:
    """The caller gets a 413 instead of Lambda's failure; compressed, the same answer may be short enough."""
    answer = _answer(body, "")
    assert answer["statusCode"] == 413
    assert json.loads(answer["body"])["error"].startswith("an answer has at most 6000000 bytes; fewer rows")
    assert _answer(body, "gzip")["statusCode"] == 200


def test_a_picture_has_no_json_before_it() -> None:
    """The header for its length is refused, not ignored."""
    with pytest.raises(BadBody, match="a picture is sent without Inference-Header-Content-Length"):
        request_body(_event("", encoded=False, content_type="image/png", inference_header_content_length="0"))


def _found(stage: str, raw_path: str, key: str, base_path: str = "") -> str:
    """Return the path of the API at which an event arrives; empty when it has no route."""
    event = {"rawPath": raw_path, "requestContext": {"stage": stage, "http": {"method": "GET"}}, "routeKey": key}
    verb, paths = verb_and_paths(event, base_path)
    try:
        path, route, _ = routes.find_first(verb, paths)
        routes.check_key(route, verb, path, key)
    except RouteNotFound:
        return ""
    return path


@pytest.mark.parametrize(
    ("stage", "raw_path", "key", "path"),
    [
        ("$default", "/v2/models/a", "GET /v2/models/{model}", "/v2/models/a"),
        ("prod", "/prod/v2/models/a", "GET /v2/models/{model}", "/v2/models/a"),
        ("prod", "/v2/health/live", "GET /v2/health/live", "/v2/health/live"),
        ("prod", "/prod", "$default", "/"),
        ("prod", "/prod/", "$default", "/"),
        ("prod", "/production-line/v2", "$default", ""),
        ("prod", "/prod/prod/v2", "$default", ""),
        ("v2", "/v2/health/live", "GET /v2/health/live", "/v2/health/live"),
        ("v2", "/v2/v2/health/live", "GET /v2/health/live", "/v2/health/live"),
        ("v2", "/v2/models/a", "$default", ""),
        ("v2", "/v2", "GET /v2", "/v2"),
        ("$default", "/v2/", "GET /v2", "/v2/"),
        ("$default", "/v2/", "$default", "/v2/"),
        ("v1", "/v1/models/a", "GET /v1/{proxy+}", "/v1/models/a"),
        ("v1", "/v1/v1/models/a", "GET /v1/{proxy+}", "/v1/models/a"),
        ("v1", "/v1/v2/models/a", "GET /v2/models/{model}", "/v2/models/a"),
    ],
)
def test_the_path_is_without_the_stage(stage: str, raw_path: str, key: str, path: str) -> None:
    """An API of another stage than `$default` has its name before each path; a custom domain may leave it out.

    A stage may be named like a path: the path is cut where it has no route otherwise, and must have the route that the
    gateway chose.
    """
    assert _found(stage, raw_path, key) == path


@pytest.mark.parametrize(
    ("raw_path", "key", "path"),
    [
        ("/ml/v2/models/a", "GET /v2/models/{model}", "/v2/models/a"),
        ("/v2/models/a", "GET /v2/models/{model}", "/v2/models/a"),
        ("/prod/ml/v2/models/a", "GET /v2/models/{model}", "/v2/models/a"),
        ("/prod/v2/models/a", "GET /v2/models/{model}", "/v2/models/a"),
        ("/mla/v2", "$default", ""),
        ("/ml", "$default", "/"),
        ("/ml/", "$default", "/"),
        ("/prod/ml", "$default", "/"),
        ("/", "$default", "/"),
    ],
)
def test_the_path_is_without_the_base_path(raw_path: str, key: str, path: str) -> None:
    """It is cut where it is; the API's own URL, without a custom domain, goes on to work."""
    assert _found("prod", raw_path, key, "/ml") == path


@pytest.mark.parametrize("key", [None, ""])
def test_an_event_without_a_route_has_its_path(key: str | None) -> None:
    """Another gateway may have no routes at all."""
    event = {"rawPath": "/v2", "requestContext": {"stage": "$default", "http": {"method": "GET"}}, "routeKey": key}
    assert (verb_and_paths(event), route_key(event)) == (("GET", ["/v2"]), "")


WARMERS = [{}, {"warmer": True, "concurrency": 3}, *({"source": source} for source in sorted(_WARMERS))]


@pytest.mark.parametrize("event", WARMERS, ids=str)
def test_warmers_are_told_from_requests(event: dict[str, Any]) -> None:
    """Plug-ins and schedules send them."""
    assert not is_request(event)
    check_warmer(event)


REST = {"resource": "/v2", "path": "/v2", "httpMethod": "GET", "requestContext": {"stage": "prod"}}
OTHERS: list[tuple[object, str]] = [
    ({"key1": "value1", "key2": "value2"}, "an event with key1, key2"),
    (REST, "an event with resource, path, httpMethod, requestContext"),
    ({"version": "1.0", **REST}, "an event with version, resource, path, httpMethod, requestContext"),
    (
        {"requestContext": {"elb": {}}, "httpMethod": "GET", "path": "/v2"},
        "an event with requestContext, httpMethod, path",
    ),
    ({"rawPath": "/v2", "requestContext": {"stage": "$default"}}, "an event with rawPath, requestContext"),
    ({"source": "aws.s3"}, "an event with source"),
    (None, "None"),
    ([], "[]"),
    ("text", "text"),
]


@pytest.mark.parametrize(("event", "got"), OTHERS, ids=[got for _, got in OTHERS])
def test_other_events_are_refused_in_one_line(event: object, got: str) -> None:
    """It says what the function answers, and which keys came, not their values."""
    assert not is_request(event)
    with pytest.raises(BadBody) as caught:
        check_warmer(event)
    assert caught.value.rule == "the function answers the events of an API Gateway HTTP API, payload format 2.0"
    assert caught.value.got == got
