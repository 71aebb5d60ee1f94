"""training.levels.build, of a table: every way to improve levels works with rows that are no pictures."""

from pathlib import Path

import numpy as np

from tests.training.tables import COLOUR, TABLE, rows
from tests.training.training_runs import ObservedRun
from training.data.cleaning import Cleaning
from training.data.preparation import PreparedData
from training.data.splits.split import Split
from training.learning.settling import settle
from training.levels.build import build, check
from training.task import Data, Groups, NetworkSpec, Optimise, Promise, Sizes, Task

FIRST = NetworkSpec(name="linear", architecture="table-linear", epochs=3, columns=("height", "colour", "since"))
TASK = Task(
    name="table",
    data=Data(source="none"),
    sizes=Sizes(validation=300, certification=100, test=100),
    levels=(FIRST,),
    end_to_end=NetworkSpec(name="last", architecture="table-mlp", epochs=6),
    hierarchy=Groups(generalist="linear", named={"two": ("no", "yes"), "red": ("red",)}, epochs=2),
    optimise=Optimise(joint_epochs=1),
    promise=Promise(max_loss=0.1, against="agreement"),
    quantization_tolerance=0.2,
)


def _three(count: int, seed: int) -> Split:
    """Give some red rows a label of their own."""
    drawn = rows(count, seed)
    return Split(drawn.inputs, np.where(drawn.inputs[:, COLOUR] == 2, 2, drawn.labels))


def test_the_levels_of_a_table_are_built(tmp_path: Path) -> None:
    """With distillation, pooling, an expert, and joint fine-tuning."""
    data = PreparedData(
        train=_three(600, 1),
        validation=_three(300, 2),
        certification=_three(100, 3),
        test=_three(100, 4),
        label_names=("no", "yes", "red"),
        inputs=(TABLE,),
        cleaning=Cleaning(kept=1100),
        digest="0" * 64,
    )
    check(TASK, data)
    built = build(ObservedRun.begin(settle(TASK, data), tmp_path, data))
    tried = {trial.what for trial in built.trials}
    assert {"distillation", "pooling", "joint fine-tuning"} <= tried
    assert built.ladder.end_to_end.correct.mean() > 0.75
    assert [line.group for line in built.experts] == ["two", "red"]
    assert built.experts[0].loss is not None
