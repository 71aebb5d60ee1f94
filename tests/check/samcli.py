"""Run the SAM CLI."""

import os
import re
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.serving import ROOT

SAM = ROOT / ".venv-sam/bin/sam"
PYTHON = SAM.with_name("python3.12")
BUCKET = "weir-store"
BUILD = ROOT / ".aws-sam/build"
HOST_SEEN_FROM_A_CONTAINER = "172.17.0.1"

_START_S, _STOP_S = 300, 60
_CONTAINER = re.compile(r"SAM_CONTAINER_ID: ([0-9a-f]+)")
_CREDENTIALS = {"AWS_ACCESS_KEY_ID": "local", "AWS_SECRET_ACCESS_KEY": "local", "AWS_DEFAULT_REGION": "us-east-1"}


def environment() -> dict[str, str]:
    """Return this process's variables with a python3.12 on PATH, credentials of nobody, and no retries or telemetry."""
    path = f"{PYTHON.resolve().parent}{os.pathsep}{os.environ['PATH']}"
    return {**os.environ, **_CREDENTIALS, "PATH": path, "AWS_MAX_ATTEMPTS": "1", "SAM_CLI_TELEMETRY": "0"}


def sam(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """Run the SAM CLI in the repository."""
    return subprocess.run(
        [SAM, *map(str, arguments)], cwd=ROOT, env=environment(), capture_output=True, text=True, check=False
    )


def overrides(store_endpoint: str) -> tuple[str, str]:
    """Return the arguments with which functions in containers use an S3 on this machine."""
    port = store_endpoint.rpartition(":")[2]
    store = f"Store=s3://{BUCKET} StoreEndpoint=http://{HOST_SEEN_FROM_A_CONTAINER}:{port}"
    return "--parameter-overrides", store


@contextmanager
def start_api(*arguments: str, log: Path) -> Iterator[str]:
    """Run `sam local start-api` on a free port, and yield its URL."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    own = ("--warm-containers", "EAGER", "--port", str(port))
    with (
        log.open("wb") as output,
        subprocess.Popen(
            [SAM, "local", "start-api", *own, *arguments], cwd=ROOT, env=environment(), stdout=output, stderr=output
        ) as running,
    ):
        try:
            _wait(port, running, log)
            yield f"http://127.0.0.1:{port}"
        finally:
            running.terminate()
            try:
                running.wait(_STOP_S)
            finally:
                running.kill()
                _remove_containers(log)


def _wait(port: int, running: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + _START_S
    while running.poll() is None and time.monotonic() < deadline:
        try:
            socket.create_connection(("127.0.0.1", port)).close()
        except ConnectionRefusedError:
            time.sleep(0.2)
        else:
            return
    raise RuntimeError(f"sam local start-api did not listen:\n{log.read_text()}")


def _remove_containers(log: Path) -> None:
    """Remove the containers that SAM leaves: its threads start some that its own clean-up does not list."""
    started = _CONTAINER.findall(log.read_text())
    subprocess.run(["docker", "rm", "--force", *started], capture_output=True, check=False)
