"""The cascade function with a model that has groups, may abstain, and has prediction sets."""

import json
from pathlib import Path

import msgspec
import numpy as np
import pytest
from numpy.typing import NDArray

from tests.serving import call, error, layered_manifest, load_app, outputs, request_body, store_version

pytestmark = pytest.mark.usefixtures("runtime")


@pytest.fixture
def bodies(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> NDArray[np.float64]:
    """Publish the model, point the function at it, and make three pictures: left, middle, nothing clear."""
    store_version(tmp_path, layered_manifest())
    monkeypatch.setenv("MODEL_STORE", tmp_path.as_uri())
    pictures = np.full((3, 4, 4), 40.0)
    pictures[0, :, 0] = pictures[1, :, 1:3] = 255
    return pictures


def _asked(pictures: NDArray[np.float64], **other: object) -> bytes:
    return request_body(pictures.ravel().tolist(), [3, 4, 4], **other)


PATH = "/cascade/v2/models/layers/infer"


def test_rows_get_a_label_a_group_or_nothing(bodies: NDArray[np.float64]) -> None:
    """Every output agrees with the path, and sets come only when asked for."""
    found = outputs(call(load_app("cascade"), "POST", PATH, _asked(bodies)))
    assert set(found) == {"probabilities", "label", "exit_level", "confidence", "path", "group"}
    assert found["label"] == ["left", "middle", ""]
    assert found["group"] == ["outer", "inner", "outer"]
    assert found["exit_level"] == [1, 1, 2]
    assert found["path"][0].startswith("router ")
    assert "experts (outer) " in found["path"][0]
    assert "; abstains " in found["path"][2]
    assert "; group outer " in found["path"][2]


def test_fewer_outputs_are_the_same_outputs(bodies: NDArray[np.float64]) -> None:
    """Asked for alone, a label or a confidence is what it is beside the others."""
    app = load_app("cascade")
    everything = outputs(call(app, "POST", PATH, _asked(bodies)))
    for name in everything:
        assert outputs(call(app, "POST", PATH, _asked(bodies, outputs=[{"name": name}]))) == {name: everything[name]}


@pytest.mark.parametrize("per_label", [False, True])
def test_prediction_sets_hold_the_labels_that_are_probable_enough(bodies: NDArray[np.float64], per_label: bool) -> None:
    """By the limits of the manifest."""
    asked = _asked(bodies, parameters={"alpha": 0.1, "per_label": per_label})
    found = outputs(call(load_app("cascade"), "POST", PATH, asked))
    probabilities = np.reshape(found["probabilities"], (3, 3))
    limits = np.array([0.5, 0.0, 0.5] if per_label else [0.3] * 3)
    expected = probabilities >= limits
    expected[range(3), probabilities.argmax(axis=1)] = True
    assert np.reshape(found["set"], (3, 3)).tolist() == expected.tolist()


def test_sets_belong_to_the_cascade(bodies: NDArray[np.float64]) -> None:
    """The end-to-end model has none."""
    answer = call(load_app("predict"), "POST", "/v2/models/layers/infer", _asked(bodies, parameters={"alpha": 0.1}))
    assert answer["statusCode"] == 400
    assert "go with the output set of a cascade" in error(answer)


def test_metadata_tells_groups_and_promises(bodies: NDArray[np.float64]) -> None:
    """And what kind of level each is."""
    answer = call(load_app("models"), "GET", "/cascade/v2/models/layers")
    told = json.loads(answer["body"])
    assert [level["kind"] for level in told["parameters"]["levels"]] == ["router", "experts", "cascade"]
    assert told["parameters"]["groups"] == {"outer": ["left", "right"], "inner": ["middle"]}
    assert told["parameters"]["abstention"]["max_error"] == 0.05
    assert told["parameters"]["sets"] == json.loads(msgspec.json.encode(layered_manifest().sets))
    assert {output["name"]: output["datatype"] for output in told["outputs"]}["set"] == "BOOL"
