"""The HTTP API on this machine: requests -> events -> the functions of the template's routes -> responses."""

import asyncio
import errno
import json
import logging
import re
import resource
import socket
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import unquote

import uvicorn
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

from local.events import HttpRequest, HttpResponse, refusal, to_event, to_response
from local.function import FunctionError, FunctionTimeout
from local.template import ANY, DEFAULT, Route
from weir.errors import Unavailable

MAX_BODY_BYTES = 6_000_000 * 3 // 4
"""a Lambda event has at most 6 MB, and the body in it is base64"""

_START_TIMEOUT_S = 20
_MANY_CONNECTIONS = 10_000
"""at most, however many file descriptors there may be"""
_FEW_FILES = 32
"""file descriptors that a gateway has open before it has a connection, about"""
_GRACE_S = 5
"""seconds in which running requests may end when the gateway closes"""


_SAY_AGAIN_S = 60
"""seconds until the log says again that connections are refused"""
_BUSY = json.dumps({"message": "Service Unavailable"}).encode()
_REFUSAL = (
    b"HTTP/1.1 503 Service Unavailable\r\nContent-Type: application/json\r\nRetry-After: 1\r\nConnection: close\r\n"
    b"Content-Length: %d\r\n\r\n%b" % (len(_BUSY), _BUSY)
)


class Invocable(Protocol):
    """A function that a route calls, wherever it runs."""

    def invoke(self, event: object) -> object:
        """Answer one event, or raise `FunctionError`."""

    def close(self) -> None:
        """Stop its processes."""


class Gateway:
    """Answer HTTP requests with functions."""

    def __init__(self, routes: Sequence[Route], functions: Mapping[str, Invocable]) -> None:
        """Route to functions by name."""
        self._routes = [(_pattern(route.path), route) for route in routes if route.path != DEFAULT]
        self._default = next((route for route in routes if route.path == DEFAULT), None)
        self._functions = {route.function: functions[route.function] for route in routes}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request (the ASGI interface)."""
        request = Request(scope, receive)
        try:
            body = await _body(request)
        except ClientDisconnect:
            return
        if body is None:
            response = refusal(413, "Request Too Long")
        else:
            response = await run_in_threadpool(self.answer, _wire(request, body))
        out = Response(response.body, response.status)
        for name, value in response.headers:
            out.headers.append(name, value)
        await out(scope, receive, send)

    def answer(self, request: HttpRequest) -> HttpResponse:
        """Answer one request as API Gateway does."""
        route, parameters = self._route(request)
        if route is None:
            return refusal(404, "Not Found")
        key = route.path if route.path == DEFAULT else f"{route.method} {route.path}"
        try:
            return to_response(self._functions[route.function].invoke(to_event(request, key, parameters)))
        except FunctionTimeout:
            return refusal(503, "Service Unavailable")
        except (FunctionError, ValueError, TypeError):  # no answer, or no valid one
            return refusal(500, "Internal Server Error")

    def close(self) -> None:
        """Stop the functions; requests that still wait for them get a 500."""
        for function in self._functions.values():
            function.close()

    def _route(self, request: HttpRequest) -> tuple[Route | None, dict[str, str]]:
        for pattern, route in self._routes:
            match = pattern.fullmatch(request.raw_path)
            if match and route.method in {ANY, request.method}:
                return route, {name: unquote(value) for name, value in match.groupdict().items()}
        return self._default, {}


def _pattern(path: str) -> re.Pattern[str]:
    """Compile a path: a variable matches one whole segment, one with a plus all that follows."""
    return re.compile("".join(_part(part) for part in re.split(r"(\{\w+\+?\})", path)))


def _part(part: str) -> str:
    if part[:1] != "{":
        return re.escape(part)
    name = part[1:-1]
    return f"(?P<{name[:-1]}>.+)" if name.endswith("+") else f"(?P<{name}>[^/]+)"


async def _body(request: Request) -> bytes | None:
    """Read the body; None when it is larger than a function takes."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_BODY_BYTES:
            return None
    return bytes(body)


def _wire(request: Request, body: bytes) -> HttpRequest:
    raw_path = request.scope["raw_path"].decode("latin-1").partition("?")[0]
    query = request.scope["query_string"].decode("latin-1")
    headers = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in request.headers.raw]
    client = request.client.host if request.client else ""
    return HttpRequest(request.method, raw_path, query, headers, body, client)


class _Complaint:
    """Log that connections can't be served, once in a while."""

    def __init__(self, most: int) -> None:
        self._most, self._said = most, -float(_SAY_AGAIN_S)

    def __call__(self) -> None:
        if time.monotonic() - self._said >= _SAY_AGAIN_S:
            self._said = time.monotonic()
            logging.getLogger(__name__).warning(
                "more than %d connections are open: further ones get a 503 until some close; `ulimit -n` allows more",
                self._most,
            )


class _Connection(H11Protocol):
    """One connection; it is refused at once when there are too many, for functions need file descriptors, too."""

    def __init__(self, most: int, complain: Callable[[], None], **uvicorns: Any) -> None:  # noqa: ANN401 (passed on)
        super().__init__(**uvicorns)
        self._most, self._complain = most, complain

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # as uvicorn has it
        """Serve or refuse a connection."""
        if len(self.connections) < self._most:
            super().connection_made(transport)
            return
        self.transport = transport
        self._complain()
        transport.write(_REFUSAL)
        transport.close()


class _Uvicorn(uvicorn.Server):
    """A server that says once a minute, not a thousand times a second, that it has no file descriptors left."""

    def __init__(self, config: uvicorn.Config, complain: Callable[[], None]) -> None:
        super().__init__(config)
        self._complain = complain

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Listen."""
        asyncio.get_running_loop().set_exception_handler(self._on_exception)
        await super().startup(sockets)

    def _on_exception(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        error = context.get("exception")
        if isinstance(error, OSError) and error.errno in {errno.EMFILE, errno.ENFILE}:
            self._complain()  # asyncio accepts no connection for a second
        else:
            loop.default_exception_handler(context)


def _most_connections() -> int:
    """Return how many connections leave as many file descriptors for functions, their files and S3."""
    allowed = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    if allowed == resource.RLIM_INFINITY:
        return _MANY_CONNECTIONS
    try:
        used = sum(1 for _ in Path("/dev/fd").iterdir())
    except OSError:  # a system without it
        used = _FEW_FILES
    return max(1, min(_MANY_CONNECTIONS, (allowed - used) // 2))


class Server:
    """A gateway that listens on a port."""

    def __init__(self, gateway: Gateway, host: str, port: int) -> None:
        """Listen, and answer requests from now on; port 0 takes a free one.

        Raises:
            Unavailable: another program has the port, or the machine does not have the address.
        """
        self._socket = socket.socket()
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            self._socket.bind((host, port))
            self._socket.listen()  # at once: until then another process could get the same free port
        except OSError as exc:
            self._socket.close()
            raise _unavailable(host, port, exc) from exc
        self.url = f"http://{host}:{self._socket.getsockname()[1]}"
        most = _most_connections()
        complain = _Complaint(most)
        config = uvicorn.Config(
            gateway,
            http=partial(_Connection, most, complain),  # type: ignore[arg-type] # a class with two arguments bound
            backlog=1,  # accept one connection at a time: in a burst, asyncio would take more than may be served
            log_level="critical",
            lifespan="off",
            server_header=False,
            ws="none",
            timeout_graceful_shutdown=_GRACE_S,  # a client may never send the rest of its request
        )
        self._gateway = gateway
        self._server = _Uvicorn(config, complain)
        self._thread = threading.Thread(target=self._server.run, args=([self._socket],), name="gateway", daemon=True)
        self._thread.start()
        self._wait()
        self._socket.listen()  # asyncio has shortened the queue of connections to accept, too

    def close(self) -> None:
        """Stop listening; running requests may end within a few seconds, then their functions are stopped."""
        self._server.should_exit = True
        self._thread.join(_GRACE_S)
        self._gateway.close()
        self._thread.join()
        self._socket.close()

    def _wait(self) -> None:
        deadline = time.monotonic() + _START_TIMEOUT_S
        while not self._server.started and time.monotonic() < deadline:
            time.sleep(0.01)


def _unavailable(host: str, port: int, exc: OSError) -> Unavailable:
    if exc.errno == errno.EADDRINUSE:
        return Unavailable(f"the port {port} is taken", f"{exc.strerror}; --port 0 takes a free one")
    return Unavailable(f"nothing can listen on {host}:{port}", exc.strerror or exc)
