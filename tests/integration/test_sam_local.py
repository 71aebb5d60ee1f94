"""tests/check/sam-local/up, with stand-ins for what it would install or start."""

import os
import subprocess
from pathlib import Path

import pytest

from tests.serving import ROOT

UP = ROOT / "tests/check/sam-local/up"
ENGINE = '[ "$1" = info ] || [ "$1 $2" = "image inspect" ]'
NO_IMAGE = '[ "$1" = info ]'
NO_ENGINE = "false"


@pytest.fixture
def programs(tmp_path: Path) -> Path:
    """A folder of programs, first on PATH: nothing is installed by them, and the user is not root."""
    folder = tmp_path / "programs"
    folder.mkdir()
    _write(folder / "id", "echo 1000")
    _write(folder / "apt-get", "echo apt-get was called >&2; exit 1")
    return folder


def _write(path: Path, line: str) -> None:
    path.write_text(f"#!/bin/sh\n{line}\n")
    path.chmod(0o755)


def _up(programs: Path, docker: str, **environment: str) -> subprocess.CompletedProcess[str]:
    _write(programs / "docker", docker)
    known = {name: value for name, value in os.environ.items() if name != "DOCKER_HOST"}
    path = {"PATH": f"{programs}{os.pathsep}/usr/bin{os.pathsep}/bin", "SAM_LOCAL_DIR": str(programs.parent / "work")}
    return subprocess.run(
        [UP], env={**known, **path, **environment}, capture_output=True, text=True, check=False, timeout=60
    )


def test_an_engine_and_an_image_that_are_there_are_used(programs: Path) -> None:
    """Nothing is installed or started, and the exports name the image and keep the engine that `docker` reaches."""
    done = _up(programs, ENGINE)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "export SAM_LOCAL_IMAGE=localhost/lambda/python:3.12 SAM_CLI_TELEMETRY=0\n"
    done = _up(programs, ENGINE, DOCKER_HOST="tcp://127.0.0.1:1")
    assert done.stdout.startswith("export DOCKER_HOST=tcp://127.0.0.1:1\n")


@pytest.mark.parametrize(
    ("docker", "environment", "message"),
    [
        (NO_ENGINE, {}, "sam-local: no container engine answers, and only root can start one\n"),
        (NO_IMAGE, {"SAM_LOCAL_PYTHON": "/nowhere"}, "sam-local: no CPython 3.12 was found: set SAM_LOCAL_PYTHON"),
        (NO_IMAGE, {"PYENV_ROOT": "/nowhere"}, "sam-local: no CPython 3.12 was found: set SAM_LOCAL_PYTHON"),
    ],
    ids=["no engine", "no Python", "no pyenv"],
)
def test_what_is_missing_is_named(programs: Path, docker: str, environment: dict[str, str], message: str) -> None:
    """A machine that lacks something gets one line that says what failed and what to do, and no exports."""
    done = _up(programs, docker, **environment)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith(message)
