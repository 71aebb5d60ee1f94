"""`mlserver infer`, in an environment of its own, against the local system."""

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


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A system that serves `thirds`."""
    store = tmp_path_factory.mktemp("mlserver") / "store"
    store_version(store, make_manifest())
    with System(store=store.as_uri()) as system:
        yield system.url


@pytest.mark.parametrize("mount", ["", "/cascade"], ids=["end-to-end", "cascade"])
@pytest.mark.parametrize(
    "options", [(), ("--binary-data",), ("--batch-size", "3"), ("--batch-size", "2", "--workers", "2", "--binary-data")]
)
def test_mlserver_infer_answers_each_line(
    mlserver: str, server: str, mount: str, options: tuple[str, ...], pictures: NDArray[np.float32], tmp_path: Path
) -> None:
    """Each request of the file gets its own prediction, alone or in micro-batches, as JSON or bytes."""
    source, target = tmp_path / "requests.jsonl", tmp_path / "answers.jsonl"
    requests_ = [json.loads(request_body([row.tolist()], [1, 4, 4])) for row in pictures]
    requests_[1]["id"] = "own"
    source.write_text("".join(json.dumps(request) + "\n" for request in requests_))
    done = subprocess.run(
        [
            *(mlserver, "infer", "--url", server.removeprefix("http://") + mount, "--model-name", "thirds"),
            *("--input-data-path", str(source), "--output-data-path", str(target), *options),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    answers = sorted(map(json.loads, target.read_text().splitlines()), key=_index)
    assert [answer["parameters"]["batch_index"] for answer in answers] == list(range(len(pictures)))
    assert answers[1]["id"] == "own"
    plain = requests.post(
        f"{server}{mount}/v2/models/thirds/infer", data=request_body(pictures.tolist(), [4, 4, 4]), timeout=30
    ).json()
    expected = {output["name"]: output["data"] for output in plain["outputs"]}
    for output in ("probabilities", "label"):
        values = [value for answer in answers for value in _outputs(answer)[output]]
        assert values == pytest.approx(expected[output]) if output == "probabilities" else values == expected[output]


def _index(answer: dict[str, Any]) -> int:
    index: int = answer["parameters"]["batch_index"]
    return index


def _outputs(answer: dict[str, Any]) -> dict[str, list[Any]]:
    return {output["name"]: output["data"] for output in answer["outputs"]}
