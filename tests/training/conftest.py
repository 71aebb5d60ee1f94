"""What comes of the quick task."""

from pathlib import Path

import pytest

from tests.training.quick import TASK, weir


@pytest.fixture(scope="session")
def task(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file of the task."""
    path = tmp_path_factory.mktemp("task") / "quick.toml"
    path.write_text(TASK)
    return path


@pytest.fixture(scope="session")
def trained(task: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a complete training; tests leave it as it is."""
    out = tmp_path_factory.mktemp("trained") / "quick"
    done = weir("train", task, "--out", out)
    assert done.returncode == 0, done.stderr
    return out
