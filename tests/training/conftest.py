"""A task that trains in seconds, and what comes of it."""

import subprocess
import sys
from pathlib import Path

import pytest

TASK = """
name = "quick"
seed = 3
tolerance = 0.2
quantization_tolerance = 0.2
[data]
source = "digits"
[sizes]
validation = 200
certification = 200
test = 200
[end_to_end]
name = "last"
architecture = "conv-tiny"
epochs = 2
[[levels]]
name = "first"
architecture = "mlp"
epochs = 2
[[levels]]
name = "second"
architecture = "mlp2"
epochs = 2
flip = true
shift = 1
"""

WEIR = Path(sys.executable).with_name("weir")


def weir(*arguments: str | Path, env: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    """Run the command, as its users do."""
    return subprocess.run(
        [WEIR, *map(str, arguments)], env=env, capture_output=True, text=True, check=False, timeout=300
    )


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
