"""Schemathesis with the Open Inference Protocol's own OpenAPI document, against the local system."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from local.system import System
from tests.conformance.test_open_inference_protocol import DOCUMENT
from tests.serving import make_manifest, store_version

pytestmark = pytest.mark.check

EXAMPLES = 50
CHECKS = ("not_a_server_error", "response_schema_conformance", "content_type_conformance", "negative_data_rejection")
"""those that a generic document can promise: it knows no model's inputs, and no 404, 405 or 413"""


@pytest.fixture
def url(tmp_path: Path) -> Iterator[str]:
    """A system that serves `thirds`."""
    store = tmp_path / "store"
    store_version(store, make_manifest())
    with System(store=store.as_uri()) as system:
        yield system.url


@pytest.mark.parametrize("mount", ["", "/cascade"], ids=["end-to-end", "cascade"])
def test_the_api_keeps_the_protocols_document(url: str, mount: str, tmp_path: Path) -> None:
    """Generated requests of the document are answered as it says, and what it forbids is refused."""
    document = tmp_path / "protocol.yaml"
    document.write_text(yaml.safe_dump({**DOCUMENT, "paths": _paths()}))
    done = subprocess.run(
        [
            Path(sys.executable).with_name("schemathesis"),
            *("run", document, "--url", url + mount, "--checks", ",".join(CHECKS)),
            *("--phases", "examples,coverage,fuzzing", "--max-examples", str(EXAMPLES), "--seed", "1"),
        ],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"Tested: {len(DOCUMENT['paths'])}" in done.stdout
    print(done.stdout[done.stdout.index("SUMMARY") :])


def _paths() -> dict[str, object]:
    """Write the variables of paths as OpenAPI has them, with the names of what is served."""
    served = {"MODEL_NAME": "thirds", "MODEL_VERSION": "1"}
    paths: dict[str, object] = {}
    for path, operations in DOCUMENT["paths"].items():
        variables = [
            {**variable, "schema": {**variable["schema"], "enum": [served[variable["name"]]]}}
            for variable in operations.get("parameters", [])
        ]
        paths[path.replace("${", "{")] = {**operations, "parameters": variables}
    return paths
