"""The models function: health, metadata, and unknown routes."""

import json
from pathlib import Path

import pytest

from tests.serving import artifact, call, error, load_app
from weir import __version__
from weir.api import descriptions
from weir.catalog import keys

pytestmark = pytest.mark.usefixtures("runtime")


@pytest.mark.parametrize("prefix", ["", "/cascade"])
@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/v2/health/live", {"live": True}),
        ("/v2/health/ready", {"ready": True}),
        ("/v2/models/thirds/ready", {"name": "thirds", "ready": True}),
        ("/v2/models/thirds/versions/1/ready", {"name": "thirds", "ready": True}),
    ],
)
def test_health(served: Path, prefix: str, path: str, expected: dict[str, object]) -> None:
    """The server is live and ready, and so is each model."""
    answer = call(load_app("models"), "GET", prefix + path)
    assert (answer["statusCode"], json.loads(answer["body"])) == (200, expected)


@pytest.mark.parametrize("path", ["/v2", "/v2/", "/cascade/v2", "/cascade/v2/"])
def test_server_metadata(served: Path, path: str) -> None:
    """It has name, version and extensions, with a slash at the end of the path or without."""
    expected = {"name": "weir", "version": __version__, "extensions": list(descriptions.EXTENSIONS)}
    assert json.loads(call(load_app("models"), "GET", path)["body"]) == expected


@pytest.mark.parametrize("prefix", ["", "/cascade"])
@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/v2/models/nobody", 404),
        ("/v2/models/nobody/ready", 404),
        ("/v2/models/thirds/versions/2", 404),
        ("/v2/models/thirds/versions/2/ready", 404),
        ("/v2/models/THIRDS", 400),
        ("/v2/models/THIRDS/ready", 400),
        ("/v2/models/thirds/versions/0", 400),
        ("/v2/models/a%22b", 400),
        ("/v2/models/%0A/ready", 400),
    ],
)
def test_unknown_and_impossible_names(served: Path, prefix: str, path: str, status: int) -> None:
    """An impossible name is a 400, and one that is not published a 404."""
    answer = call(load_app("models"), "GET", prefix + path)
    assert answer["statusCode"] == status
    error(answer)


def test_a_damaged_manifest_is_a_503(served: Path) -> None:
    """It is not the caller's fault, and the model is not ready."""
    (served / keys.manifest("thirds", 1)).write_bytes(b"{")
    app = load_app("models")
    assert call(app, "GET", "/v2/models/thirds")["statusCode"] == 503
    assert json.loads(call(app, "GET", "/v2/models/thirds/ready")["body"])["ready"] is False


def test_a_bucket_that_is_not_there_is_not_ready(
    s3_endpoint: str, bucket: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A wrong bucket shows as an unavailable store, not as a missing model."""
    monkeypatch.setenv("MODEL_STORE", f"s3://{bucket}-not")
    monkeypatch.setenv("MODEL_STORE_ENDPOINT", s3_endpoint)
    app = load_app("models")
    assert json.loads(call(app, "GET", "/v2/health/ready")["body"]) == {"ready": False}
    assert call(app, "GET", "/v2/models/thirds")["statusCode"] == 503


@pytest.mark.parametrize(("prefix", "extra"), [("", []), ("/cascade", ["exit_level", "confidence", "path"])])
def test_model_metadata(served: Path, prefix: str, extra: list[str]) -> None:
    """They have inputs and outputs with names, datatypes and shapes, and the levels of the cascade."""
    document = json.loads(call(load_app("models"), "GET", f"{prefix}/v2/models/thirds")["body"])
    assert document["inputs"] == [{"name": "image", "datatype": "FP32", "shape": [-1, 4, 4]}]
    assert [tensor["name"] for tensor in document["outputs"]] == ["probabilities", "label", *extra]
    assert document["versions"] == ["1"]
    assert document["parameters"]["labels"] == ["left", "middle", "right"]
    assert ("levels" in document["parameters"]) == bool(prefix)


def test_a_model_that_cannot_answer_is_not_ready(served: Path) -> None:
    """A version whose network is missing is a 503."""
    (served / keys.artifact("thirds", 1, artifact("large").digest)).unlink()
    answer = call(load_app("models"), "GET", "/v2/models/thirds/ready")
    assert (answer["statusCode"], json.loads(answer["body"])) == (503, {"name": "thirds", "ready": False})


def test_a_store_that_is_down_is_not_ready(monkeypatch: pytest.MonkeyPatch) -> None:
    """The server is live, but not ready."""
    monkeypatch.setenv("MODEL_STORE", "s3://nowhere")
    monkeypatch.setenv("MODEL_STORE_ENDPOINT", "http://127.0.0.1:9")
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "x")
    app = load_app("models")
    assert call(app, "GET", "/v2/health/live")["statusCode"] == 200
    assert call(app, "GET", "/v2/health/ready")["statusCode"] == 503


@pytest.mark.parametrize(
    "path", ["/", "/v1/models", "/v2//", "/v2/models/thirds/infer/more", "/v2/repository", "/docs/"]
)
def test_unknown_routes_are_not_found(served: Path, path: str) -> None:
    """The $default route answers in the protocol's form."""
    answer = call(load_app("models"), "GET", path)
    assert answer["statusCode"] == 404
    assert error(answer).endswith(f"Got: {path}")


@pytest.mark.parametrize(
    ("method", "path", "allow"),
    [
        ("DELETE", "/v2/models/thirds", "GET"),
        ("GET", "/v2/models/thirds/infer", "POST"),
        ("PUT", "/cascade/v2", "GET"),
        ("POST", "/v2/", "GET"),
        ("GET", "/v2/repository/index", "POST"),
        ("GET", "/v1/models/thirds:predict", "POST"),
        ("POST", "/docs", "GET"),
        ("DELETE", "/openapi.json", "GET"),
        ("POST", "/v2/models/thirds/stats", "GET"),
        ("HEAD", "/v2/health/live", "GET"),
        ("OPTIONS", "/cascade/v2/models/thirds/versions/1/infer", "POST"),
        ("POST", "/v2/models/thirds/versions/1/ready", "GET"),
    ],
)
def test_a_wrong_verb_is_not_allowed(served: Path, method: str, path: str, allow: str) -> None:
    """It is a 405, whose Allow header has the verb of the path."""
    answer = call(load_app("models"), method, path)
    assert answer["statusCode"] == 405
    assert answer["headers"]["Allow"] == allow
    assert error(answer).endswith(f"Got: {method}")
