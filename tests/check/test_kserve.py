"""KServe's own client, in an environment of its own, against the local system."""

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
def test_kserves_client_gets_what_anybody_gets(
    kserve: str, server: str, mount: str, pictures: NDArray[np.float32]
) -> None:
    """Ready or not, predictions from JSON and from binary tensors, and the messages of refusals."""
    done = subprocess.run(
        [kserve, SCRIPT, server + mount, "thirds"],
        input=json.dumps(pictures.tolist()),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert [told[name] for name in ("live", "ready", "model_ready", "nobody_ready")] == [True, True, True, False]
    expected = _expected(f"{server}{mount}/v2/models/thirds/infer", pictures)
    named = {name: expected[name] for name in ("probabilities", "label")}
    assert told["answers"] == [
        {"id": "ours", "model": "thirds", "binary": binary, "outputs": outputs}
        for binary in (False, True)
        for outputs in (expected, named)
    ]
    assert told["unknown_model"].startswith("the model is published under the alias champion. Got: nobody, '404")
    assert told["wrong_shape"].startswith("the shape of image is [-1, 4, 4], -1 for the rows. Got: [4, 4], '400")


def _expected(url: str, pictures: NDArray[np.float32]) -> dict[str, Any]:
    """Ask without KServe's client: the values in the shape that they have."""
    answer = requests.post(url, data=request_body(pictures.tolist(), [4, 4, 4]), timeout=30).json()
    return {
        output["name"]: np.array(output["data"], object).reshape(output["shape"]).tolist()
        for output in answer["outputs"]
    }
