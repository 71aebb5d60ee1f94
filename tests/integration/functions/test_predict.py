"""The predict function: the end-to-end model answers."""

import json
from pathlib import Path

import numpy as np
import pytest

from tests.serving import call, context, error, http_event, load_app, outputs, request_body
from weir.engine.arrays import Floats

pytestmark = pytest.mark.usefixtures("runtime")


def test_predict_answers_with_the_end_to_end_model(served: Path, pictures: Floats) -> None:
    """Every row has its probabilities and its label, from the version of the alias."""
    answer = call(load_app("predict"), "POST", "/v2/models/thirds/infer", request_body(pictures.tolist(), [4, 4, 4]))
    values = outputs(answer)
    assert list(values) == ["probabilities", "label"]
    assert values["label"] == ["left", "right", "left", "right"]
    np.testing.assert_allclose(np.reshape(values["probabilities"], (4, 3)).sum(axis=1), 1, atol=1e-5)
    document = json.loads(answer["body"])
    assert (document["model_name"], document["model_version"]) == ("thirds", "1")
    assert [(tensor["datatype"], tensor["shape"]) for tensor in document["outputs"]] == [
        ("FP32", [4, 3]),
        ("BYTES", [4]),
    ]


def test_plain_text_bodies_are_read(served: Path) -> None:
    """A gateway without binary media types sends JSON as text."""
    event = http_event("POST", "/v2/models/thirds/infer")
    event |= {"body": request_body([0] * 16, [1, 4, 4]).decode(), "isBase64Encoded": False}
    assert load_app("predict").handler(event, context())["statusCode"] == 200


@pytest.mark.parametrize("body", ["***", "a", "YQ", "ä"])
def test_a_body_that_is_not_base64_is_a_bad_request(served: Path, body: str) -> None:
    """An event that no gateway makes is a 400, not a 500."""
    event = http_event("POST", "/v2/models/thirds/infer", b"x") | {"body": body}
    assert load_app("predict").handler(event, context())["statusCode"] == 400


def test_an_overflowing_row_is_a_bad_request(served: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """NaN never reaches an answer; the error names the row."""
    monkeypatch.setattr(
        "weir.runtime.model.Network.logits", lambda _self, rows: np.full((len(rows), 3), np.nan, np.float32)
    )
    answer = call(load_app("predict"), "POST", "/v2/models/thirds/infer", request_body([0] * 16, [1, 4, 4]))
    assert answer["statusCode"] == 400
    assert error(answer).endswith("Got: row 0")


def test_an_error_of_weirs_own_is_a_500_that_leaks_nothing(served: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The log has the traceback, and the caller gets one sentence."""
    app = load_app("predict")
    monkeypatch.setattr("weir.protocol.responses.encode", lambda *_: 1 / 0)
    answer = call(app, "POST", "/v2/models/thirds/infer", request_body([0] * 16, [1, 4, 4]))
    assert answer["statusCode"] == 500
    assert "division" not in error(answer)
