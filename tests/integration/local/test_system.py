"""local.system: the whole system, through HTTP and S3."""

import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

import boto3
import numpy as np
import pytest
import requests
from numpy.typing import NDArray

from local.aws import BUCKET
from local.system import System
from tests.integration.local.dead_letters import dead_letter
from tests.integration.local.processes import eventually
from tests.serving import make_manifest, request_body, version_files


@pytest.fixture(scope="module")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    """A system with an S3 of its own, and the model `thirds` in it."""
    with System(log=tmp_path_factory.mktemp("system") / "functions.log") as running:
        for key, content in version_files(make_manifest()).items():
            _client(running, "s3").put_object(Bucket=BUCKET, Key=key, Body=content)
        yield running


def _client(system: System, service: Literal["s3", "sqs"]) -> Any:  # noqa: ANN401 (boto3 makes its clients at run time)
    environment = system.environment
    return boto3.client(
        service,
        endpoint_url=system.store_endpoint,
        region_name=environment["AWS_REGION"],
        aws_access_key_id=environment["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=environment["AWS_SECRET_ACCESS_KEY"],
    )


def _summary(system: System, path: str) -> dict[str, Any]:
    s3, key = _client(system, "s3"), f"batches/out/{path}/summary.json"

    def written() -> bool:
        return bool(s3.list_objects_v2(Bucket=BUCKET, Prefix=key)["KeyCount"])

    assert eventually(written, timeout_s=60), f"no summary of {path} after 60 seconds"
    summary: dict[str, Any] = json.loads(s3.get_object(Bucket=BUCKET, Key=key)["Body"].read())
    return summary


@pytest.mark.parametrize(("mount", "exits"), [("", None), ("/cascade", [1, 2, 2, 1])], ids=["end-to-end", "cascade"])
def test_rows_are_answered_over_http(
    system: System, pictures: NDArray[np.float32], mount: str, exits: list[int] | None
) -> None:
    """Both mounts answer, through the routes of the template and the functions' own processes."""
    body = request_body(pictures.tolist(), [4, 4, 4])
    answer = requests.post(f"{system.url}{mount}/v2/models/thirds/infer", data=body, timeout=30).json()
    values = {tensor["name"]: tensor["data"] for tensor in answer["outputs"]}
    assert values["label"] == ["left", "right", "left", "right"]
    assert values.get("exit_level") == exits


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("GET", "/v2", b"", 200),
        ("GET", "/cascade/v2/health/ready", b"", 200),
        ("GET", "/v2/models/thirds", b"", 200),
        ("GET", "/v2/models/th%69rds", b"", 200),
        ("GET", "/v2/models/nobody", b"", 404),
        ("GET", "/v2/models/..%2F..%2Fx", b"", 404),
        ("GET", "/nothing", b"", 404),
        ("DELETE", "/v2/models/thirds", b"", 405),
        ("POST", "/v2/models/thirds/infer", b"", 400),
        ("POST", "/v2/models/thirds/infer", b"[" * 100_000, 400),
        ("POST", "/v2/models/thirds/infer", b"0" * 2_000_000, 400),
        ("POST", "/cascade/v2/models/nobody/infer", b"{}", 404),
    ],
)
def test_every_answer_of_a_function_is_the_protocols(
    system: System, method: str, path: str, body: bytes, status: int
) -> None:
    """Errors are documents with the key `error` and have their status."""
    answer = requests.request(method, system.url + path, data=body, timeout=30)
    assert answer.status_code == status
    assert (set(answer.json()) == {"error"}) == (status >= 400)


def test_a_wrong_verb_gets_the_allowed_ones(system: System) -> None:
    """The Allow header passes the gateway."""
    assert requests.put(f"{system.url}/v2/models/thirds/infer", timeout=30).headers["Allow"] == "POST"


@pytest.mark.parametrize("path", ["thirds/a b=1.npy", "thirds/cascade/ä.npy"])
def test_a_dropped_file_comes_back_as_predictions(system: System, pictures: NDArray[np.float32], path: str) -> None:
    """S3 notifies the queue, the queue calls the function, and the function writes its answers to the store."""
    file = io.BytesIO()
    np.save(file, pictures)
    _client(system, "s3").put_object(Bucket=BUCKET, Key=f"batches/in/{path}", Body=file.getvalue())
    assert _summary(system, path)["labels"] == {"left": 2, "right": 2}


def test_a_message_that_fails_does_not_stop_the_queue(system: System, pictures: NDArray[np.float32]) -> None:
    """It is delivered three times, then it is a dead letter, and its summary says why; the next file is answered."""
    s3 = _client(system, "s3")
    s3.put_object(Bucket=BUCKET, Key="models/broken/aliases/champion.json", Body=b"damaged")
    s3.put_object(Bucket=BUCKET, Key="batches/in/broken/a.npy", Body=b"")
    file = io.BytesIO()
    np.save(file, pictures)
    s3.put_object(Bucket=BUCKET, Key="batches/in/thirds/after.npy", Body=file.getvalue())
    assert _summary(system, "thirds/after.npy")["answered"] == 4
    assert "broken" in dead_letter(_client(system, "sqs"))
    summary = _summary(system, "broken/a.npy")
    assert summary["failed"]
    assert "models/broken/aliases/champion.json" in summary["error"]


def test_a_given_store_is_served_without_an_s3(thirds: Path) -> None:
    """Its models answer, and no S3 is started."""
    with System(store=thirds.as_uri()) as system:
        assert system.store_endpoint == ""
        assert requests.get(f"{system.url}/v2/models/thirds/ready", timeout=30).json()["ready"] is True
