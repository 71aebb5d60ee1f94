"""A whole training whose rows are kept in a file."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest
from sklearn.datasets import make_classification

from training import folder
from training.learning import windows
from training.pipeline import train
from training.task import decode
from training.terminal.callbacks import Callbacks

TASK = """
name = "large"
quantization_tolerance = 0.05
[data]
path = "{path}"
target = "y"
memory_mb = 1
[sizes]
validation = 300
certification = 300
test = 500
[promise]
max_loss = 0.05
[optimise]
escalated = true
pool = false
joint_epochs = 1
[end_to_end]
name = "all"
architecture = "table-mlp"
epochs = 3
[[levels]]
name = "few"
architecture = "table-linear"
columns = ["x0", "x1", "x2"]
epochs = 3
"""


@pytest.fixture(scope="module")
def rows(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write 1.3 MB of rows of 60 numbers, sorted by label."""
    x, y = make_classification(5500, 60, n_informative=6, n_redundant=0, class_sep=2, shuffle=False, random_state=0)
    order = np.argsort(y, kind="stable")
    columns = {f"x{place}": x[order, place].round(3) for place in range(60)}
    path = tmp_path_factory.mktemp("large") / "rows.parquet"
    pl.DataFrame({**columns, "y": y[order]}).write_parquet(path)
    return path


def test_rows_of_a_file_are_learned(rows: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With distillation, escalation weights and joint fine-tuning, and though the file is sorted by label."""
    monkeypatch.setattr(windows, "_BYTES", 1 << 18)
    said: list[str] = []
    task = decode(TASK.format(path=rows).encode())
    evaluation = train(task, tmp_path / "large", Callbacks(said.append, lambda *_: None))
    assert any("data.memory_mb = 1, are read from a file" in message for message in said)
    assert min(evaluation.end_to_end.accuracy, evaluation.cascade.accuracy) > 0.85
    assert folder.is_complete(tmp_path / "large")
