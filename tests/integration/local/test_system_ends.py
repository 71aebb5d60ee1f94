"""local.system: however it ends, no thread or process is left.

No other system runs beside it here, for its threads could not be distinguished.
"""

import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import requests

from local import template
from local.system import TEMPLATE, System
from tests.integration.local.processes import alive, eventually
from weir.errors import Unavailable

# Each worker writes its process ID; then it is busy for longer than any test.
BUSY = """
import os, pathlib, time
def handler(event, context):
    pathlib.Path(__file__).with_name("pid").write_text(str(os.getpid()))
    time.sleep(25)
"""
RUN = """
import signal, sys
from pathlib import Path
from local.system import System
signal.signal(signal.SIGINT, signal.default_int_handler)  # a job in the background begins with it ignored
with System(Path(sys.argv[1]), log=Path(sys.argv[2])) as system:
    print(system.url, flush=True)
    signal.pause()
"""


@pytest.fixture
def threads() -> Iterator[None]:
    """Check that all threads of a test end with it: those of connections end when the other side has noticed."""
    before = set(threading.enumerate())
    yield
    assert eventually(lambda: set(threading.enumerate()) <= before)


def _fail(system: System) -> None:
    requests.get(f"{system.url}/v2", timeout=30).raise_for_status()
    raise RuntimeError("of the block")


def test_everything_ends_with_the_block(threads: None) -> None:
    """After an exception, too, no thread and no listener is left."""
    with pytest.raises(RuntimeError, match="of the block"), System() as system:
        _fail(system)
    for url in (system.url, system.store_endpoint):
        with pytest.raises(requests.ConnectionError):
            requests.get(url, timeout=5)


def test_each_system_starts_with_an_empty_store(threads: None) -> None:
    """Objects in the S3 of one system are not in that of the next."""
    with System() as first:
        requests.put(f"{first.store_endpoint}/weir-store/models/x", data=b"1", timeout=30).raise_for_status()
    with System() as second:
        assert requests.get(f"{second.store_endpoint}/weir-store/models/x", timeout=30).status_code == 404


def test_a_taken_port_leaves_nothing_running(threads: None) -> None:
    """Everything that was started before is stopped again."""
    with (
        socket.create_server(("127.0.0.1", 0)) as taken,
        pytest.raises(Unavailable, match=r"the port \d+ is taken"),
        System(port=taken.getsockname()[1]),
    ):
        pass


def test_a_profile_that_does_not_exist_leaves_nothing_running(threads: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """The error has that of boto3, and moto is stopped again."""
    monkeypatch.setenv("AWS_PROFILE", "no-such-profile")
    with pytest.raises(Unavailable, match="no-such-profile"), System():
        pass


@pytest.fixture
def busy(tmp_path: Path) -> Path:
    """The template's system, with functions that are always busy."""
    for spec in template.read(TEMPLATE).functions.values():
        folder = tmp_path / "functions" / spec.folder.name
        folder.mkdir(parents=True)
        (folder / "app.py").write_text(BUSY)
    (tmp_path / "template.yaml").write_text(TEMPLATE.read_text())
    return tmp_path


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL], ids=["Ctrl-C", "killed"])
def test_no_process_outlives_the_system(busy: Path, how: signal.Signals) -> None:
    """A worker that is busy ends with it, too."""
    command = [sys.executable, "-c", RUN, str(busy / "template.yaml"), str(busy / "log")]
    with (
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as system,
        ThreadPoolExecutor(1) as pool,
    ):
        assert system.stdout
        url = system.stdout.readline().strip()
        request = pool.submit(requests.get, f"{url}/v2", timeout=60)
        written = busy / "functions/models/pid"
        assert eventually(lambda: written.exists() and bool(written.read_text()))
        pid = int(written.read_text())
        assert alive(pid)
        system.send_signal(how)
        try:
            assert system.wait(timeout=20) != 0
        finally:
            system.kill()  # or the block would wait for it for ever
        assert eventually(lambda: not alive(pid), timeout_s=15)
        assert request.exception(timeout=20) or request.result().status_code == 500
