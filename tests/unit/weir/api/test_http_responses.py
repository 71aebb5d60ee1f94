"""weir.api.http_responses: documents and errors as responses."""

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
    """The body is the error as JSON; of one that is not the caller's fault, it is a general message."""
    answer = http.error_response(error)
    assert answer.status == status
    assert json.loads(answer.body) == {"error": http.UNAVAILABLE if status == 503 else str(error)}
    assert answer.headers.get("Allow") == ("GET" if status == 405 else None)


def test_documents_are_encoded_once() -> None:
    """A value is encoded as JSON, and is never compressed: Triton's asyncio client reads documents as they come."""
    answer = http.respond({"a": "ä"})
    assert (answer.body, answer.headers["Content-Type"]) == ('{"a":"ä"}', "application/json")
    assert not answer.compressible


def test_other_errors_are_a_500_that_leaks_nothing() -> None:
    """The caller gets a general message; traceback and text of the error stay in the log."""
    answer = http.internal_error_response(ZeroDivisionError("secret"))
    assert answer.status == 500
    assert "secret" not in str(answer.body)
