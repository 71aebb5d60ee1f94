"""KServe's client, in an environment of its own, against the local system."""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import requests
from numpy.typing import NDArray

from local.system import System
from tests.serving import make_manifest, request_body, store_version

pytestmark = pytest.mark.check

SCRIPT = Path(__file__).with_name("kserve_client.py")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A system that serves `thirds`."""
    store = tmp_path_factory.mktemp("kserve") / "store"
    store_version(store, make_manifest())
    with System(store=store.as_uri()) as system:
        yield system.url


@pytest.mark.parametrize("mount", ["", "/cascade"], ids=["end-to-end", "cascade"])
def test_kserves_client_gets_the_same_answers(
    kserve: str, server: str, mount: str, pictures: NDArray[np.float32]
) -> None:
    """KServe's client learns readiness, gets predictions from JSON and binary tensors, and shows our messages."""
    printed = _printed(kserve, server + mount, "v2", pictures)
    assert [printed[name] for name in ("live", "ready", "model_ready", "nobody_ready")] == [True, True, True, False]
    expected = _expected(f"{server}{mount}/v2/models/thirds/infer", pictures)
    named = {name: expected[name] for name in ("probabilities", "label")}
    assert printed["answers"] == [
        {"id": "ours", "model": "thirds", "binary": binary, "outputs": outputs}
        for binary in (False, True)
        for outputs in (expected, named)
    ]
    assert printed["unknown_model"].startswith("the model is published under the alias champion. Got: nobody, '404")
    assert printed["wrong_shape"].startswith("the shape of image is [-1, 4, 4], -1 for the rows. Got: [4, 4], '400")


def test_kserves_client_of_v1_gets_the_same_answers(kserve: str, server: str, pictures: NDArray[np.float32]) -> None:
    """It learns that the server lives and the model is ready, gets probabilities, and shows our messages."""
    printed = _printed(kserve, server, "v1", pictures)
    assert (printed["live"], printed["model_ready"]) == (True, True)
    expected = _expected(f"{server}/v2/models/thirds/infer", pictures)["probabilities"]
    assert printed["answers"] == [{"predictions": expected}, {"predictions": expected}, {"outputs": expected}]
    for name in ("unknown_model", "nobody_ready"):
        assert printed[name].startswith("the model is published under the alias champion. Got: nobody, '404")
    assert printed["wrong_shape"].startswith("data has 16 values. Got: 4 in row 0, '400")


def _printed(kserve: str, url: str, protocol: str, pictures: NDArray[np.float32]) -> dict[str, Any]:
    """Run the client, and read what it prints."""
    done = subprocess.run(
        [kserve, SCRIPT, url, "thirds", protocol],
        input=json.dumps(pictures.tolist()),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    printed: dict[str, Any] = json.loads(done.stdout)
    return printed


def _expected(url: str, pictures: NDArray[np.float32]) -> dict[str, Any]:
    """Send the request without KServe's client, and return the outputs in their shapes."""
    answer = requests.post(url, data=request_body(pictures.tolist(), [4, 4, 4]), timeout=30).json()
    return {
        output["name"]: np.array(output["data"], object).reshape(output["shape"]).tolist()
        for output in answer["outputs"]
    }
