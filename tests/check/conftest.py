"""What these tests need beside Python 3.11: they fail, and say so, where it is missing."""

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
    """The Python of Lambda, itself: pyenv's shim of that name runs only with pyenv's variables, if at all."""
    if not PYTHON.exists():
        pytest.fail("make check needs .venv-sam, made by a python3.12. Got: none")
    return str(PYTHON.resolve())


@pytest.fixture(scope="session")
def objdump() -> str:
    """What lists the symbols that a library needs."""
    found = shutil.which("objdump")
    if not found:
        pytest.fail("make check needs objdump, of binutils, on PATH. Got: none")
    return found


@pytest.fixture(scope="session")
def kserve() -> str:
    """The Python that has KServe's client, and nothing of ours."""
    found = ROOT / ".venv-kserve/bin/python"
    if not found.exists():
        pytest.fail("make check needs .venv-kserve, made by a python3.12. Got: none")
    return str(found)


@pytest.fixture(scope="session")
def chromium() -> str:
    """A real browser."""
    found = shutil.which("chromium")
    if not found:
        pytest.fail("make check needs chromium, Debian's browser, on PATH. Got: none")
    return found


@pytest.fixture(scope="session")
def image() -> str:
    """A base image for `sam local`, and an engine to run it."""
    found = os.environ.get("SAM_LOCAL_IMAGE")
    if not found:
        pytest.fail(
            "make check needs SAM_LOCAL_IMAGE, a Lambda base image such as public.ecr.aws/lambda/python:3.12. Got: none"
        )
    if not shutil.which("docker") or subprocess.run(["docker", "info"], capture_output=True, check=False).returncode:
        pytest.fail("make check needs a container engine that `docker info` reaches. Got: none")
    return found


@pytest.fixture(scope="session")
def built(python312: str) -> Path:
    """What `sam build` makes."""
    done = sam("build")
    assert done.returncode == 0, done.stdout + done.stderr
    return BUILD


@pytest.fixture(scope="session")
def store_endpoint() -> Iterator[str]:
    """An S3 that containers reach: the model that the sample events ask for, their batch files, and `thirds`."""
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
