"""Trainings of the quick tasks, each done once a session."""

from pathlib import Path

import pytest

from tests.training.quick import LAYERED, TASK, trained_as, weir, write_digits


@pytest.fixture(scope="session")
def task(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write the task file of a training that takes seconds."""
    path = tmp_path_factory.mktemp("task") / "quick.toml"
    path.write_text(TASK)
    return path


@pytest.fixture(scope="session")
def trained(task: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Train it, and return the folder; tests leave the folder as it is."""
    out = tmp_path_factory.mktemp("trained") / "quick"
    done = weir("train", task, "--out", out)
    assert done.returncode == 0, done.stderr
    return out


@pytest.fixture(scope="session")
def digits(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write the data of the layered tasks."""
    path = tmp_path_factory.mktemp("data") / "digits.npz"
    write_digits(path)
    return path


@pytest.fixture(scope="session")
def layered(digits: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Train with groups, experts and all optimisations, and return the folder; tests leave the folder as it is."""
    return trained_as(LAYERED, tmp_path_factory.mktemp("layered"), digits)
