"""Train six real data sets that packages install, and compare them with scikit-learn: `make bench-data`.

Two tables, three sets of texts, one of pictures in colour; `benchmarks/data_sets.py` says what they are. For each
split of each set, `weir train` runs a task of `benchmarks/tasks/`, and on its test rows the end-to-end model, each
level alone and the certified cascade answer and are timed in one run, on the deployed interpreter and one thread.
`benchmarks/data_baselines.py` fits scikit-learn's models on the same rows.

A bloated end-to-end model would flatter the time ratio. So there is a control: the cheapest network that alone is
within epsilon of the end-to-end model's accuracy.

Finished trainings and measurements in `build/bench-data` are used again. `--only SET` is for one set, `--fresh`
removes what is there.
"""

import argparse
import hashlib
import json
import math
import shutil
import subprocess
import sys
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from benchmarks import data_baselines, data_results
from benchmarks.data_baselines import Predicted
from benchmarks.data_results import Alone, Baseline, Measured, Result
from benchmarks.data_sets import BUILD, SETS, DataSet, ensure
from benchmarks.setting import ROOT, header
from training import folder
from training.data.preparation import PreparedData
from training.measuring import reload
from training.measuring.contenders import CASCADE_KEY, contenders
from training.measuring.evaluation import Timed, timed
from training.task import Task, load
from weir.catalog.manifest import FILE, Manifest
from weir.engine.arrays import Labels

_CALL = 1024
"""rows of a timed call, at least"""
_WEIR = Path(sys.executable).with_name("weir")


def train(one: DataSet, seed: int) -> Path:
    """Train one split, where that is not done yet; return its folder."""
    out = one.trained(seed)
    if folder.is_complete(out):
        _check(one, seed, out)
        return out
    print(f"training {out.name} …", file=sys.stderr)
    command = [str(_WEIR), "train", str(one.task), "--seed", str(seed), "--out", str(out)]
    log = out.with_suffix(".log")
    with log.open("wb") as written:
        done = subprocess.run(command, cwd=ROOT, stdout=written, stderr=subprocess.STDOUT, check=False)
    if done.returncode:
        sys.exit(f"a training of {one.name} ends with 0. Got: {done.returncode}; its messages are in {log}")
    return out


def _check(one: DataSet, seed: int, out: Path) -> None:
    """Refuse a training of another task than the one that the file describes now."""
    if msgspec.convert(folder.manifest(out).provenance.configuration, Task) != load(str(one.task), seed=seed):
        sys.exit(f"{out} was trained by {one.task.name} as it is now. Got: another task; --fresh trains all anew")


def measure(one: DataSet, seed: int) -> Measured:
    """Measure a trained split, or read what was measured of it before."""
    out = train(one, seed)
    kept, digest = out.with_suffix(".json"), hashlib.sha256((out / FILE).read_bytes()).hexdigest()
    if kept.is_file() and (before := msgspec.json.decode(kept.read_bytes(), type=Measured)).trained == digest:
        return before
    print(f"measuring {out.name} …", file=sys.stderr)
    manifest = folder.manifest(out)
    data = reload.prepared(manifest)
    timings = timed(
        contenders(manifest, lambda of: folder.artifact(out, of)), repeated(data.test.inputs), lambda *_: None
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # scikit-learn's, of fits that end at their last iteration
        baselines = data_baselines.predictions(data, seed)
    measured = summary(manifest, data, timings, baselines, digest)
    kept.write_bytes(msgspec.json.encode(measured))
    return measured


def summary(
    manifest: Manifest, data: PreparedData, timings: dict[str, Timed], baselines: dict[str, Predicted], digest: str
) -> Measured:
    """Count the test rows that every contender gets right."""
    targets, cascade = data.test.labels, timings[CASCADE_KEY]
    networks = {
        level.name: Alone(
            int(_right(timings[str(number)], targets).sum()),
            timings[str(number)].latency_us,
            cascade.predictions.share(number),
        )
        for number, level in enumerate(manifest.levels)
    }
    end_to_end = _right(timings[str(len(manifest.levels) - 1)], targets)
    return Measured(
        trained=digest,
        learned=len(data.train.labels),
        rows=len(targets),
        epsilon=manifest.certificate.max_loss if manifest.certificate else None,
        networks=networks,
        cascade=int(_right(cascade, targets).sum()),
        cascade_us=cascade.latency_us,
        baselines={name: compared(one, data, end_to_end) for name, one in baselines.items()},
    )


def repeated(rows: NDArray[Any]) -> NDArray[Any]:
    """Repeat rows until a call has as many as a request may, so that what a call costs by itself is spread alike."""
    times: NDArray[Any] = np.concatenate([rows] * math.ceil(_CALL / len(rows)))
    return times


def _right(one: Timed, targets: Labels) -> NDArray[np.bool_]:
    right: NDArray[np.bool_] = one.predictions.label[: len(targets)] == targets
    return right


def compared(one: Predicted, data: PreparedData, end_to_end: NDArray[np.bool_]) -> Baseline:
    """Count the rows that a model gets right; `end_to_end` `(rows,)` says which test rows the network gets right."""
    right = one.test == data.test.labels
    return Baseline(
        validation=int((one.validation == data.validation.labels).sum()),
        test=int(right.sum()),
        alone=int((right & ~end_to_end).sum()),
        missed=int((end_to_end & ~right).sum()),
    )


def results(chosen: Sequence[DataSet]) -> list[Result]:
    """Train and measure every split of some sets, where that is not done yet."""
    return [Result(one.name, [measure(one, seed) for seed in range(one.seeds)]) for one in chosen]


def main() -> None:
    """Train what is missing; print a table, and the figures as JSON."""
    parser = argparse.ArgumentParser(description="Train six data sets of packages, and compare with scikit-learn.")
    names = [one.name for one in SETS]
    parser.add_argument("--only", choices=names, action="append", help="one set; may be given several times")
    parser.add_argument("--fresh", action="store_true", help=f"first remove {BUILD.relative_to(ROOT)}")
    asked = parser.parse_args()
    if asked.fresh:
        shutil.rmtree(BUILD, ignore_errors=True)
    chosen = tuple(one for one in SETS if one.name in (asked.only or names))
    ensure(chosen)
    found = results(chosen)
    counted = data_results.figures(found)
    about = {one.name: one.about for one in chosen}
    for line in (*header(), "", *data_results.table(found, about), "", *data_results.verdicts(counted, len(found)), ""):
        print(line)
    print(json.dumps(counted))


if __name__ == "__main__":
    main()
