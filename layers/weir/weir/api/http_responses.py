"""HTTP responses: documents, predictions, pages, and errors with their statuses."""

from http import HTTPStatus

import msgspec

from weir.api.gateway_events import HEADER_LENGTH, Response
from weir.api.inference import Inference
from weir.api.request_metrics import count_inference
from weir.errors import (
    BadInput,
    Conflict,
    MethodNotAllowed,
    NotFound,
    TooLarge,
    Unavailable,
    UnsupportedMedia,
    WeirError,
)
from weir.observability import logger
from weir.protocol.messages import ErrorMessage, ModelReady, Ready
from weir.protocol.rest_descriptions import ModelStatus

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

_JSON = {"Content-Type": "application/json"}

UNAVAILABLE = "the store or the model is unavailable; trying again may work. Got: a failure, described in the log"
"""body of every 503: buckets, keys and digests stay in the log"""


def respond(document: object, status: HTTPStatus = HTTPStatus.OK) -> Response:
    """Answer with a JSON document."""
    return Response(status.value, msgspec.json.encode(document).decode(), dict(_JSON))


def ready(document: Ready | ModelReady | ModelStatus) -> Response:
    """Answer whether something is ready: 200 when it is, 503 when it is not."""
    return respond(document, HTTPStatus.OK if document.ready else HTTPStatus.SERVICE_UNAVAILABLE)


def page(html: str, policy: str) -> Response:
    """Answer with a page and its Content-Security-Policy."""
    headers = {"Content-Security-Policy": policy, "Content-Type": "text/html; charset=utf-8"}
    return Response(HTTPStatus.OK.value, html, headers)


def infer(inference: Inference) -> Response:
    """Answer an inference, and count it."""
    count_inference(inference)
    if inference.header_length is None:
        return Response(HTTPStatus.OK.value, inference.body.decode(), dict(_JSON), compressible=True)
    headers = {HEADER_LENGTH: str(inference.header_length), "Content-Type": "application/octet-stream"}
    return Response(HTTPStatus.OK.value, inference.body, headers, compressible=True)


def error_response(error: WeirError) -> Response:
    """Answer with an error of Weir's tree; the log has those that are not the caller's fault."""
    status = next(STATUS[ancestor] for ancestor in type(error).__mro__ if ancestor in STATUS)
    message = str(error)
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        logger().error(message, exc_info=error)
        message = UNAVAILABLE
    response = respond(ErrorMessage(message), status)
    if isinstance(error, MethodNotAllowed):
        response.headers["Allow"] = ", ".join(error.allow)
    return response


def internal_error_response(error: Exception) -> Response:
    """Answer 500 to an error outside Weir's tree; the log has it, the caller does not."""
    logger().error("a request failed in Weir itself", exc_info=error)
    message = "the request failed in Weir itself. Got: an error, described in the log"
    return respond(ErrorMessage(message), HTTPStatus.INTERNAL_SERVER_ERROR)
