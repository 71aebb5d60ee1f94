"""Write the data of docs/examples.md: `python docs/examples/data.py FOLDER`."""

import ast
import csv
import sys
from collections.abc import Iterable, Iterator
from importlib.util import find_spec
from itertools import chain, islice
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from sklearn.datasets import load_breast_cancer, load_sample_images

LIBRARIES = {"numpy": "numpy", "scipy": "scipy", "sklearn": "scikit-learn", "keras": "keras", "botocore": "botocore"}
"""packages that Weir's training installs, by the names of their modules"""
PATCH = 20
"""height and width of a patch of a photograph, in pixels"""
DOCSTRINGS = 1_500
"""of one package, at most"""
SPRING = range(3, 7)
"""months in which people buy for the garden"""
HOLIDAYS = {6, 7, 12, 1}
"""months in which people buy for sport"""
CATALOGUE = {
    "books": ("atlas", "cookbook", "novel", "textbook"),
    "garden": ("bulbs", "hose", "shears", "soil"),
    "music": ("guitar", "headphones", "piano", "vinyl"),
    "sport": ("ball", "bicycle", "racket", "skis"),
}
"""category -> its items"""


def cancer(folder: Path) -> None:
    """Write scikit-learn's breast cancer data: 30 measurements of each of 569 tumours."""
    data = load_breast_cancer()
    header = [*(name.replace(" ", "_") for name in data.feature_names), "diagnosis"]
    rows = ([*row.tolist(), data.target_names[label]] for row, label in zip(data.data, data.target, strict=True))
    _write(folder / "cancer.csv", header, rows)


def docstrings(folder: Path) -> None:
    """Write the first sentences of docstrings of installed packages, with what is documented, and where."""
    header = ["kind", "parameters", "lines", "private", "summary", "library"]
    rows = (row for module, library in LIBRARIES.items() for row in _documented(module, library))
    _write(folder / "docstrings.csv", header, rows)


def _documented(module: str, library: str) -> Iterator[list[object]]:
    """Yield functions and classes that have docstrings, from files of a package in random order."""
    (root,) = getattr(find_spec(module), "submodule_search_locations", None) or []
    paths = [path for path in sorted(Path(root).rglob("*.py")) if "tests" not in path.parts]
    order = np.random.default_rng(0).permutation(len(paths)).tolist()
    return islice(chain.from_iterable(_of_file(paths[number], library) for number in order), DOCSTRINGS)


def _of_file(path: Path, library: str) -> Iterator[list[object]]:
    for node in ast.walk(ast.parse(path.read_text("utf-8", "replace"))):
        if not isinstance(node, ast.FunctionDef | ast.ClassDef) or not (text := ast.get_docstring(node)):
            continue
        parameters = len(node.args.args) if isinstance(node, ast.FunctionDef) else ""
        summary = " ".join(text.split("\n\n")[0].split())
        kind = "class" if isinstance(node, ast.ClassDef) else "function"
        yield [kind, parameters, text.count("\n") + 1, str(node.name.startswith("_")).lower(), summary, library]


def photographs(folder: Path) -> None:
    """Cut scikit-learn's two photographs, of a temple and of a flower, into patches: a folder for each."""
    for name, pixels in zip(("temple", "flower"), load_sample_images().images, strict=True):
        out = folder / "photographs" / name
        out.mkdir(parents=True, exist_ok=True)
        height, width = pixels.shape[:2]
        for top in range(0, height - PATCH + 1, PATCH):
            for left in range(0, width - PATCH + 1, PATCH):
                patch = pixels[top : top + PATCH, left : left + PATCH]
                Image.fromarray(patch).save(out / f"{top:03}-{left:03}.png")


def purchases(folder: Path, count: int = 20_000) -> None:
    """Draw purchases: a made-up shop, in which season, age and the last purchase tell what a customer buys next.

    The category depends on the season and on the last purchase; the item, within its category, on age and on price
    class. One in seven customers buys something at random.
    """
    random = np.random.default_rng(0)
    header = ["age", "region", "month", "price_class", "last_category", "days_since", "item"]
    _write(folder / "purchases.csv", header, (_purchase(random) for _ in range(count)))


def _purchase(random: np.random.Generator) -> list[Any]:
    categories = list(CATALOGUE)
    age, month = int(random.integers(16, 85)), int(random.integers(1, 13))
    price, region = int(random.integers(3)), str(random.choice(["north", "south", "east", "west"]))
    last, days = int(random.integers(4)), int(random.geometric(0.02))
    scores = np.array([0.0, 2.0 if month in SPRING else -1, 0.5, 2.0 if month in HOLIDAYS else 0])
    scores[last] += 3 * np.exp(-days / 60)
    chosen = int(np.argmax(scores + random.gumbel(0, 0.35, 4)))
    taste = (age // 20 + price + 2 * (region == "south")) % 4
    if random.random() < 1 / 7:
        chosen, taste = int(random.integers(4)), int(random.integers(4))
    item = CATALOGUE[categories[chosen]][taste]
    return [age, region, month, ("low", "middle", "high")[price], categories[last], days, item]


def _write(path: Path, header: list[str], rows: Iterable[list[Any]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(header)
        writer.writerows(rows)


if __name__ == "__main__":
    for write in (cancer, docstrings, photographs, purchases):
        write(Path(sys.argv[1]))
