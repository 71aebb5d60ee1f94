"""Tasks that train in seconds, and the command that trains them."""

import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
from sklearn.datasets import load_digits

TASK = """
name = "quick"
seed = 3
quantization_tolerance = 0.2
[promise]
max_loss = 0.2
[optimise]
distil = false
escalated = false
pool = false
joint_epochs = 0
[data]
source = "digits"
[sizes]
validation = 200
certification = 200
test = 200
[end_to_end]
name = "last"
architecture = "conv-medium"
epochs = 2
batch_size = 16
learning_rate = 0.005
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

LAYERED = """
name = "layered"
seed = 3
quantization_tolerance = 0.2
[promise]
max_loss = 0.03
[data]
source = "npz"
path = "digits.npz"
[sizes]
validation = 300
certification = 400
test = 300
[end_to_end]
name = "last"
architecture = "conv-large"
epochs = 5
batch_size = 8
learning_rate = 0.005
[[levels]]
name = "first"
architecture = "mlp"
epochs = 1
learning_rate = 0.0005
[hierarchy]
generalist = "first"
count = 3
epochs = 5
learning_rate = 0.002
[optimise]
distil_epochs = 1
joint_epochs = 1
"""
"""a weak generalist, experts that improve it, and an end-to-end model that takes many times as long"""

WEAK = """
name = "weak"
seed = 3
quantization_tolerance = 0.2
[promise]
max_loss = 0.03
[data]
source = "npz"
path = "digits.npz"
[sizes]
validation = 300
certification = 400
test = 300
[end_to_end]
name = "last"
architecture = "conv-medium"
epochs = 1
learning_rate = 0.0000001
[[levels]]
name = "first"
architecture = "mlp"
epochs = 4
"""
"""an end-to-end network that learns nothing, and a level that learns well"""

ROUTED = """
name = "routed"
seed = 3
quantization_tolerance = 0.2
[promise]
max_loss = 0.04
[data]
source = "npz"
path = "digits.npz"
[sizes]
validation = 300
certification = 400
test = 300
[end_to_end]
name = "last"
architecture = "conv-medium"
epochs = 5
batch_size = 16
learning_rate = 0.005
[[levels]]
name = "first"
architecture = "mlp"
epochs = 1
learning_rate = 0.0001
[hierarchy]
generalist = "first"
epochs = 5
learning_rate = 0.002
[hierarchy.named]
low = ["0", "1", "2", "3", "4"]
high = ["5", "6", "7", "8", "9"]
[hierarchy.router]
name = "router"
architecture = "mlp"
epochs = 4
[optimise]
distil = false
joint_epochs = 0
"""
"""a generalist that has learned next to nothing, and a router with an expert for each of its groups"""

REFINED = """
name = "refined"
seed = 3
quantization_tolerance = 0.2
[promise]
max_loss = 0.2
against = "labels"
[data]
source = "digits"
[sizes]
validation = 300
certification = 400
test = 300
[end_to_end]
name = "last"
architecture = "mlp"
epochs = 2
[hierarchy]
generalist = "last"
count = 3
epochs = 5
learning_rate = 0.002
"""
"""no levels before the end-to-end model, and experts after it"""

WEIR = Path(sys.executable).with_name("weir")


def weir(*arguments: str | Path, env: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    """Run the command, as its users do."""
    return subprocess.run(
        [WEIR, *map(str, arguments)], env=env, capture_output=True, text=True, check=False, timeout=300
    )


def trained_as(text: str, folder: Path, digits: Path) -> Path:
    """Train a task on written digits below a new folder, and return the training's; its messages are in `out.log`."""
    (folder / "task.toml").write_text(text.replace("digits.npz", str(digits)))
    done = weir("train", folder / "task.toml", "--out", folder / "out")
    assert done.returncode == 0, done.stderr
    (folder / "out.log").write_text(done.stderr)
    return folder / "out"


def copied(trained: Path, tmp_path: Path) -> Path:
    """Copy the folder of a training, for a test that changes it."""
    return Path(shutil.copytree(trained, tmp_path / "copy"))


def write_digits(path: Path) -> None:
    """Write scikit-learn's digits at three times their size: a network's own time is more than what surrounds it."""
    digits = load_digits()
    pictures = np.kron(digits.images, np.ones((1, 3, 3))) * 15
    np.savez(path, x=pictures.astype(np.uint8), y=digits.target)
