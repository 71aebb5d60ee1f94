"""What these tests need besides Python 3.11; they fail and name it where it is missing."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import boto3
import pytest
from moto.server import ThreadedMotoServer

from tests.check.samcli import BUCKET, BUILD, PYTHON, sam
from tests.integration.local.test_triton import NEVER_ESCALATE
from tests.serving import ROOT, digits_manifest, make_manifest, version_files


@pytest.fixture(scope="session")
def python312() -> str:
    """The Python 3.12 of `.venv-sam` itself, not pyenv's shim of that name, which may not run."""
    if not PYTHON.exists():
        pytest.fail("make check needs .venv-sam, made by a python3.12. Got: none")
    return str(PYTHON.resolve())


@pytest.fixture(scope="session")
def objdump() -> str:
    """The program that lists the symbols of a library."""
    path = shutil.which("objdump")
    if not path:
        pytest.fail("make check needs objdump, of binutils, on PATH. Got: none")
    return path


@pytest.fixture(scope="session")
def kserve() -> str:
    """The Python that has KServe's client and nothing of Weir."""
    path = ROOT / ".venv-kserve/bin/python"
    if not path.exists():
        pytest.fail("make check needs .venv-kserve, made by a python3.12. Got: none")
    return str(path)


@pytest.fixture(scope="session")
def mlserver() -> str:
    """The command `mlserver`, in an environment that has nothing of Weir."""
    path = ROOT / ".venv-mlserver/bin/mlserver"
    if not path.exists():
        pytest.fail("make check needs .venv-mlserver, made by a python3.12. Got: none")
    return str(path)


@pytest.fixture(scope="session")
def chromium() -> str:
    """The path of a real browser, Chromium."""
    path = shutil.which("chromium")
    if not path:
        pytest.fail("make check needs chromium, Debian's browser, on PATH. Got: none")
    return path


@pytest.fixture(scope="session")
def image() -> str:
    """The name of a base image for `sam local`, and a container engine that answers."""
    name = os.environ.get("SAM_LOCAL_IMAGE")
    if not name:
        pytest.fail("make check needs SAM_LOCAL_IMAGE, a base image such as tests/check/sam-local/up builds. Got: none")
    if not shutil.which("docker") or subprocess.run(["docker", "info"], capture_output=True, check=False).returncode:
        pytest.fail("make check needs a container engine that `docker info` reaches. Got: none")
    return name


@pytest.fixture(scope="session")
def built(python312: str) -> Path:
    """The folder that `sam build` writes."""
    done = sam("build")
    assert done.returncode == 0, done.stdout + done.stderr
    return BUILD


@pytest.fixture(scope="session")
def store_endpoint() -> Iterator[str]:
    """An S3 that containers reach, with the model and the batch files of the sample events, and `thirds`."""
    server = ThreadedMotoServer(ip_address="0.0.0.0", port=0, verbose=False)
    server.start()
    _, port = server.get_host_and_port()
    endpoint = f"http://127.0.0.1:{port}"
    s3 = boto3.client(
        "s3",
        endpoint_url=endpoint,
        region_name="us-east-1",
        aws_access_key_id="local",
        aws_secret_access_key="local",
    )
    s3.create_bucket(Bucket=BUCKET)
    thirds = {**version_files(NEVER_ESCALATE, 2), **version_files(make_manifest())}
    for key, content in {**version_files(digits_manifest()), **thirds}.items():
        s3.put_object(Bucket=BUCKET, Key=key, Body=content)
    row = ",".join(["0"] * 784) + "\n"
    s3.put_object(Bucket=BUCKET, Key="batches/in/mnist-sample/a folder/sample=1.csv", Body=row.encode() * 2)
    yield endpoint
    s3.close()
    server.stop()
