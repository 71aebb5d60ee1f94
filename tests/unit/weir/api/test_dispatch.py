"""weir.api.dispatch, with operations that do what a test needs."""

import json

import pytest

from tests.serving import http_event, metrics_among_logs
from weir.api.dispatch import Api, RoutedRequest
from weir.api.gateway_events import Response
from weir.api.http_responses import UNAVAILABLE, respond
from weir.catalog.mounts import CASCADE, END_TO_END
from weir.errors import BadTensor, ModelNotFound, StoreUnavailable


def _api(outcome: Exception | None = None) -> Api:
    """Make the API of the models function; its metadata are the request's names, or an error."""
    api = Api("models")

    @api.operation("metadata")
    def metadata(request: RoutedRequest) -> Response:
        if outcome:
            raise outcome
        return respond([request.mount.name, request.model, request.version])

    return api


@pytest.mark.parametrize(
    ("path", "names"),
    [
        ("/v2/models/a", [END_TO_END.name, "a", ""]),
        ("/cascade/v2/models/a/versions/champion", [CASCADE.name, "a", "champion"]),
        ("/v2/models/%C3%A4%20%22", [END_TO_END.name, 'ä "', ""]),
    ],
)
def test_an_operation_gets_mount_and_names(path: str, names: list[str]) -> None:
    """They are read off the decoded path, for both mounts and with a version or without."""
    answer = _api().handle(http_event("GET", path), None)
    assert (answer["statusCode"], json.loads(answer["body"])) == (200, names)


@pytest.mark.parametrize(
    ("verb", "path", "status"),
    [
        ("GET", "/nothing", 404),
        ("DELETE", "/v2/models/a", 405),
        ("POST", "/v2/models/a/infer", 404),
    ],
)
def test_what_the_function_has_no_route_for_is_refused(verb: str, path: str, status: int) -> None:
    """An unknown path and a route of another function are 404, another verb is 405 with those that are allowed."""
    answer = _api().handle(http_event(verb, path), None)
    assert answer["statusCode"] == status
    assert set(json.loads(answer["body"])) == {"error"}
    assert answer["headers"].get("Allow") == ("GET, HEAD" if status == 405 else None)


@pytest.mark.parametrize(
    ("outcome", "status", "error"),
    [
        (BadTensor("rule", "value"), 400, "rule. Got: value"),
        (ModelNotFound("a", 7), 404, "the model has this version. Got: a 7"),
        (StoreUnavailable("bucket", "secret"), 503, UNAVAILABLE),
        (KeyError("secret"), 500, "the request failed in Weir itself. Got: an error, described in the log"),
        (RecursionError("secret"), 500, "the request failed in Weir itself. Got: an error, described in the log"),
    ],
)
def test_errors_are_answered(
    outcome: Exception, status: int, error: str, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    """Those of the tree by their status, any other by 500; only the log has the details of what is 500 and more."""
    answer = _api(outcome).handle(http_event("GET", "/v2/models/a"), None)
    assert (answer["statusCode"], json.loads(answer["body"])) == (status, {"error": error})
    is_fault = status >= 500
    assert ("secret" in caplog.text) == is_fault
    metrics = metrics_among_logs(capsys.readouterr().out)
    assert (metrics["Errors"], metrics["Faults"]) == ([1], [int(is_fault)])


def test_an_answer_is_neither_error_nor_fault(capsys: pytest.CaptureFixture[str]) -> None:
    """Only the first invocation of a process is a cold start."""
    api = _api()
    for cold in (1, 0):
        api.handle(http_event("GET", "/v2/models/a"), None)
        metrics = metrics_among_logs(capsys.readouterr().out)
        assert (metrics["ColdStart"], metrics["Errors"], metrics["Faults"]) == ([cold], [0], [0])


def test_head_is_answered_without_a_body() -> None:
    """HEAD has the status and the headers of GET, and an error of GET is its error."""
    answer = _api().handle(http_event("HEAD", "/v2/models/a"), None)
    assert (answer["statusCode"], answer["headers"], answer["body"]) == (200, {"Content-Type": "application/json"}, "")
    assert _api(ModelNotFound("a", 7)).handle(http_event("HEAD", "/v2/models/a"), None)["statusCode"] == 404


@pytest.mark.parametrize(
    ("path", "key", "status"),
    [
        ("/v2/models/a", "GET /v2/models/{model}", 200),
        ("/v2/models/a", "$default", 404),
        ("/v2/models/a/versions/1", "GET /v2/models/{model}", 404),
        ("/v2/models/a", None, 200),
        ("/v2/models/a", "ANY /{proxy+}", 200),
    ],
    ids=["as written", "models%2Fa", "a%2Fversions%2F1", "a gateway without routes", "a gateway with other routes"],
)
def test_an_encoded_slash_is_no_slash(path: str, key: str | None, status: int) -> None:
    """The path is decoded when it arrives; the route that the gateway chose shows how it was written."""
    event = http_event("GET", path)
    del event["routeKey"]
    assert _api().handle(event | ({"routeKey": key} if key else {}), None)["statusCode"] == status


@pytest.mark.parametrize("event", [{}, {"source": "warmer"}, {"source": "serverless-plugin-warmup"}], ids=str)
def test_a_warmer_is_answered(event: dict[str, str], capsys: pytest.CaptureFixture[str]) -> None:
    """It reads no store, and counts as no error."""
    answer = _api().handle(event, None)
    assert (answer["statusCode"], json.loads(answer["body"])) == (200, {"live": True})
    assert metrics_among_logs(capsys.readouterr().out)["Errors"] == [0]


@pytest.mark.parametrize("event", [{"some": "event"}, {"httpMethod": "GET", "requestContext": {}}, [], None], ids=str)
def test_an_event_of_another_shape_is_a_400(
    event: object, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    """The answer and the log say in one line what the function answers; it is no fault of Weir."""
    answer = _api().handle(event, None)
    error = json.loads(answer["body"])["error"]
    assert answer["statusCode"] == 400
    assert error.startswith("the function answers the events of an API Gateway HTTP API, payload format 2.0. Got: ")
    assert [record.message for record in caplog.records] == [error]
    assert metrics_among_logs(capsys.readouterr().out)["Faults"] == [0]


def test_the_base_path_of_a_custom_domain_is_cut() -> None:
    """The same API answers below it, and at its own URL; the gateway chooses the route without it."""
    api = Api("models", "/ml")
    api.operation("server")(lambda _: respond("here"))
    for path in ("/ml/v2", "/v2"):
        assert api.handle(http_event("GET", "/v2") | {"rawPath": path}, None)["statusCode"] == 200
    assert api.handle(http_event("GET", "/mlv2"), None)["statusCode"] == 404
