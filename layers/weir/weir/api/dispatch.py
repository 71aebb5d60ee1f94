"""Dispatch the requests of one function to its operations, with errors as responses and one line of metrics each.

Powertools has a resolver for that. Importing it takes a quarter of the CPU of a cold start, and asyncio with it.
"""

from collections.abc import Callable
from typing import Any

import msgspec
from msgspec import Struct

from weir.api import gateway_events, routes
from weir.api.gateway_events import Event, Response, to_gateway
from weir.api.http_responses import error_response, internal_error_response, respond
from weir.api.inference import RequestBody
from weir.api.request_metrics import count_response
from weir.api.routes import Function, Operation
from weir.catalog.mounts import Mount
from weir.errors import BadBody, RouteNotFound, WeirError
from weir.observability import logger, metrics
from weir.protocol.messages import Live


class RoutedRequest(Struct, frozen=True):
    """A request whose route is known: its event, the mount, and the variables of its path."""

    event: Event
    mount: Mount
    model: str = ""
    version: str = ""
    """a number or an alias, as the caller wrote it"""

    def body(self) -> RequestBody:
        """Read the body. Raises `BadBody`."""
        return gateway_events.request_body(self.event)


Answer = Callable[[RoutedRequest], Response]


class Api:
    """The operations of one function."""

    def __init__(self, function: Function, base_path: str = "") -> None:
        """Begin without operations.

        Args:
            function: whose routes of the table are answered here.
            base_path: in front of the paths of a custom domain, such as `/ml`.
        """
        self.operations: dict[Operation, Answer] = {}
        """operation -> what answers it"""
        self._function, self._base_path = function, base_path
        self._is_cold = True

    def operation(self, name: Operation) -> Callable[[Answer], Answer]:
        """Answer the routes of an operation with the decorated function."""

        def register(answer: Answer) -> Answer:
            self.operations[name] = answer
            return answer

        return register

    def handle(self, event: Any, context: object) -> dict[str, Any]:  # noqa: ANN401 (any JSON)
        """Answer one event of API Gateway (the function's handler), and print one line of metrics.

        An event that only keeps the function warm is answered, and any other is refused.
        """
        del context
        with metrics:
            answer = self._answer(event)
            count_response(answer["statusCode"], is_cold=self._is_cold)
            self._is_cold = False
            return answer

    def _answer(self, event: Any) -> dict[str, Any]:  # noqa: ANN401 (any JSON)
        try:
            if gateway_events.is_request(event):
                return to_gateway(self._response(event), event)
            response = _keep_warm(event)
        except WeirError as error:
            response = error_response(error)
        except Exception as error:  # noqa: BLE001 (whatever it is, the caller gets a 500 and the log has the traceback)
            response = internal_error_response(error)
        return to_gateway(response, {})

    def _response(self, event: Event) -> Response:
        verb, paths = gateway_events.verb_and_paths(event, self._base_path)
        path, route, names = routes.find_first(verb, paths)
        routes.check_key(route, verb, path, gateway_events.route_key(event))
        if route.function != self._function:
            raise RouteNotFound(f"the function {self._function} answers its own routes", f"{verb} {path}")
        response = self.operations[route.operation](RoutedRequest(event, route.mount, **names))
        return msgspec.structs.replace(response, body="") if verb == "HEAD" else response


def _keep_warm(event: object) -> Response:
    """Answer an event that is no request but keeps the function warm. Raises `BadBody` for any other, and logs it."""
    try:
        gateway_events.check_warmer(event)
    except BadBody as error:
        logger().error(str(error))  # whoever sent it may not read the response
        raise
    return respond(Live(live=True))
