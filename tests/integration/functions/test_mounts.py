"""What both mounts do alike: versions, refusals, damaged models."""

import json
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.serving import (
    artifact,
    call,
    error,
    load_app,
    make_manifest,
    outputs,
    request_body,
    store_version,
    version_files,
)
from weir.api.http_responses import UNAVAILABLE
from weir.catalog import keys
from weir.catalog.store import Store

MOUNTS = [("predict", "/v2/models/thirds"), ("cascade", "/cascade/v2/models/thirds")]

VALID = request_body([0] * 16, [1, 4, 4])
EMPTY = request_body([], [1, 4, 4])
BAD_BODIES = {
    "no JSON": b"no json",
    "empty": b"",
    "null": b"null",
    "text": b'"text"',
    "no inputs": b"{}",
    "empty inputs": b'{"inputs": []}',
    "brackets": b"[" * 100_000,
    "closed brackets": EMPTY.replace(b"[]", b"[" * 50_000 + b"]" * 50_000),
    "bytes": b"\xff\xfe\xfd",
    "bytes in the data": EMPTY.replace(b"[]", b'["\xff"]'),
    "wrong name": VALID.replace(b"image", b"picture"),
    "wrong datatype": VALID.replace(b"FP32", b"INT8"),
    "wrong shape": request_body([0] * 15, [1, 3, 5]),
    "flat shape": request_body([0] * 16, [16]),
    "no rows": request_body([], [0, 4, 4]),
    "too many rows": request_body([0] * 1025 * 16, [1025, 4, 4]),
    "rows beyond counting": request_body([0] * 16, [10**30, 4, 4]),
    "too few values": request_body([0] * 15, [1, 4, 4]),
    "NaN": request_body([float("nan")] * 16, [1, 4, 4]),
    "infinity": request_body([float("inf")] * 16, [1, 4, 4]),
    "beyond FP32": request_body([1e39] * 16, [1, 4, 4]),
    "null values": request_body([None] * 16, [1, 4, 4]),
    "text values": request_body(["0"] * 16, [1, 4, 4]),
    "unknown output": request_body([0] * 16, [1, 4, 4], outputs=[{"name": "nothing"}]),
    "a parameter that cannot be honoured": request_body([0] * 16, [1, 4, 4], parameters={"priority": 1}),
}

pytestmark = pytest.mark.usefixtures("runtime")


@pytest.mark.parametrize(("name", "base"), MOUNTS)
def test_a_version_is_requested_by_number_or_alias(served: Path, name: str, base: str) -> None:
    """Either is part of the path, and the answer has the number."""
    store_version(served, make_manifest(), 2)
    app = load_app(name)
    for version, number in (("1", "1"), ("champion", "2")):
        answer = call(app, "POST", f"{base}/versions/{version}/infer", request_body([0] * 16, [1, 4, 4], id="x"))
        assert json.loads(answer["body"])["model_version"] == number
        assert json.loads(answer["body"])["id"] == "x"


@pytest.mark.parametrize(("name", "base"), MOUNTS)
def test_a_damaged_artifact_is_a_503(served: Path, name: str, base: str) -> None:
    """One changed bit is enough; it is not the caller's fault, and the answer names no file."""
    for network in ("tiny", "large"):
        path = served / keys.artifact("thirds", 1, artifact(network).digest)
        content = bytearray(path.read_bytes())
        content[-1] ^= 1
        path.write_bytes(content)
    answer = call(load_app(name), "POST", f"{base}/infer", request_body([0] * 16, [1, 4, 4]))
    assert answer["statusCode"] == 503
    assert error(answer) == UNAVAILABLE


@pytest.mark.parametrize(("name", "base"), MOUNTS)
def test_a_store_that_is_down_is_a_503(name: str, base: str, bucket: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is not the caller's fault, and another try may work."""
    monkeypatch.setenv("MODEL_STORE", f"s3://{bucket}")
    monkeypatch.setenv("MODEL_STORE_ENDPOINT", "http://127.0.0.1:9")
    answer = call(load_app(name), "POST", f"{base}/infer", request_body([0] * 16, [1, 4, 4]))
    assert answer["statusCode"] == 503
    assert error(answer) == UNAVAILABLE


@pytest.mark.parametrize(("name", "base"), MOUNTS)
def test_models_are_served_from_s3(
    name: str, base: str, bucket: str, s3_endpoint: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They are read over HTTP, from below a prefix of the bucket."""
    store = Store(f"s3://{bucket}/some/prefix", endpoint=s3_endpoint)
    for key, content in version_files(make_manifest()).items():
        store.put(key, content)
    monkeypatch.setenv("MODEL_STORE", store.url)
    monkeypatch.setenv("MODEL_STORE_ENDPOINT", s3_endpoint)
    answer = call(load_app(name), "POST", f"{base}/infer", request_body([0] * 16, [1, 4, 4]))
    assert outputs(answer)["label"] == ["left"]


@pytest.mark.parametrize(("name", "base"), MOUNTS)
@pytest.mark.parametrize("body", BAD_BODIES.values(), ids=BAD_BODIES)
def test_bad_requests_are_the_callers(served: Path, name: str, base: str, body: bytes) -> None:
    """They get a 400 with one error that has the rule and the value, never a 500 or a traceback."""
    answer = call(load_app(name), "POST", f"{base}/infer", body)
    assert answer["statusCode"] == 400
    assert ". Got: " in error(answer)
    assert "Traceback" not in answer["body"]


@given(start=st.integers(0, len(VALID)), length=st.integers(0, 40), put=st.binary(max_size=20))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_damaged_body_breaks_a_function(served: Path, start: int, length: int, put: bytes) -> None:
    """A body that is cut or overwritten anywhere is answered or refused."""
    answer = call(load_app("cascade"), "POST", f"{MOUNTS[1][1]}/infer", VALID[:start] + put + VALID[start + length :])
    assert answer["statusCode"] in {200, 400}


@pytest.mark.parametrize(("name", "prefix"), [("predict", "/v2"), ("cascade", "/cascade/v2")])
@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/models/nobody/infer", 404),
        ("/models/thirds/versions/9/infer", 404),
        ("/models/thirds/versions/nobody/infer", 404),
        ("/models/THIRDS/infer", 404),
        ("/models/thirds/versions/-1/infer", 404),
        ("/models/%2e%2e/infer", 404),
        (f"/models/{'a' * 3000}/infer", 404),
        ("/models/a%22b/infer", 404),
        ("/models/a%5Cb/infer", 404),
        ("/models/%0A/infer", 404),
        ("/models/%C3%A4/infer", 404),
        ("/models/%FF/infer", 404),
        ("/models/thirds/versions/%22/infer", 404),
        ("/models/a%2Fb/infer", 404),
    ],
)
def test_unknown_and_impossible_names(served: Path, name: str, prefix: str, path: str, status: int) -> None:
    """A model or a version that is not published is a 404, whatever its name."""
    answer = call(load_app(name), "POST", prefix + path, request_body([0] * 16, [1, 4, 4]))
    assert answer["statusCode"] == status
    assert len(error(answer)) < 400


def test_nesting_of_any_depth_is_a_bad_request(served: Path) -> None:
    """This holds at the depths, too, where the stack of a request is nearly used up."""
    app = load_app("predict")
    for depth in range(900, 1010):
        body = EMPTY.replace(b"[]", b'{"a":' * depth + b"1" + b"}" * depth)
        answer = call(app, "POST", "/v2/models/thirds/infer", body)
        assert answer["statusCode"] == 400
