"""The cascade function: each row is answered by a level."""

from pathlib import Path

import pytest

from tests.serving import artifact, call, load_app, outputs, request_body
from weir.api.routes import url_path
from weir.catalog import keys
from weir.catalog.mounts import CASCADE, END_TO_END
from weir.engine.arrays import Floats

pytestmark = pytest.mark.usefixtures("runtime")


def test_cascade_answers_with_the_levels(served: Path, pictures: Floats) -> None:
    """Each row has its label, its exit level, its confidence and its path."""
    body = request_body(pictures.tolist(), [4, 4, 4])
    values = outputs(call(load_app("cascade"), "POST", "/cascade/v2/models/thirds/infer", body))
    assert list(values) == ["probabilities", "label", "exit_level", "confidence", "path"]
    assert values["exit_level"] == [1, 2, 2, 1]
    assert values["path"][0].startswith("tiny 0.")
    assert values["path"][0].endswith(">= 0.9000")
    assert all(0 < confidence <= 1 for confidence in values["confidence"])


def test_outputs_that_are_not_requested_are_left_out(served: Path) -> None:
    """A request gets the outputs that it names, in its order."""
    body = request_body([0] * 16, [1, 4, 4], outputs=[{"name": "exit_level"}, {"name": "label"}])
    assert list(outputs(call(load_app("cascade"), "POST", "/cascade/v2/models/thirds/infer", body))) == [
        "exit_level",
        "label",
    ]


@pytest.mark.parametrize("name", ["predict", "cascade"])
def test_preloading_loads_models_while_the_function_starts(
    served: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, name: str
) -> None:
    """The first request needs no network from the store; a name that is not published is logged, and no more."""
    monkeypatch.setenv("MODELS_PRELOAD", " nobody, thirds ,")
    app = load_app(name)
    assert "preloading the model nobody failed" in caplog.text
    for network in ("tiny", "small", "large"):
        (served / keys.artifact("thirds", 1, artifact(network).digest)).unlink()
    path = url_path("infer", CASCADE if name == "cascade" else END_TO_END, "thirds")
    assert call(app, "POST", path, request_body([0] * 16, [1, 4, 4]))["statusCode"] == 200


@pytest.mark.parametrize("name", ["models", "batch"])
def test_functions_that_do_not_predict_do_not_preload(
    served: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, name: str
) -> None:
    """They ignore MODELS_PRELOAD, so a model that can't be loaded never concerns them."""
    monkeypatch.setenv("MODELS_PRELOAD", "nobody")
    load_app(name)
    assert caplog.text == ""
