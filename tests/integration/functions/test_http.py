"""The HTTP handlers, with API Gateway's events, over a folder store."""

import json
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.serving import artifact, context, http_event, load_app, make_manifest, outputs, request_body, store_version
from weir import keys

Floats = NDArray[np.float32]

MOUNTS = [("predict", "/v2/models/thirds"), ("cascade", "/cascade/v2/models/thirds")]


def _call(app: ModuleType, method: str, path: str, body: bytes = b"") -> dict[str, Any]:
    answer: dict[str, Any] = app.handler(http_event(method, path, body), context())
    return answer


def _error(answer: dict[str, Any]) -> str:
    document = json.loads(answer["body"])
    assert set(document) == {"error"}
    return str(document["error"])


def test_predict_answers_with_the_end_to_end_model(served: Path, runtime: str, pictures: Floats) -> None:
    """Probabilities and label of every row, of the version that the alias names."""
    answer = _call(load_app("predict"), "POST", "/v2/models/thirds/infer", request_body(pictures.tolist(), [4, 4, 4]))
    found = outputs(answer)
    assert list(found) == ["probabilities", "label"]
    assert found["label"] == ["left", "right", "left", "right"]
    np.testing.assert_allclose(np.reshape(found["probabilities"], (4, 3)).sum(axis=1), 1, atol=1e-5)
    document = json.loads(answer["body"])
    assert (document["model_name"], document["model_version"]) == ("thirds", "1")
    assert [(tensor["datatype"], tensor["shape"]) for tensor in document["outputs"]] == [("FP32", [4, 3]), ("BYTES", [4])]


def test_cascade_answers_with_the_levels(served: Path, runtime: str, pictures: Floats) -> None:
    """Beside the label: which level answered, how sure it was, and which way the row took."""
    body = request_body(pictures.tolist(), [4, 4, 4])
    found = outputs(_call(load_app("cascade"), "POST", "/cascade/v2/models/thirds/infer", body))
    assert list(found) == ["probabilities", "label", "exit_level", "confidence", "path"]
    assert found["exit_level"] == [1, 2, 2, 1]
    assert found["path"][0].startswith("tiny 0.")
    assert found["path"][0].endswith(">= 0.9000")
    assert all(0 < sure <= 1 for sure in found["confidence"])


@pytest.mark.parametrize(("name", "base"), MOUNTS)
def test_a_version_can_be_asked_for(served: Path, name: str, base: str) -> None:
    """By number, or by alias; the answer says which it was."""
    store_version(served, make_manifest(), 2)
    app = load_app(name)
    for version, number in (("1", "1"), ("champion", "2")):
        answer = _call(app, "POST", f"{base}/versions/{version}/infer", request_body([0] * 16, [1, 4, 4], id="x"))
        assert json.loads(answer["body"])["model_version"] == number
        assert json.loads(answer["body"])["id"] == "x"


def test_outputs_that_nobody_wants_are_left_out(served: Path) -> None:
    """Only those named, in their order."""
    body = request_body([0] * 16, [1, 4, 4], outputs=[{"name": "exit_level"}, {"name": "label"}])
    assert list(outputs(_call(load_app("cascade"), "POST", "/cascade/v2/models/thirds/infer", body))) == [
        "exit_level",
        "label",
    ]


@pytest.mark.parametrize(("name", "base"), MOUNTS)
@pytest.mark.parametrize(
    ("body", "status"),
    [
        (request_body([0] * 15, [1, 3, 5]), 400),
        (request_body([0] * 16, [1, 4, 4]).replace(b"FP32", b"INT8"), 400),
        (request_body([float("nan")] * 16, [1, 4, 4]), 400),
        (request_body([1e39] * 16, [1, 4, 4]), 400),
        (b"no json", 400),
        (b"", 400),
        (b"[" * 100_000, 400),
        (b"\xff\xfe\xfd", 400),
        (request_body([0] * 16, [1, 4, 4], outputs=[{"name": "nothing"}]), 400),
        (request_body([0] * 16, [1, 4, 4], parameters={"a": 1}), 400),
        (request_body([], [1, 4, 4]).replace(b"[]", b"[" * 50_000 + b"]" * 50_000), 400),
    ],
)
def test_bad_requests_are_the_callers(served: Path, name: str, base: str, body: bytes, status: int) -> None:
    """Never a 500, never a traceback: one error that states the rule and what came."""
    answer = _call(load_app(name), "POST", f"{base}/infer", body)
    assert answer["statusCode"] == status
    assert ". Got: " in _error(answer)
    assert "Traceback" not in answer["body"]


@pytest.mark.parametrize(("name", "prefix"), [("predict", "/v2"), ("cascade", "/cascade/v2")])
@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/models/nobody/infer", 404),
        ("/models/thirds/versions/9/infer", 404),
        ("/models/thirds/versions/nobody/infer", 404),
        ("/models/THIRDS/infer", 400),
        ("/models/thirds/versions/-1/infer", 400),
        ("/models/%2e%2e/infer", 400),
        (f"/models/{'a' * 3000}/infer", 400),
    ],
)
def test_models_that_are_not_there(served: Path, name: str, prefix: str, path: str, status: int) -> None:
    """A name that can't be is a 400, one that is not published a 404."""
    answer = _call(load_app(name), "POST", prefix + path, request_body([0] * 16, [1, 4, 4]))
    assert answer["statusCode"] == status
    _error(answer)


def test_a_body_that_is_not_base64_is_a_bad_request(served: Path) -> None:
    """An event that no gateway makes does not end in a 500 either."""
    event = http_event("POST", "/v2/models/thirds/infer", b"x") | {"body": "***"}
    assert load_app("predict").handler(event, context())["statusCode"] == 400


def test_plain_text_bodies_are_read(served: Path) -> None:
    """A gateway without binary media types sends JSON as text."""
    event = http_event("POST", "/v2/models/thirds/infer")
    event |= {"body": request_body([0] * 16, [1, 4, 4]).decode(), "isBase64Encoded": False}
    assert load_app("predict").handler(event, context())["statusCode"] == 200


def test_a_damaged_artifact_is_a_503(served: Path) -> None:
    """It is not the caller's fault, and the body says what is wrong."""
    (served / keys.artifact("thirds", 1, artifact("large").digest)).write_bytes(b"damaged")
    answer = _call(load_app("predict"), "POST", "/v2/models/thirds/infer", request_body([0] * 16, [1, 4, 4]))
    assert answer["statusCode"] == 503
    assert "sha256" in _error(answer)


def test_an_error_of_weirs_own_is_a_500_that_leaks_nothing(served: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The log has the traceback, the caller one sentence."""
    app = load_app("predict")
    monkeypatch.setattr("weir.service.encode_response", lambda _: 1 / 0)
    answer = _call(app, "POST", "/v2/models/thirds/infer", request_body([0] * 16, [1, 4, 4]))
    assert answer["statusCode"] == 500
    assert "division" not in _error(answer)


@pytest.mark.parametrize("prefix", ["", "/cascade"])
@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/v2/health/live", {"live": True}),
        ("/v2/health/ready", {"ready": True}),
        ("/v2/models/thirds/ready", {"ready": True}),
        ("/v2/models/thirds/versions/1/ready", {"ready": True}),
    ],
)
def test_health(served: Path, prefix: str, path: str, expected: dict[str, bool]) -> None:
    """Live, ready, and each model ready."""
    answer = _call(load_app("models"), "GET", prefix + path)
    assert (answer["statusCode"], json.loads(answer["body"])) == (200, expected)


def test_server_metadata(served: Path) -> None:
    """Name and version of what serves."""
    assert json.loads(_call(load_app("models"), "GET", "/v2")["body"])["name"] == "weir"


@pytest.mark.parametrize(("prefix", "extra"), [("", []), ("/cascade", ["exit_level", "confidence", "path"])])
def test_model_metadata(served: Path, prefix: str, extra: list[str]) -> None:
    """Inputs and outputs with names, datatypes and shapes; what the levels are."""
    document = json.loads(_call(load_app("models"), "GET", f"{prefix}/v2/models/thirds")["body"])
    assert document["inputs"] == [{"name": "image", "datatype": "FP32", "shape": [-1, 4, 4]}]
    assert [tensor["name"] for tensor in document["outputs"]] == ["probabilities", "label", *extra]
    assert document["versions"] == ["1"]
    assert document["parameters"]["labels"] == ["left", "middle", "right"]
    assert ("levels" in document["parameters"]) == bool(prefix)


def test_a_model_that_cannot_answer_is_not_ready(served: Path) -> None:
    """Its manifest is there, its network is not."""
    (served / keys.artifact("thirds", 1, artifact("large").digest)).unlink()
    answer = _call(load_app("models"), "GET", "/v2/models/thirds/ready")
    assert (answer["statusCode"], json.loads(answer["body"])) == (503, {"ready": False})


def test_a_store_that_is_down_is_not_ready(monkeypatch: pytest.MonkeyPatch) -> None:
    """Live, but not ready."""
    monkeypatch.setenv("MODEL_STORE", "s3://nowhere")
    monkeypatch.setenv("MODEL_STORE_ENDPOINT", "http://127.0.0.1:9")
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "x")
    app = load_app("models")
    assert _call(app, "GET", "/v2/health/live")["statusCode"] == 200
    assert _call(app, "GET", "/v2/health/ready")["statusCode"] == 503


@pytest.mark.parametrize("path", ["/", "/v1/models", "/v2/models/thirds/infer/more", "/v2/repository"])
def test_unknown_routes_are_not_found(served: Path, path: str) -> None:
    """The $default route answers in the protocol's form."""
    answer = _call(load_app("models"), "GET", path)
    assert answer["statusCode"] == 404
    assert _error(answer).endswith(f"Got: {path}")


@pytest.mark.parametrize(
    ("method", "path", "allow"),
    [("DELETE", "/v2/models/thirds", "GET"), ("GET", "/v2/models/thirds/infer", "POST"), ("PUT", "/cascade/v2", "GET")],
)
def test_a_wrong_verb_is_not_allowed(served: Path, method: str, path: str, allow: str) -> None:
    """405, and which verb would be right."""
    answer = _call(load_app("models"), method, path)
    assert answer["statusCode"] == 405
    headers = answer.get("headers") or {k: v[0] for k, v in answer["multiValueHeaders"].items()}
    assert headers["Allow"] == allow
    assert _error(answer).endswith(f"Got: {method}")


def test_one_metrics_line_a_request(served: Path, pictures: Floats, capsys: pytest.CaptureFixture[str]) -> None:
    """In CloudWatch's embedded metric format: predictions, rows and time of each level, cold start, errors."""
    app = load_app("cascade")
    body = request_body(pictures.tolist(), [4, 4, 4])
    for cold in (1, 0):
        capsys.readouterr()
        _call(app, "POST", "/cascade/v2/models/thirds/infer", body)
        (line,) = capsys.readouterr().out.splitlines()
        told = json.loads(line)
        assert told["_aws"]["CloudWatchMetrics"][0]["Namespace"] == "Weir"
        assert told["model"] == "thirds"
        assert {name: told[name] for name in ("ColdStart", "Errors", "Predictions", "Escalations")} == {
            "ColdStart": [cold],
            "Errors": [0],
            "Predictions": [4],
            "Escalations": [6],
        }
        assert [told[f"Level{k}Rows"] for k in range(3)] == [[4], [4], [2]]
        assert all(told[f"Level{k}Time"][0] > 0 for k in range(3))


def test_a_refused_request_has_its_metrics_line_too(served: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Errors are counted, and nothing of the request before it is left over."""
    app = load_app("predict")
    _call(app, "POST", "/v2/models/thirds/infer", request_body([0] * 16, [1, 4, 4]))
    capsys.readouterr()
    _call(app, "POST", "/v2/models/thirds/infer", b"")
    (line,) = capsys.readouterr().out.splitlines()
    told = json.loads(line)
    assert told["Errors"] == [1]
    assert "Predictions" not in told


def test_preload_loads_while_the_function_starts(served: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first request finds its model loaded; a name that is not published stops the start."""
    monkeypatch.setenv("MODELS_PRELOAD", " thirds ,")
    app = load_app("cascade")
    (served / keys.artifact("thirds", 1, artifact("tiny").digest)).unlink()
    answer = _call(app, "POST", "/cascade/v2/models/thirds/infer", request_body([0] * 16, [1, 4, 4]))
    assert answer["statusCode"] == 200
    monkeypatch.setenv("MODELS_PRELOAD", "nobody")
    with pytest.raises(Exception, match="nobody"):
        load_app("cascade")


def test_an_overflowing_row_is_a_bad_request(served: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """NaN never reaches the answer; the error names the row."""
    monkeypatch.setattr("weir.model.Network.logits", lambda _self, rows: np.full((len(rows), 3), np.nan, np.float32))
    answer = _call(load_app("predict"), "POST", "/v2/models/thirds/infer", request_body([0] * 16, [1, 4, 4]))
    assert answer["statusCode"] == 400
    assert _error(answer).endswith("Got: row 0")
