"""weir.http: between events and bytes, errors and statuses."""

import base64
import json
from typing import Any

import pytest
from aws_lambda_powertools.utilities.data_classes import APIGatewayProxyEventV2
from hypothesis import given
from hypothesis import strategies as st

from weir import http
from weir.errors import BadBody, BadTensor, MethodNotAllowed, ModelNotFound, StoreUnavailable, WeirError


def _event(body: str | None, *, encoded: bool) -> APIGatewayProxyEventV2:
    event: dict[str, Any] = {"isBase64Encoded": encoded}
    return APIGatewayProxyEventV2(event if body is None else event | {"body": body})


@given(st.binary())
def test_base64_bodies_arrive_whole(content: bytes) -> None:
    """Whatever the bytes are."""
    assert http.body(_event(base64.b64encode(content).decode(), encoded=True)) == content


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_text_bodies_arrive_as_utf8(content: str) -> None:
    """A gateway without binary media types sends JSON as text."""
    assert http.body(_event(content, encoded=False)) == content.encode()


@pytest.mark.parametrize("encoded", [False, True])
def test_a_missing_body_is_empty(encoded: bool) -> None:
    """A request without a body has no such key in its event."""
    assert http.body(_event(None, encoded=encoded)) == b""


@pytest.mark.parametrize(
    ("body", "encoded"), [("a", True), ("abc", True), ("***", True), ("ä", True), ("YQ==!", True), ("\ud800", False)]
)
def test_bodies_that_no_gateway_makes_are_refused(body: str, encoded: bool) -> None:
    """They are the caller's fault, not Weir's."""
    with pytest.raises(BadBody, match="an event's body is"):
        http.body(_event(body, encoded=encoded))


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (BadTensor("rule", 1), 400),
        (ModelNotFound("rule", 1), 404),
        (MethodNotAllowed("PUT", "/v2", ("GET",)), 405),
        (StoreUnavailable("rule", 1), 503),
    ],
)
def test_errors_have_the_status_of_their_nearest_ancestor(error: WeirError, status: int) -> None:
    """The body repeats the error, as JSON."""
    answer = http.refuse(error)
    assert answer.status_code == status
    assert json.loads(answer.body or "") == {"error": str(error)}
    assert answer.headers.get("Allow") == ("GET" if status == 405 else None)


def test_documents_are_encoded_and_bytes_sent_as_they_are() -> None:
    """An answer that was encoded already is not encoded again."""
    assert http.respond({"a": "ä"}).body == http.respond('{"a":"ä"}'.encode()).body == '{"a":"ä"}'
    assert http.respond({}).headers["Content-Type"] == "application/json"
