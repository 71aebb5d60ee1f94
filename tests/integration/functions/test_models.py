"""The models function: health, metadata, and unknown routes."""

import json
from pathlib import Path

import pytest

from tests.serving import artifact, call, error, load_app, make_manifest, store_version
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
        ("/v2/models/THIRDS", 404),
        ("/v2/models/THIRDS/ready", 404),
        ("/v2/models/THIRDS/config", 404),
        ("/v2/models/thirds/versions/0", 404),
        ("/v2/models/thirds/versions/Champion", 404),
        ("/v2/models/a%22b", 404),
        ("/v2/models/%0A/ready", 404),
    ],
)
def test_unknown_and_impossible_names(served: Path, prefix: str, path: str, status: int) -> None:
    """A model or a version that is not published is a 404, whatever its name."""
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
    "path",
    [
        "/v1",
        "/v1/models/",
        "/v1/models/thirds/status",
        "/cascade/v1/models",
        "/v2//",
        "/v2/models/thirds/infer/more",
        "/v2/repository",
        "/docs/",
    ],
)
def test_unknown_routes_are_not_found(served: Path, path: str) -> None:
    """The $default route answers in the protocol's form."""
    answer = call(load_app("models"), "GET", path)
    assert answer["statusCode"] == 404
    assert error(answer).endswith(f"Got: {path}")


@pytest.mark.parametrize(
    ("method", "path", "allow"),
    [
        ("DELETE", "/v2/models/thirds", "GET, HEAD"),
        ("GET", "/v2/models/thirds/infer", "POST"),
        ("PUT", "/cascade/v2", "GET, HEAD"),
        ("POST", "/v2/", "GET, HEAD"),
        ("POST", "/", "GET, HEAD"),
        ("POST", "/v1/models/thirds", "GET, HEAD"),
        ("GET", "/v2/repository/index", "POST"),
        ("GET", "/v1/models/thirds:predict", "POST"),
        ("POST", "/docs", "GET, HEAD"),
        ("DELETE", "/openapi.json", "GET, HEAD"),
        ("POST", "/v2/models/thirds/stats", "GET"),
        ("HEAD", "/v2/models/thirds/stats", "GET"),
        ("HEAD", "/v2/models/thirds/infer", "POST"),
        ("OPTIONS", "/cascade/v2/models/thirds/versions/1/infer", "POST"),
        ("POST", "/v2/models/thirds/versions/1/ready", "GET, HEAD"),
    ],
)
def test_a_wrong_verb_is_not_allowed(served: Path, method: str, path: str, allow: str) -> None:
    """It is a 405, whose Allow header has the verb of the path."""
    answer = call(load_app("models"), method, path)
    assert answer["statusCode"] == 405
    assert answer["headers"]["Allow"] == allow
    assert error(answer).endswith(f"Got: {method}")


@pytest.mark.parametrize(
    "path", ["/", "/v2/health/live", "/cascade/v2/health/ready", "/v2", "/v2/models/thirds", "/v2/models/thirds/ready"]
)
def test_head_is_get_without_a_body(served: Path, path: str) -> None:
    """Load balancers and monitors ask so for health, and other clients for the rest."""
    app = load_app("models")
    answer, full = (call(app, verb, path) for verb in ("HEAD", "GET"))
    assert (answer["statusCode"], answer["body"], answer["headers"]) == (200, "", full["headers"])


@pytest.mark.parametrize("version", ["", "/versions/1", "/labels/champion", "/versions/champion"])
def test_the_status_of_a_model_serves_two_kinds_of_clients(served: Path, version: str) -> None:
    """KServe's V1 clients read `name` and `ready`, those of TensorFlow Serving the states of its versions."""
    store_version(served, make_manifest(), 2)
    store_version(served, make_manifest())
    answer = call(load_app("models"), "GET", f"/v1/models/thirds{version}")
    document = json.loads(answer["body"])
    assert (answer["statusCode"], document["name"], document["ready"]) == (200, "thirds", True)
    fine = {"state": "AVAILABLE", "status": {"error_code": "OK", "error_message": ""}}
    numbers = ["1"] if version else ["1", "2"]
    assert document["model_version_status"] == [{"version": number, **fine} for number in numbers]


def test_a_model_that_cannot_answer_has_a_status(served: Path) -> None:
    """It is a 503, which KServe's clients read as not ready, and the state is one of TensorFlow Serving's."""
    (served / keys.artifact("thirds", 1, artifact("large").digest)).unlink()
    answer = call(load_app("models"), "GET", "/v1/models/thirds")
    document = json.loads(answer["body"])
    assert (answer["statusCode"], document["ready"]) == (503, False)
    (status,) = document["model_version_status"]
    assert (status["version"], status["state"], status["status"]["error_code"]) == ("1", "END", "UNAVAILABLE")


def test_a_model_whose_manifest_is_damaged_has_no_status(served: Path) -> None:
    """Which versions it has is not known: the answer is the 503 of any other request."""
    (served / keys.manifest("thirds", 1)).write_bytes(b"{")
    assert call(load_app("models"), "GET", "/v1/models/thirds")["statusCode"] == 503


@pytest.mark.parametrize("path", ["nobody", "Nope", "thirds/versions/9", "thirds/labels/nobody", "nobody/metadata"])
def test_the_status_of_an_unknown_model_is_not_found(served: Path, path: str) -> None:
    """A model or version that is not published has no status and no signature."""
    answer = call(load_app("models"), "GET", f"/v1/models/{path}")
    assert answer["statusCode"] == 404
    error(answer)


def test_models_are_listed_by_name(served: Path) -> None:
    """Each that has a version is there once."""
    store_version(served, make_manifest(), 2)
    store_version(served, make_manifest("another"))
    answer = call(load_app("models"), "GET", "/v1/models")
    assert json.loads(answer["body"]) == {"models": ["another", "thirds"]}
    assert json.loads(call(load_app("models"), "GET", "/")["body"]) == {"status": "alive"}


@pytest.mark.parametrize("version", ["", "/versions/1", "/labels/champion"])
def test_a_model_has_a_signature(served: Path, version: str) -> None:
    """It is that of a Keras model in TensorFlow Serving: the inputs, and the probabilities that `:predict` returns."""
    document = json.loads(call(load_app("models"), "GET", f"/v1/models/thirds{version}/metadata")["body"])
    assert document["model_spec"] == {"name": "thirds", "signature_name": "", "version": "1"}
    signature = document["metadata"]["signature_def"]["signature_def"]["serving_default"]
    assert signature["method_name"] == "tensorflow/serving/predict"
    sizes = {name: [dim["size"] for dim in one["tensor_shape"]["dim"]] for name, one in signature["inputs"].items()}
    assert sizes == {"image": ["-1", "4", "4"]}
    assert signature["inputs"]["image"]["dtype"] == "DT_FLOAT"
    assert list(signature["outputs"]) == ["probabilities"]
