"""What comes of the quick tasks."""

from pathlib import Path

import pytest

from tests.training.quick import LAYERED, TASK, weir, write_digits


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


@pytest.fixture(scope="session")
def digits(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The data of the layered tasks."""
    path = tmp_path_factory.mktemp("data") / "digits.npz"
    write_digits(path)
    return path


@pytest.fixture(scope="session")
def layered(digits: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a complete training with groups, experts and all optimisations; tests leave it as it is."""
    folder = tmp_path_factory.mktemp("layered")
    (folder / "layered.toml").write_text(LAYERED.replace("digits.npz", str(digits)))
    done = weir("train", folder / "layered.toml", "--out", folder / "out")
    assert done.returncode == 0, done.stderr
    return folder / "out"
