"""events/: one sample event for each route and trigger; each is answered."""

import io
import json
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from local import template
from local.system import TEMPLATE
from tests.serving import ROOT, context, digits_manifest, load_app, load_module, outputs, store_version

EVENTS = sorted((ROOT / "events").glob("*.json"))
FAILING = {"models-unknown": 404, "models-wrong-verb": 405, "models-rest-api": 400}


def _event(path: Path) -> dict[str, Any]:
    event: dict[str, Any] = json.loads(path.read_bytes())
    return event


@pytest.fixture(scope="module")
def maker() -> ModuleType:
    """events/make.py, imported."""
    return load_module(ROOT / "events/make.py", "make_events")


@pytest.fixture
def digits_store(tmp_path: Path) -> Path:
    """A folder store that serves the model of the sample events."""
    root = tmp_path / "digits-store"
    store_version(root, digits_manifest())
    return root


@pytest.mark.parametrize("path", [p for p in EVENTS if not p.stem.startswith("batch")], ids=lambda path: path.stem)
def test_http_events_run(path: Path, digits_store: Path, runtime: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each is answered by the function that its name begins with."""
    monkeypatch.setenv("MODEL_STORE", digits_store.as_uri())
    answer = load_app(path.stem.partition("-")[0]).handler(_event(path), context())
    assert answer["statusCode"] == FAILING.get(path.stem, 200), answer
    if path.stem.startswith("predict-v1"):
        assert np.argmax(json.loads(answer["body"])["predictions"][0]) == 4
    elif path.stem.startswith("cascade-v1"):
        assert json.loads(answer["body"])["predictions"][0]["label"] == "4"
    elif path.stem.startswith(("predict", "cascade")) and not path.stem.endswith("stats"):
        assert outputs(answer)["label"] == ["4"]


@pytest.mark.parametrize("path", [p for p in EVENTS if p.stem.startswith("batch")], ids=lambda path: path.stem)
def test_batch_events_run(path: Path, digits_store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each file that an event names is answered, and no message is delivered again; by itself no notice raises."""
    monkeypatch.setenv("MODEL_STORE", digits_store.as_uri())
    model = digits_store / "batches/in/mnist-sample"
    file = io.BytesIO()
    np.save(file, np.zeros((2, 28, 28)))
    files = {"sample.npy": file.getvalue(), "cascade/sample.npy": file.getvalue()}
    files["a folder/sample=1.csv"] = (",".join(["0"] * 784) + "\n").encode() * 2
    for name, content in files.items():
        (model / name).parent.mkdir(parents=True, exist_ok=True)
        (model / name).write_bytes(content)
    expected: object = None if path.stem.startswith("batch-direct") else {"batchItemFailures": []}
    assert load_app("batch").handler(_event(path), context()) == expected
    summaries = list((digits_store / "batches").rglob("out/**/summary.json"))
    assert len(summaries) == (0 if path.stem == "batch-test-event" else 1)
    assert all(json.loads(summary.read_bytes())["answered"] == 2 for summary in summaries)


def test_every_route_and_trigger_has_an_event(maker: ModuleType) -> None:
    """Every route of the template can be tried with a sample event."""
    routed = {
        "$default" if route.path == template.DEFAULT else f"{route.method} {route.path}"
        for route in template.read(TEMPLATE).routes
    }
    assert {event["routeKey"] for event in maker.http_events().values()} == routed


def test_the_events_are_those_that_are_made(maker: ModuleType) -> None:
    """No event is edited by hand, and none is left over from a former route."""
    made = {**maker.http_events(), **maker.other_events(), **maker.batch_events()}
    assert {path.stem: _event(path) for path in EVENTS} == made
