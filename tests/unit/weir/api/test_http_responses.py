"""weir.api.http_responses: between answers and HTTP, errors and statuses."""

import json

import pytest

from weir.api import http_responses as http
from weir.errors import (
    BadTensor,
    MethodNotAllowed,
    ModelNotFound,
    StoreUnavailable,
    TooLarge,
    UnsupportedMedia,
    WeirError,
)


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (BadTensor("rule", 1), 400),
        (TooLarge("rule", 1), 413),
        (UnsupportedMedia("rule", 1), 415),
        (ModelNotFound("rule", 1), 404),
        (MethodNotAllowed("PUT", "/v2", ("GET",)), 405),
        (StoreUnavailable("rule", 1), 503),
    ],
)
def test_errors_have_the_status_of_their_nearest_ancestor(error: WeirError, status: int) -> None:
    """The body repeats the error, as JSON, unless it is not the caller's."""
    answer = http.refuse(error)
    assert answer.status_code == status
    assert json.loads(answer.body or "") == {"error": http.UNAVAILABLE if status == 503 else str(error)}
    assert answer.headers.get("Allow") == ("GET" if status == 405 else None)


def test_documents_are_encoded_and_bytes_sent_as_they_are() -> None:
    """An answer that was encoded already is not encoded again."""
    assert http.respond({"a": "ä"}).body == http.respond('{"a":"ä"}'.encode()).body == '{"a":"ä"}'
    assert http.respond({}).headers["Content-Type"] == "application/json"
