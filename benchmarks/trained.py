"""The trainings that benchmarks measure: taken from build/ when they are there, made when they are not."""

import subprocess
import sys
from pathlib import Path

import msgspec

from benchmarks.setting import ROOT
from training import folder
from training.data.preparation import PreparedData
from training.data.sources.fashion_mnist import DEBIAN
from training.measuring import reload as testsplit
from training.task import Task
from training.task import load as load_task
from weir.catalog.manifest import Manifest
from weir.runtime.interpreter import DEPLOYED
from weir.runtime.model import Model

_BUILD = ROOT / "build"
CASCADE, HIERARCHY, CONTROL = (_BUILD / name for name in ("fashion-mnist", "fashion-mnist-hierarchy", "control"))
_TASKS = {
    CASCADE: ("fashion-mnist",),
    HIERARCHY: ("fashion-mnist-hierarchy", "--reuse", str(CASCADE)),
    CONTROL: (str(ROOT / "benchmarks/control.toml"), "--reuse", str(CASCADE)),
}


def ensure(*folders: Path) -> None:
    """Train what is not trained yet; the data must be there, for nothing is downloaded."""
    if not DEBIAN.is_dir():
        sys.exit(f"this benchmark needs Fashion-MNIST: apt-get install dataset-fashion-mnist. Got: no {DEBIAN}")
    for one in folders:
        if not folder.is_complete(one):
            print(f"{one} is not trained yet: weir train {' '.join(_TASKS[one])}", file=sys.stderr)
            command = [str(Path(sys.executable).with_name("weir")), "train", *_TASKS[one], "--out", str(one)]
            subprocess.run(command, check=True, stdout=sys.stderr)
        _check(one)


def _check(trained: Path) -> None:
    """Refuse a training of another task file: its promise may be another one, for `weir certify` makes new ones."""
    found, task = _described(folder.manifest(trained)), load_task(_TASKS[trained][0])
    if found != msgspec.structs.replace(task, promise=found.promise):
        sys.exit(f"{trained} was trained by {_TASKS[trained][0]} as it is now. Got: another task; move it away")


def _described(manifest: Manifest) -> Task:
    return msgspec.convert(manifest.provenance.configuration, Task)


def load(trained: Path) -> tuple[Manifest, Model, PreparedData]:
    """Open a complete training with the rows of its task."""
    manifest = folder.manifest(trained)
    model = Model(manifest, lambda digest: folder.artifact(trained, digest), DEPLOYED)
    return manifest, model, testsplit.prepared(manifest)
