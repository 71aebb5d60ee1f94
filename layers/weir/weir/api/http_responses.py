"""HTTP: what a handler does around its one call. Errors become statuses, each request one line of metrics."""

import os
from collections.abc import Callable
from http import HTTPStatus
from typing import Any

import msgspec
from aws_lambda_powertools import Logger
from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response
from aws_lambda_powertools.event_handler.exceptions import NotFoundError
from aws_lambda_powertools.utilities.data_classes import APIGatewayProxyEventV2
from aws_lambda_powertools.utilities.typing import LambdaContext

from weir.api.gateway_events import HEADER_LENGTH, Answer
from weir.api.inference import Inference
from weir.api.routes import verbs
from weir.errors import (
    BadInput,
    BadName,
    Conflict,
    MethodNotAllowed,
    NotFound,
    RouteNotFound,
    TooLarge,
    Unavailable,
    UnsupportedMedia,
    WeirError,
)
from weir.observability import InvocationMetrics
from weir.protocol.messages import ErrorMessage, ModelReady, Ready

STATUS: dict[type[WeirError], HTTPStatus] = {
    BadInput: HTTPStatus.BAD_REQUEST,
    TooLarge: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    UnsupportedMedia: HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
    NotFound: HTTPStatus.NOT_FOUND,
    MethodNotAllowed: HTTPStatus.METHOD_NOT_ALLOWED,
    Conflict: HTTPStatus.CONFLICT,
    Unavailable: HTTPStatus.SERVICE_UNAVAILABLE,
}
"""error class -> status; a class that is not here has the status of its nearest ancestor"""

logger = Logger()
metrics = InvocationMetrics.from_environment(os.environ)

UNAVAILABLE = "models are loaded from their store; trying again may help. Got: a failure, and the log says which"
"""what a caller is told of what is not the caller's fault"""

_PATHS = "paths are those of the Open Inference Protocol, also below /cascade, and /v1/models/<model>:predict"

Handler = Callable[[dict[str, Any], LambdaContext], dict[str, Any]]


def api() -> APIGatewayHttpResolver:
    """Make a resolver whose every answer is the protocol's, errors included."""
    app = APIGatewayHttpResolver()
    app._response_builder_class = Answer  # noqa: SLF001 (the one it has spends more on headers than msgspec on an answer)
    app.exception_handler(WeirError)(refuse)
    app.exception_handler(Exception)(_fail)

    @app.not_found
    def unknown(_: NotFoundError) -> Response[str]:
        return refuse(_unknown(app.current_event))

    return app


def handler(app: APIGatewayHttpResolver) -> Handler:
    """Make the function's handler: resolves the event, then prints one metrics (EMF) line."""
    cold = True

    def handle(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
        nonlocal cold
        with metrics:
            metrics.add("ColdStart", int(cold))
            cold = False
            answer = app.resolve(event, context)
            metrics.add("Errors", int(answer["statusCode"] >= HTTPStatus.BAD_REQUEST))
            return answer

    return handle


def respond(document: object, status: HTTPStatus = HTTPStatus.OK) -> Response[str]:
    """Answer with a JSON document: a value to encode, or bytes that are JSON already."""
    content = document if isinstance(document, bytes) else msgspec.json.encode(document)
    return Response(int(status), content_type="application/json", body=content.decode())


def ready(told: Ready | ModelReady) -> Response[str]:
    """Answer whether something is ready: 200 when it is, 503 when it is not."""
    return respond(told, HTTPStatus.OK if told.ready else HTTPStatus.SERVICE_UNAVAILABLE)


def page(html: str, policy: str) -> Response[str]:
    """Answer with a page, and what it may load."""
    return Response(HTTPStatus.OK, "text/html; charset=utf-8", html, {"Content-Security-Policy": policy})


def infer(inference: Inference) -> Response[Any]:
    """Answer an inference, and count what each level did."""
    metrics.tell(model=inference.model, version=inference.version)
    metrics.add("Predictions", inference.rows)
    for number, use in enumerate(inference.uses):
        metrics.add(f"Level{number}Rows", use.rows)
        metrics.add(f"Level{number}Time", use.time_us, "Microseconds")
    metrics.add("Escalations", inference.escalations)
    if inference.header_length is None:
        return respond(inference.body)
    headers: dict[str, str | list[str]] = {HEADER_LENGTH: str(inference.header_length)}
    return Response(HTTPStatus.OK, "application/octet-stream", inference.body, headers)


def refuse(error: WeirError) -> Response[str]:
    """Answer with an error of Weir's tree."""
    status = next(STATUS[ancestor] for ancestor in type(error).__mro__ if ancestor in STATUS)
    told = str(error)
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:  # what it says of buckets and files is not the caller's business
        logger.error(told, exc_info=error)
        told = UNAVAILABLE
    response = respond(ErrorMessage(told), status)
    if isinstance(error, MethodNotAllowed):
        response.headers["Allow"] = ", ".join(error.allow)
    return response


def _fail(error: Exception) -> Response[str]:
    logger.error("a request failed in Weir itself", exc_info=error)
    message = "Weir failed at this request, and its log says why. Got: an error of its own"
    return respond(ErrorMessage(message), HTTPStatus.INTERNAL_SERVER_ERROR)


def _unknown(event: APIGatewayProxyEventV2) -> WeirError:
    allow = verbs(event.path)
    if event.http_method in allow:  # the resolver takes no such characters for a name
        return BadName("the names in a path are of a-z, 0-9, '-', '_'", event.path)
    if allow:
        return MethodNotAllowed(event.http_method, event.path, allow)
    return RouteNotFound(_PATHS, event.path)
