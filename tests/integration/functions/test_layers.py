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


def _body(pictures: NDArray[np.float64], **other: object) -> bytes:
    return request_body(pictures.ravel().tolist(), [3, 4, 4], **other)


PATH = "/cascade/v2/models/layers/infer"


def test_rows_get_a_label_a_group_or_nothing(bodies: NDArray[np.float64]) -> None:
    """Every output agrees with the path, and sets are left out unless requested."""
    values = outputs(call(load_app("cascade"), "POST", PATH, _body(bodies)))
    assert set(values) == {"probabilities", "label", "exit_level", "confidence", "path", "group"}
    assert values["label"] == ["left", "middle", ""]
    assert values["group"] == ["outer", "inner", "outer"]
    assert values["exit_level"] == [1, 1, 2]
    assert values["path"][0].startswith("router ")
    assert "experts (outer) " in values["path"][0]
    assert "; abstains " in values["path"][2]
    assert "; group outer " in values["path"][2]


def test_fewer_outputs_are_the_same_outputs(bodies: NDArray[np.float64]) -> None:
    """An output that is requested alone has the same values as among the others."""
    app = load_app("cascade")
    everything = outputs(call(app, "POST", PATH, _body(bodies)))
    for name in everything:
        assert outputs(call(app, "POST", PATH, _body(bodies, outputs=[{"name": name}]))) == {name: everything[name]}


@pytest.mark.parametrize("per_label", [False, True])
def test_prediction_sets_hold_the_labels_that_are_probable_enough(bodies: NDArray[np.float64], per_label: bool) -> None:
    """They follow the limits of the manifest, and always hold the most probable label."""
    body = _body(bodies, parameters={"alpha": 0.1, "per_label": per_label})
    values = outputs(call(load_app("cascade"), "POST", PATH, body))
    probabilities = np.reshape(values["probabilities"], (3, 3))
    limits = np.array([0.5, 0.0, 0.5] if per_label else [0.3] * 3)
    expected = probabilities >= limits
    expected[range(3), probabilities.argmax(axis=1)] = True
    assert np.reshape(values["set"], (3, 3)).tolist() == expected.tolist()


def test_sets_belong_to_the_cascade(bodies: NDArray[np.float64]) -> None:
    """A request to the end-to-end model for sets is refused."""
    answer = call(load_app("predict"), "POST", "/v2/models/layers/infer", _body(bodies, parameters={"alpha": 0.1}))
    assert answer["statusCode"] == 400
    assert "go with the output set of a cascade" in error(answer)


def test_metadata_have_groups_and_promises(bodies: NDArray[np.float64]) -> None:
    """They also have the kind of each level."""
    answer = call(load_app("models"), "GET", "/cascade/v2/models/layers")
    metadata = json.loads(answer["body"])
    assert [level["kind"] for level in metadata["parameters"]["levels"]] == ["router", "experts", "cascade"]
    assert metadata["parameters"]["groups"] == {"outer": ["left", "right"], "inner": ["middle"]}
    assert metadata["parameters"]["abstention"]["max_error"] == 0.05
    assert metadata["parameters"]["sets"] == json.loads(msgspec.json.encode(layered_manifest().sets))
    assert {output["name"]: output["datatype"] for output in metadata["outputs"]}["set"] == "BOOL"
