"""Schemathesis against `/openapi.json` and the running gateway."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from schemathesis.config import SchemathesisConfig

from local.system import System
from tests.serving import digits_manifest, layered_manifest, store_version

CONFIG = Path(__file__).with_name("schemathesis.toml")
EXAMPLES = 15


@pytest.fixture
def url(tmp_path: Path) -> Iterator[str]:
    """A system that serves two models: a plain one, and one with groups that may abstain."""
    store = tmp_path / "store"
    for manifest in (digits_manifest(), layered_manifest()):
        store_version(store, manifest)
    with System(store=store.as_uri()) as system:
        yield system.url


def test_the_api_keeps_its_document(url: str, tmp_path: Path) -> None:
    """Examples, edges of every field, random requests and sequences of them fail no check of any operation."""
    done = subprocess.run(
        [
            Path(sys.executable).with_name("schemathesis"),
            *("--config-file", CONFIG, "run", f"{url}/openapi.json"),
            *("--checks", "all", "--phases", "examples,coverage,fuzzing,stateful"),
            *("--max-examples", str(EXAMPLES), "--workers", "2", "--seed", "1"),
        ],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    operations = sum(len(verbs) for verbs in requests.get(f"{url}/openapi.json", timeout=30).json()["paths"].values())
    assert f"Tested: {operations}" in done.stdout
    print(done.stdout[done.stdout.index("SUMMARY") :])


def test_only_one_check_has_exceptions() -> None:
    """Infer and index may answer 400 and 404 to requests that the schema allows; every other check is whole."""
    (operations,) = SchemathesisConfig.from_path(CONFIG).projects.default.operations.operations
    assert CONFIG.read_text().count("checks.") == 1
    assert operations.checks.positive_data_acceptance.expected_statuses == ["2xx", "400", "404"]
