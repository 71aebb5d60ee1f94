"""A task that trains in seconds, and the command that trains it."""

import subprocess
import sys
from pathlib import Path

TASK = """
name = "quick"
seed = 3
quantization_tolerance = 0.2
[promise]
max_loss = 0.2
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
