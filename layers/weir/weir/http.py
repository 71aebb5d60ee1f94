"""HTTP: bytes in and out of API Gateway's events, errors to statuses, one metrics line a request."""

import base64
from collections.abc import Callable
from http import HTTPStatus
from typing import Any

import msgspec
from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response
from aws_lambda_powertools.event_handler.exceptions import NotFoundError
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.data_classes import APIGatewayProxyEventV2
from aws_lambda_powertools.utilities.typing import LambdaContext

from weir.errors import (
    BadBody,
    BadInput,
    BadName,
    Conflict,
    MethodNotAllowed,
    NotFound,
    RouteNotFound,
    Unavailable,
    WeirError,
)
from weir.routes import verbs
from weir.service import Inference

STATUS: dict[type[WeirError], HTTPStatus] = {
    BadInput: HTTPStatus.BAD_REQUEST,
    NotFound: HTTPStatus.NOT_FOUND,
    MethodNotAllowed: HTTPStatus.METHOD_NOT_ALLOWED,
    Conflict: HTTPStatus.CONFLICT,
    Unavailable: HTTPStatus.SERVICE_UNAVAILABLE,
}
"""error class -> status; a class that is not here has the status of its nearest ancestor"""

logger = Logger()
metrics = Metrics()

Handler = Callable[[dict[str, Any], LambdaContext], dict[str, Any]]


def api() -> APIGatewayHttpResolver:
    """Make a resolver whose every answer is the protocol's, errors included."""
    app = APIGatewayHttpResolver()
    app.exception_handler(WeirError)(refuse)
    app.exception_handler(Exception)(_fail)

    @app.not_found
    def unknown(_: NotFoundError) -> Response[str]:
        return refuse(_unknown(app.current_event))

    return app


def handler(app: APIGatewayHttpResolver) -> Handler:
    """Make the function's handler: resolves the event, then prints one metrics (EMF) line."""
    cold = True

    @metrics.log_metrics
    def handle(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
        nonlocal cold
        metrics.add_metric("ColdStart", MetricUnit.Count, int(cold))
        cold = False
        answer = app.resolve(event, context)
        metrics.add_metric("Errors", MetricUnit.Count, int(answer["statusCode"] >= HTTPStatus.BAD_REQUEST))
        return answer

    return handle


def body(event: APIGatewayProxyEventV2) -> bytes:
    """Take the bytes of a request out of its event, else raise `BadBody`."""
    text = event.body or ""
    try:
        return base64.b64decode(text, validate=True) if event.is_base64_encoded else text.encode()
    except ValueError as exc:
        raise BadBody("an event's body is Unicode text, or base64 where it says so", exc) from exc


def respond(document: object, status: HTTPStatus = HTTPStatus.OK) -> Response[str]:
    """Answer with a JSON document: a value to encode, or bytes that are JSON already."""
    content = document if isinstance(document, bytes) else msgspec.json.encode(document)
    return Response(int(status), content_type="application/json", body=content.decode())


def infer(inference: Inference) -> Response[str]:
    """Answer an inference, and count what each level did."""
    metrics.add_dimension("model", inference.model)
    metrics.add_metadata("model_version", inference.version)
    metrics.add_metric("Predictions", MetricUnit.Count, inference.rows)
    for number, use in enumerate(inference.uses):
        metrics.add_metric(f"Level{number}Rows", MetricUnit.Count, use.rows)
        metrics.add_metric(f"Level{number}Time", MetricUnit.Microseconds, use.time_us)
    metrics.add_metric("Escalations", MetricUnit.Count, inference.escalations)
    return respond(inference.body)


def refuse(error: WeirError) -> Response[str]:
    """Answer with an error of Weir's tree."""
    status = next(STATUS[ancestor] for ancestor in type(error).__mro__ if ancestor in STATUS)
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        logger.error(str(error), exc_info=error)
    response = respond({"error": str(error)}, status)
    if isinstance(error, MethodNotAllowed):
        response.headers["Allow"] = ", ".join(error.allow)
    return response


def _fail(error: Exception) -> Response[str]:
    logger.error("a request failed in Weir itself", exc_info=error)
    message = "Weir failed at this request, and its log says why. Got: an error of its own"
    return respond({"error": message}, HTTPStatus.INTERNAL_SERVER_ERROR)


def _unknown(event: APIGatewayProxyEventV2) -> WeirError:
    allow = verbs(event.path)
    if event.http_method in allow:  # the resolver takes no such characters for a name
        return BadName("the names in a path are of a-z, 0-9, '-', '_'", event.path)
    if allow:
        return MethodNotAllowed(event.http_method, event.path, allow)
    return RouteNotFound("paths are those of the Open Inference Protocol, at / and below /cascade", event.path)
