"""local.gateway: real HTTP to real processes."""

import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from local.function import Function
from local.gateway import MAX_BODY_BYTES, Gateway, Server
from local.template import ANY, FunctionSpec, Route
from weir.errors import Unavailable

# Over HTTP, no event can control what a handler does, so each of these does one thing.
HANDLERS = {
    "Echo": "import json\ndef handler(event, context): return {'statusCode': 200, 'body': json.dumps(event)}",
    "Raise": "def handler(event, context): raise ValueError('secret')",
    "Slow": "import time\ndef handler(event, context): time.sleep(30)",
    "Big": "def handler(e, c): return {'statusCode': 200, 'body': 'AAAA' * 1_600_000, 'isBase64Encoded': True}",
    "Odd": "def handler(event, context): return {'statusCode': 'odd'}",
    "Lines": "def handler(event, context): return {'statusCode': 200, 'headers': {'a': 'b\\r\\nc: d'}}",
    "Cookies": "def handler(e, c): return {'statusCode': 200, 'headers': {'a': 'b'}, 'cookies': ['x=1', 'y=2']}",
}


@pytest.fixture
def functions(tmp_path: Path) -> Iterator[dict[str, Function]]:
    """One process each, with a timeout of a second."""
    functions = {}
    for name, code in HANDLERS.items():
        folder = tmp_path / name
        folder.mkdir()
        (folder / "app.py").write_text(code)
        functions[name] = Function(FunctionSpec(name, folder, "app.handler", 1, 128, {}), {}, tmp_path / "log")
    yield functions
    for function in functions.values():
        function.close()


@pytest.fixture
def url(functions: dict[str, Function]) -> Iterator[str]:
    """A gateway with a route to each function."""
    routes = [
        Route("POST", "/models/{model}/infer", "Echo"),
        Route("GET", "/raise", "Raise"),
        Route("GET", "/slow", "Slow"),
        Route("GET", "/big", "Big"),
        Route("GET", "/odd", "Odd"),
        Route("GET", "/lines", "Lines"),
        Route(ANY, "/cookies", "Cookies"),
        Route(ANY, "$default", "Echo"),
    ]
    server = Server(Gateway(routes, functions), "127.0.0.1", 0)
    yield server.url
    server.close()


def test_a_route_gets_its_event(url: str) -> None:
    """It has decoded path and parameters, the raw query, and the body."""
    event = requests.post(f"{url}/models/a%20b/infer?x=1&x=2", data=b"\x00\xff", timeout=10).json()
    assert event["routeKey"] == "POST /models/{model}/infer"
    assert event["rawPath"] == "/models/a b/infer"
    assert event["pathParameters"] == {"model": "a b"}
    assert event["queryStringParameters"] == {"x": "1,2"}
    assert event["body"] == "AP8="


@pytest.mark.parametrize("verb", ["GET", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "INVENTED"])
def test_other_verbs_and_paths_go_to_the_default_route(url: str, verb: str) -> None:
    """Unknown verbs and paths reach it, even invented verbs."""
    for path in ("/models/a/infer", "/models/a/b/infer", "/", "/models/a%2Fb/infer/x"):
        event = requests.request(verb, url + path, timeout=10).json()
        assert (event["routeKey"], event["requestContext"]["http"]["method"]) == ("$default", verb)


def test_head_is_answered_without_a_body(url: str) -> None:
    """The connection stays usable."""
    session = requests.Session()
    assert session.head(url + "/models/a/infer", timeout=10).content == b""
    assert session.get(url + "/x", timeout=10).status_code == 200


@pytest.mark.parametrize(
    ("path", "status", "message"),
    [
        ("/raise", 500, "Internal Server Error"),
        ("/slow", 503, "Service Unavailable"),
        ("/big", 500, "Internal Server Error"),
        ("/odd", 500, "Internal Server Error"),
        ("/lines", 500, "Internal Server Error"),
    ],
)
def test_functions_that_fail_are_answered_by_the_gateway(url: str, path: str, status: int, message: str) -> None:
    """The status is API Gateway's, and the body has nothing of the function's error."""
    answer = requests.get(url + path, timeout=20)
    assert (answer.status_code, answer.json()) == (status, {"message": message})


def test_headers_and_cookies_arrive(url: str) -> None:
    """Headers of the function arrive, and each cookie by itself."""
    answer = requests.get(url + "/cookies", timeout=10)
    assert answer.headers["a"] == "b"
    assert answer.cookies.get_dict() == {"x": "1", "y": "2"}


def test_a_body_that_no_lambda_takes_is_refused(url: str) -> None:
    """Lambda takes six megabytes of event, which are about 4.5 of body."""
    answer = requests.post(url + "/models/a/infer", data=b"0" * (MAX_BODY_BYTES + 1), timeout=20)
    assert (answer.status_code, answer.json()) == (413, {"message": "Request Too Long"})


def test_a_client_that_leaves_harms_nobody(url: str) -> None:
    """After half a request, the next one is answered."""
    host, port = url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port))) as half:
        half.sendall(b"POST /models/a/infer HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nhalf")
    assert requests.get(url + "/x", timeout=10).status_code == 200


def test_without_a_default_route_the_gateway_says_not_found(functions: dict[str, Function]) -> None:
    """An unknown path is then the gateway's own 404."""
    server = Server(Gateway([Route("GET", "/raise", "Raise")], functions), "127.0.0.1", 0)
    answer = requests.get(server.url + "/x", timeout=10)
    server.close()
    assert (answer.status_code, answer.json()) == (404, {"message": "Not Found"})


def test_a_port_that_is_taken_is_a_clear_error(url: str) -> None:
    """It says what to do."""
    with pytest.raises(Unavailable, match=r"the port \d+ is taken: .*--port 0 takes a free one"):
        Server(Gateway([], {}), "127.0.0.1", int(url.rpartition(":")[2]))


def test_an_address_of_another_machine_is_a_clear_error() -> None:
    """It says which address failed, and what the system said."""
    with pytest.raises(Unavailable, match=r"nothing can listen on 192\.0\.2\.1:0: Cannot assign"):
        Server(Gateway([], {}), "192.0.2.1", 0)


def test_a_client_that_never_ends_its_request_does_not_keep_the_gateway(functions: dict[str, Function]) -> None:
    """Closing does not wait for the rest of a request."""
    server = Server(Gateway([Route(ANY, "$default", "Echo")], functions), "127.0.0.1", 0)
    host, port = server.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port))) as half:
        half.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nhalf")
        requests.get(server.url, timeout=10).raise_for_status()
        closing = threading.Thread(target=server.close, daemon=True)
        closing.start()
        closing.join(30)
        assert not closing.is_alive()


CROWDED = """
import resource, socket, sys, time
resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))
import requests
from pathlib import Path
from local.function import Function
from local.gateway import Gateway, Server
from local.template import ANY, FunctionSpec, Route
folder = Path(sys.argv[1])
function = Function(FunctionSpec("Echo", folder, "app.handler", 5, 128, {}), {}, folder / "log")
server = Server(Gateway([Route(ANY, "$default", "Echo")], {"Echo": function}), "127.0.0.1", 0)
print(server.url, flush=True)
sys.stdin.read()
server.close()
"""
"""serves with 64 file descriptors until its input ends"""


def test_more_connections_than_file_descriptors_are_refused(tmp_path: Path) -> None:
    """Further connections get a 503, those that are served are answered, one line is logged, and all recovers."""
    (tmp_path / "app.py").write_text(HANDLERS["Echo"])
    with subprocess.Popen(
        [sys.executable, "-c", CROWDED, str(tmp_path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout
        url = process.stdout.readline().strip()
        address = ("127.0.0.1", int(url.rpartition(":")[2]))
        session = requests.Session()
        assert session.get(url, timeout=20).status_code == 200
        crowd = [socket.create_connection(address, timeout=20) for _ in range(200)]
        assert crowd[-1].recv(1000).startswith(b"HTTP/1.1 503 Service Unavailable\r\n")
        refused = requests.get(url, timeout=20)
        assert (refused.status_code, refused.json()) == (503, {"message": "Service Unavailable"})
        for number in range(4):  # several functions at once, each with files of its own
            crowd[number].sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        for number in range(4):
            assert crowd[number].recv(100).startswith(b"HTTP/1.1 200 OK\r\n")
        for connection in crowd:
            connection.close()
        deadline = time.monotonic() + 20
        while requests.get(url, timeout=20).status_code != 200:
            assert time.monotonic() < deadline
            time.sleep(0.1)
        session.close()
        _, log = process.communicate("", timeout=30)
    assert process.returncode == 0
    assert log.count("\n") == 1, log
    assert "connections are open: further ones get a 503 until some close" in log
