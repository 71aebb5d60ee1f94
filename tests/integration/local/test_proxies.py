"""weir.catalog.proxies: this machine is asked directly, and other hosts through the proxy."""

import http.server
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.http_servers import running
from weir import proxies

LOCAL = """
import sys
import requests
from local.system import System
from training.client.clients import HttpClient
from training.publishing.stores import open_store
from weir.catalog.mounts import END_TO_END
from weir.errors import NotFound
with System() as system:
    import os
    os.environ.update(system.environment)
    store = open_store(system.store, system.store_endpoint)
    store.put("models/x", b"1")
    from weir.catalog.store import Store
    assert Store(system.store, endpoint=system.store_endpoint).get("models/x") == b"1"
    assert requests.get(system.url + "/v2/health/ready", timeout=60).json() == {"ready": True}
    try:
        HttpClient(system.url.replace("127.0.0.1", "localhost"), END_TO_END).metadata("m", "")
    except NotFound:
        print("answered", end="")
"""
"""uses everything that talks on one machine: the S3, the queue, the gateway, the functions and the clients"""
REMOTE = """
from training.cli import main
main(["predict", "m", "--text", "any", "--url", "http://api.example.invalid"])
"""


class _Proxy(http.server.BaseHTTPRequestHandler):
    """A proxy that lets nothing through, and remembers what it was asked for."""

    server: "_ProxyServer"

    def do_GET(self) -> None:
        self.server.asked.append(self.path)
        self.send_response(502)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def do_POST(self) -> None:
        """Refuse it."""
        self.do_GET()

    def do_PUT(self) -> None:
        """Refuse it."""
        self.do_GET()

    def do_CONNECT(self) -> None:
        """Refuse it."""
        self.do_GET()

    def log_message(self, *_: object) -> None:
        """Print nothing."""


class _ProxyServer(http.server.ThreadingHTTPServer):
    asked: list[str]


@pytest.fixture
def proxy() -> Iterator[_ProxyServer]:
    server = _ProxyServer(("127.0.0.1", 0), _Proxy)
    server.asked = []
    with running(server):
        yield server


def _run(proxy: _ProxyServer, code: str, **more: str) -> subprocess.CompletedProcess[str]:
    variables = {name: value for name, value in os.environ.items() if name not in proxies.EXCEPTIONS}
    variables |= dict.fromkeys(proxies.VARIABLES, f"http://127.0.0.1:{proxy.server_port}")
    return subprocess.run(
        [sys.executable, "-c", code],
        env={**variables, **more},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def test_nothing_on_this_machine_is_asked_through_a_proxy(proxy: _ProxyServer) -> None:
    """The local system works where every variable names a proxy, and the proxy is never asked."""
    done = _run(proxy, LOCAL)
    assert done.stdout == "answered", done.stderr[-2000:]
    assert proxy.asked == []


def test_an_api_elsewhere_is_asked_through_the_proxy(proxy: _ProxyServer, tmp_path: Path) -> None:
    """Only this machine is an exception; those of the user stay."""
    done = _run(proxy, REMOTE)
    assert done.returncode == 1
    assert proxy.asked == ["http://api.example.invalid/v2/models/m"]
    done = _run(proxy, REMOTE, NO_PROXY="example.invalid")
    assert "no host has this name" in done.stderr
    assert len(proxy.asked) == 1


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ({}, "localhost,127.0.0.1,127.0.0.0/8,0.0.0.0,::1,my-host"),
        (
            {"NO_PROXY": "a, b", "no_proxy": "b,localhost"},
            "a,b,localhost,127.0.0.1,127.0.0.0/8,0.0.0.0,::1,my-host",
        ),
    ],
)
def test_exceptions_are_added(monkeypatch: pytest.MonkeyPatch, before: dict[str, str], after: str) -> None:
    """Both spellings name the same hosts: those of either, this machine, and those that are given; twice is once."""
    monkeypatch.setattr(os, "environ", dict(before))
    for _ in range(2):
        proxies.bypass("my-host")
    assert os.environ == dict.fromkeys(proxies.EXCEPTIONS, after)


def test_an_exception_for_all_hosts_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    """An asterisk counts only where it stands alone."""
    monkeypatch.setattr(os, "environ", {"no_proxy": "*"})
    proxies.bypass()
    assert os.environ == {"no_proxy": "*"}
