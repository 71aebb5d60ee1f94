"""The trainings that benchmarks measure. They are in build/, and a benchmark trains those that are missing."""

import subprocess
import sys
from pathlib import Path

import msgspec

from benchmarks.setting import ROOT
from training import folder
from training.data.preparation import PreparedData
from training.data.sources.fashion_mnist import DEBIAN
from training.measuring import reload
from training.task import Task
from training.task import load as load_task
from weir.catalog.manifest import Manifest
from weir.runtime.interpreter import DEPLOYED
from weir.runtime.model import Model

_BUILD = ROOT / "build"
CASCADE, HIERARCHY, CONTROL = (_BUILD / name for name in ("fashion-mnist", "fashion-mnist-hierarchy", "control"))
DEMO = _BUILD / "demo/mnist-sample"
"""where `make demo` trains it"""
_TASKS = {
    DEMO: ("mnist-sample",),
    CASCADE: ("fashion-mnist",),
    HIERARCHY: ("fashion-mnist-hierarchy", "--reuse", str(CASCADE)),
    CONTROL: (str(ROOT / "benchmarks/control.toml"), "--reuse", str(CASCADE)),
}
"""folder -> arguments of `weir train`"""
INSTALL = "apt-get install dataset-fashion-mnist"
"""gets Fashion-MNIST"""


def ensure(*folders: Path) -> None:
    """Train what is not trained yet, or exit with the reason; Fashion-MNIST must be installed for all but the demo."""
    if not installed() and set(folders) != {DEMO}:
        sys.exit(f"this benchmark needs Fashion-MNIST: {INSTALL}. Got: no {DEBIAN}")
    for trained in folders:
        if not folder.is_complete(trained):
            print(f"{trained} is not trained yet: weir train {' '.join(_TASKS[trained])}", file=sys.stderr)
            command = [str(Path(sys.executable).with_name("weir")), "train", *_TASKS[trained], "--out", str(trained)]
            subprocess.run(command, check=True, stdout=sys.stderr)
        _check(trained)


def installed() -> bool:
    """Say whether Fashion-MNIST is on this machine; benchmarks download nothing."""
    return DEBIAN.is_dir()


def _check(trained: Path) -> None:
    """Refuse a training of another task; only its promise may differ, because `weir certify` makes new ones."""
    kept, task = _task_of(folder.manifest(trained)), load_task(_TASKS[trained][0])
    if kept != msgspec.structs.replace(task, promise=kept.promise):
        sys.exit(f"{trained} was trained by {_TASKS[trained][0]} as it is now. Got: another task; move it away")


def _task_of(manifest: Manifest) -> Task:
    return msgspec.convert(manifest.provenance.configuration, Task)


def load(trained: Path) -> tuple[Manifest, Model, PreparedData]:
    """Load a complete training, with the rows of its task."""
    manifest = folder.manifest(trained)
    model = Model(manifest, lambda digest: folder.artifact(trained, digest), DEPLOYED)
    return manifest, model, reload.prepared(manifest)
