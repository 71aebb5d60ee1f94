"""Files of rows in words, and trainings on them that take seconds: a table, a text, and both."""

import csv
from pathlib import Path

import msgspec
import numpy as np

from training import folder
from training.pipeline import train
from training.task import decode
from training.terminal.callbacks import Callbacks

TASK = """
name = "{kind}"
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
path = "rows.csv"
target = "outcome"
ignore = {ignored}
[sizes]
validation = 60
certification = 60
test = 60
[end_to_end]
name = "last"
epochs = 2
architecture = {last}
[[levels]]
name = "first"
epochs = 2
architecture = {first}
"""

KINDS = {
    "table": TASK.format(
        kind="table",
        ignored='["review"]',
        last='"table-linear"',
        first='"table-linear"\ncolumns = ["age", "plan"]',
    ),
    "text": TASK.format(
        kind="text", ignored='["age", "plan", "since", "gift"]', last='"text-small"', first='"text-small"'
    ),
    "several": TASK.format(
        kind="several",
        ignored="[]",
        last='{table = "table-linear", review = "text-small"}',
        first='{table = "table-linear"}',
    ),
}
"""kind of input -> a task"""

_WORDS = {"stays": ["fine", "schön", "great"], "leaves": ["awful", "kaputt", "slow"]}
_FILL = ["the", "parcel", "came", "and", "box", "colour", "size", "was", "it", "on", "from", "with"]


def write_rows(path: Path, count: int = 400) -> None:
    """Write rows of a number with gaps, a category, a date, a boolean and a text, each of which tells of the label."""
    random = np.random.default_rng(0)
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["age", "plan", "since", "gift", "review", "outcome"])
        for number in range(count):
            label = ("stays", "leaves")[int(random.integers(2))]
            age = "" if number % 11 == 0 else round(float(random.normal(50 if label == "stays" else 35, 10)), 2)
            plan = (
                ""
                if number % 13 == 0
                else random.choice(["basic", "gold"], p=[0.3, 0.7][:: 1 if label == "stays" else -1])
            )
            since = f"20{random.integers(10, 26)}-0{random.integers(1, 9)}-1{random.integers(0, 9)}"
            review = ", ".join([*random.choice(_FILL, 6), str(random.choice(_WORDS[label])), str(number)])
            writer.writerow([age, plan, since, str(bool(random.integers(2))).lower(), review, label])


def trained(kind: str, root: Path) -> Path:
    """Train on the rows below a folder, and return the folder of the training."""
    rows, out = root / "rows.csv", root / kind
    if folder.is_complete(out):
        return out
    if not rows.exists():
        write_rows(rows)
    task = decode(KINDS[kind].encode())
    task = msgspec.structs.replace(task, data=msgspec.structs.replace(task.data, path=str(rows)))
    train(task, out, Callbacks(lambda _: None, lambda *_: None))
    return out
