"""The cascade function: the levels answer in turn."""

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.serving import artifact, call, load_app, outputs, request_body
from weir.catalog import keys

Floats = NDArray[np.float32]

pytestmark = pytest.mark.usefixtures("runtime")


def test_cascade_answers_with_the_levels(served: Path, pictures: Floats) -> None:
    """Beside the label: which level answered, how sure it was, and which way the row took."""
    body = request_body(pictures.tolist(), [4, 4, 4])
    found = outputs(call(load_app("cascade"), "POST", "/cascade/v2/models/thirds/infer", body))
    assert list(found) == ["probabilities", "label", "exit_level", "confidence", "path"]
    assert found["exit_level"] == [1, 2, 2, 1]
    assert found["path"][0].startswith("tiny 0.")
    assert found["path"][0].endswith(">= 0.9000")
    assert all(0 < sure <= 1 for sure in found["confidence"])


def test_outputs_that_nobody_wants_are_left_out(served: Path) -> None:
    """Only those named, in their order."""
    body = request_body([0] * 16, [1, 4, 4], outputs=[{"name": "exit_level"}, {"name": "label"}])
    assert list(outputs(call(load_app("cascade"), "POST", "/cascade/v2/models/thirds/infer", body))) == [
        "exit_level",
        "label",
    ]


def test_preload_loads_while_the_function_starts(served: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first request finds its model loaded; a name that is not published stops the start."""
    monkeypatch.setenv("MODELS_PRELOAD", " thirds ,")
    app = load_app("cascade")
    (served / keys.artifact("thirds", 1, artifact("tiny").digest)).unlink()
    answer = call(app, "POST", "/cascade/v2/models/thirds/infer", request_body([0] * 16, [1, 4, 4]))
    assert answer["statusCode"] == 200
    monkeypatch.setenv("MODELS_PRELOAD", "nobody")
    with pytest.raises(Exception, match="nobody"):
        load_app("cascade")
