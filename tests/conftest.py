"""Fixtures that more than one folder of tests uses."""

import os
from collections.abc import Iterator
from pathlib import Path

import boto3
import numpy as np
import pytest
from hypothesis import HealthCheck, settings
from moto.server import ThreadedMotoServer
from numpy.typing import NDArray

from tests.serving import make_manifest, store_version
from weir import observability
from weir.runtime.interpreter import RUNTIMES, installed

os.environ.update(POWERTOOLS_SERVICE_NAME="weir", POWERTOOLS_METRICS_NAMESPACE="Weir")
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
observability.logger()  # binds standard output as it is now, not as one test captures it

settings.register_profile("weir", deadline=None, suppress_health_check=[HealthCheck.too_slow])  # busy machines are slow
settings.load_profile("weir")


@pytest.fixture(autouse=True)
def _forgotten_warnings() -> None:
    """Let each test begin as a process does, which has warned of nothing yet."""
    observability.warn_once.cache_clear()


@pytest.fixture
def thirds(tmp_path: Path) -> Path:
    """A folder store that serves the model `thirds`."""
    root = tmp_path / "store"
    store_version(root, make_manifest())
    return root


@pytest.fixture(params=RUNTIMES)
def runtime(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Each TFLite interpreter in turn, as the only one there is; Python 3.12 has only the deployed one."""
    name: str = request.param
    if name not in installed():
        pytest.skip(f"{name} has no build for this Python")
    monkeypatch.setattr("weir.runtime.interpreter.RUNTIMES", (name,))
    return name


@pytest.fixture
def pictures() -> NDArray[np.float32]:
    """Bright left, faint right, even, bright right: four rows that leave at different levels."""
    rows = np.zeros((4, 4, 4), np.float32)
    rows[0, :, 0], rows[1, :, 3], rows[3, :, 3] = 255, 60, 255
    return rows


@pytest.fixture
def served(thirds: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The environment of a function that serves `thirds`."""
    monkeypatch.setenv("MODEL_STORE", thirds.as_uri())
    return thirds


@pytest.fixture(scope="session")
def s3_endpoint() -> Iterator[str]:
    """An S3 over HTTP."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def bucket(s3_endpoint: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """An empty bucket of that S3, and credentials for it."""
    for name, value in {
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_REGION": "us-east-1",
        "AWS_DEFAULT_REGION": "us-east-1",
    }.items():
        monkeypatch.setenv(name, value)
    s3 = boto3.resource("s3", endpoint_url=s3_endpoint)
    found = s3.create_bucket(Bucket="weir-tests")
    yield found.name
    found.objects.all().delete()
    found.delete()
