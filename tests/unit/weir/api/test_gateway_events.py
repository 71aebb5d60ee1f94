"""weir.api.gateway_events."""

import base64
import gzip
import json
from typing import Any

import pytest
from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.utilities.data_classes import APIGatewayProxyEventV2
from hypothesis import given
from hypothesis import strategies as st

from weir.api.gateway_events import Answer, call
from weir.errors import BadBody
from weir.protocol.compression import SMALLEST


def _event(body: str | None, *, encoded: bool, **headers: str) -> dict[str, Any]:
    event: dict[str, Any] = {
        "isBase64Encoded": encoded,
        "headers": {name.replace("_", "-"): value for name, value in headers.items()},
    }
    return event if body is None else {**event, "body": body}


@given(st.binary())
def test_base64_bodies_arrive_whole(content: bytes) -> None:
    """Whatever the bytes are."""
    assert call(_event(base64.b64encode(content).decode(), encoded=True)).content == content


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_text_bodies_arrive_as_utf8(content: str) -> None:
    """A gateway without binary media types sends JSON as text."""
    assert call(_event(content, encoded=False)).content == content.encode()


@pytest.mark.parametrize("encoded", [False, True])
def test_a_missing_body_is_empty(encoded: bool) -> None:
    """A request without a body has no such key in its event, and one without headers neither."""
    assert call(_event(None, encoded=encoded)).content == b""
    found = call({})
    assert (found.content, found.header_length, found.encoding, found.picture) == (b"", None, "", "")


@pytest.mark.parametrize(
    ("body", "encoded"), [("a", True), ("abc", True), ("***", True), ("ä", True), ("YQ==!", True), ("\ud800", False)]
)
def test_bodies_that_no_gateway_makes_are_refused(body: str, encoded: bool) -> None:
    """They are the caller's fault, not Weir's."""
    with pytest.raises(BadBody, match="an event's body is"):
        call(_event(body, encoded=encoded))


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
def test_pictures_are_told_by_their_type(content_type: str, picture: str) -> None:
    """Any that the caller calls one: which are read, is said elsewhere."""
    assert call(_event("", encoded=False, content_type=content_type)).picture == picture


def test_headers_are_found_in_any_case() -> None:
    """An HTTP API writes them in lower case, `sam local` does not."""
    for headers in (
        {"content_encoding": "gzip", "inference_header_content_length": "12"},
        {"Content_Encoding": "gzip", "Inference_Header_Content_Length": " 12 "},
    ):
        found = call(_event("", encoded=False, **headers))
        assert (found.encoding, found.header_length) == ("gzip", 12)


@pytest.mark.parametrize("length", ["-1", "1.0", "x", "1 2", "٣", "1e3", "0x1", "9999999999", "+1"])
def test_lengths_are_whole_numbers(length: str) -> None:
    """Anything else is refused, digits of other scripts too."""
    with pytest.raises(BadBody, match="Inference-Header-Content-Length is the length of the JSON in bytes"):
        call(_event("", encoded=False, inference_header_content_length=length))


def _answer(body: str | bytes, accepted: str, status: int = 200) -> dict[str, Any]:
    event = APIGatewayProxyEventV2(_event("", encoded=False, accept_encoding=accepted))
    found = Answer(Response(status, "text/plain", body)).build(event)
    assert isinstance(found, dict)
    return found


@pytest.mark.parametrize("body", ["x" * SMALLEST, b"\xff" * SMALLEST])
def test_long_answers_are_compressed_for_who_takes_it(body: str | bytes) -> None:
    """A cache is told that it depends on what is taken."""
    plain, packed = _answer(body, "identity"), _answer(body, "br, gzip")
    assert plain["headers"]["Vary"] == packed["headers"]["Vary"] == "Accept-Encoding"
    assert "Content-Encoding" not in plain["headers"]
    assert packed["headers"]["Content-Encoding"] == "gzip"
    content = body if isinstance(body, bytes) else body.encode()
    assert gzip.decompress(base64.b64decode(packed["body"])) == content


@pytest.mark.parametrize(("body", "status"), [("x" * (SMALLEST - 1), 200), ("x" * SMALLEST, 400), ("", 200)])
def test_short_answers_and_errors_are_sent_as_they_are(body: str, status: int) -> None:
    """The one gains nothing, the other is read by clients that do not look."""
    answer = _answer(body, "gzip", status)
    assert (answer["statusCode"], answer["body"], answer["isBase64Encoded"]) == (status, body, False)
    assert "Content-Encoding" not in answer["headers"]


def test_bytes_are_sent_in_base64() -> None:
    """As the gateway takes them."""
    answer = _answer(b"\xff\0", "")
    assert answer["isBase64Encoded"]
    assert base64.b64decode(answer["body"]) == b"\xff\0"


@pytest.mark.parametrize("body", ["x" * 6_000_001, '"' * 3_000_001, b"x" * 4_500_001], ids=["text", "quotes", "bytes"])
def test_an_answer_that_no_function_may_return_is_a_refusal(body: str | bytes) -> None:
    """Lambda would fail, and the caller would not know why; compressed it may go."""
    answer = _answer(body, "")
    assert answer["statusCode"] == 413
    assert json.loads(answer["body"])["error"].startswith("an answer has at most 6000000 bytes; fewer rows")
    assert _answer(body, "gzip")["statusCode"] == 200


def test_a_picture_has_no_json_before_it() -> None:
    """A header that would be ignored is refused."""
    with pytest.raises(BadBody, match="a picture is sent without Inference-Header-Content-Length"):
        call(_event("", encoded=False, content_type="image/png", inference_header_content_length="0"))
