"""local.events: HTTP requests and responses <-> events of payload format 2.0."""

import base64
import json

import pytest
from aws_lambda_powertools.utilities.data_classes import APIGatewayProxyEventV2
from hypothesis import given
from hypothesis import strategies as st

from local.events import HttpRequest, refusal, to_event, to_response


@given(st.binary())
def test_bodies_arrive_whole(body: bytes) -> None:
    """Any bytes are base64-encoded, and an empty body is left out."""
    event = to_event(HttpRequest("POST", "/a", "", [], body), "POST /a", {})
    assert base64.b64decode(event.get("body", "")) == body
    assert event["isBase64Encoded"] == bool(body)


def test_an_event_is_one_that_powertools_reads() -> None:
    """It has verb, decoded path, joined headers in lower case, cookies, joined query values and path parameters."""
    headers = [("Accept", "a"), ("ACCEPT", "b"), ("Cookie", "x=1; y=2"), ("Host", "h")]
    request = HttpRequest("GET", "/v2/models/a%20b", "q=1&q=2&empty=", headers)
    event = to_event(request, "GET /v2/models/{model}", {"model": "a b"})
    read = APIGatewayProxyEventV2(event)
    assert (read.http_method, read.path, read.raw_query_string) == ("GET", "/v2/models/a b", "q=1&q=2&empty=")
    assert read.headers["accept"] == "a,b"
    assert "cookie" not in event["headers"]
    assert read.cookies == ["x=1", "y=2"]
    assert read.query_string_parameters == {"q": "1,2", "empty": ""}
    assert read.path_parameters == {"model": "a b"}
    assert read.request_context.route_key == "GET /v2/models/{model}"
    assert read.request_context.stage == "$default"


def test_an_event_has_no_empty_keys() -> None:
    """A request without cookies, query, variables or body has no such keys, as on AWS."""
    event = to_event(HttpRequest("GET", "/", "", []), "$default", {})
    assert {"cookies", "queryStringParameters", "pathParameters", "body"}.isdisjoint(event)


@given(st.binary())
def test_binary_answers_leave_whole(body: bytes) -> None:
    """A base64-encoded body is decoded for the response."""
    answer = {"statusCode": 201, "body": base64.b64encode(body).decode(), "isBase64Encoded": True}
    response = to_response(answer)
    assert (response.status, response.body) == (201, body)


def test_text_answers_keep_headers_and_cookies() -> None:
    """Headers are kept, and each cookie is a header of its own."""
    answer = {"statusCode": "200", "body": "ä", "headers": {"Allow": "GET", "X": 1}, "cookies": ["a=1", "b=2"]}
    response = to_response(answer)
    assert response.headers == [("Allow", "GET"), ("X", "1"), ("set-cookie", "a=1"), ("set-cookie", "b=2")]
    assert response.body == "ä".encode()


@pytest.mark.parametrize("answer", [None, "text", {"a": 1}, [1]])
def test_answers_without_a_status_are_json(answer: object) -> None:
    """API Gateway makes them the body of a 200."""
    response = to_response(answer)
    assert (response.status, json.loads(response.body)) == (200, answer)


@pytest.mark.parametrize(
    "answer",
    [
        {"statusCode": "odd"},
        {"statusCode": 99},
        {"statusCode": 600},
        {"statusCode": 200, "headers": {"a": "b\r\nc: d"}},
        {"statusCode": 200, "headers": {"a b": "c"}},
        {"statusCode": 200, "headers": {"a": "€"}},
        {"statusCode": 200, "headers": ["a"]},
        {"statusCode": 200, "cookies": ["a\n"]},
        {"statusCode": 200, "body": "€", "isBase64Encoded": True},
    ],
)
def test_answers_that_are_impossible_in_http_are_refused(answer: object) -> None:
    """A wrong status, header or body is an error, so that the gateway can answer instead."""
    with pytest.raises(ValueError, match=r".+"):
        to_response(answer)


def test_headers_of_the_connection_are_the_gateways() -> None:
    """A function's own headers about its length or the connection are left out."""
    headers = {"Content-Length": 5, "transfer-encoding": "chunked", "Connection": "close", "a": "b"}
    assert to_response({"statusCode": 200, "headers": headers}).headers == [("a", "b")]


def test_an_answer_without_a_body_is_empty() -> None:
    """A body of None is the same as no body."""
    assert to_response({"statusCode": 204}).body == b""
    assert to_response({"statusCode": 204, "body": None}).body == b""


def test_the_gateways_own_refusals() -> None:
    """Their document has the key `message`, where a function's has `error`."""
    response = refusal(413, "Request Too Long")
    assert (response.status, json.loads(response.body)) == (413, {"message": "Request Too Long"})
