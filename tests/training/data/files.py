"""Files of rows that tests write, and the task that reads them."""

from pathlib import Path

import numpy as np
from PIL import Image

from training import task
from training.data.preparation import PreparedData, prepare

LEVELS = """
[end_to_end]
name = "last"
architecture = "any"
epochs = 1
[[levels]]
name = "first"
architecture = "any"
epochs = 1
"""
ROWS = 200
HEADER = "age,plan,churned"


def lines(count: int = ROWS) -> list[str]:
    """Write rows of a number, a category and a label that depends on both."""
    random = np.random.default_rng(0)
    ages, plans = random.normal(40, 9, count).round(6), random.integers(0, 3, count)
    return [
        f"{age},{('gold', 'silver', 'free')[plan]},{'yes' if age > 40 else 'no'}"
        for age, plan in zip(ages.tolist(), plans.tolist(), strict=True)
    ]


def decoded(data: str, head: str = "", tail: str = "") -> task.Task:
    """Read a task with this table of data."""
    return task.decode(f'name = "files"\n{head}\n[data]\n{data}\n{tail}\n{LEVELS}'.encode())


def prepared(path: Path | str, keys: str = 'target = "churned"', tail: str = "") -> PreparedData:
    """Prepare the data of a path."""
    return prepare(decoded(f'path = "{path}"\n{keys}', tail=tail))


def write(path: Path, content: str | bytes) -> Path:
    """Write a file, and the folders that it is in."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def picture(path: Path, seed: int, size: tuple[int, int] = (12, 12), *, colour: bool = False) -> Path:
    """Write a picture of noise."""
    path.parent.mkdir(parents=True, exist_ok=True)
    shape = (*size, 3) if colour else size
    Image.fromarray(np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)).save(path)
    return path


def folders(root: Path, *names: str, each: int = 40) -> Path:
    """Write a folder of pictures for each name."""
    for number, name in enumerate(names):
        for seed in range(each):
            picture(root / name / f"{seed}.png", 1000 * number + seed)
    return root
