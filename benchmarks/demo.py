"""Train the demo's tasks again and again, with other seeds and under load: `make bench-demo`.

Each of 10 seeds of `mnist-sample` and of `digits` is trained twice: beside two other processes that keep every core
busy, and on the idle machine. The first trainings are the load of each other: as many run at once as the machine has
cores, and one more; when fewer are left, processes that only compute take their place. The second training of a seed
takes the float networks of the first. It quantizes, times, tries changes, certifies and measures anew, and takes
neither the first one's attempts on the certification rows nor its order of threshold vectors. So a pair shows whether
load changes the choices, and all runs show how often a cascade saves time and keeps its promise.

Finished trainings in `build/bench-demo` are used again. `python -m benchmarks.demo --seeds 1` is a short trial;
`--fresh` removes what is there.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
from collections import deque
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier, BrokenBarrierError

import msgspec

from benchmarks.busy import busy
from benchmarks.demo_runs import IDLE, LOADED, TASKS, Run, figures, read, table, verdicts
from benchmarks.setting import ROOT, header
from training import folder
from training.task import Task, load
from weir.catalog.manifest import FILE

_BUILD = ROOT / "build/bench-demo"
_WEIR = Path(sys.executable).with_name("weir")
_SEEDS = 10
_ONE_THREAD = {"TF_NUM_INTRAOP_THREADS": "1", "TF_NUM_INTEROP_THREADS": "1"}
"""for trainings side by side: threads of several TensorFlows that wait for each other cost a fifth of their CPU"""
_BUSY = 0.5
"""load average from which runs on an idle machine are none"""


def pairs_of(tasks: Sequence[Task]) -> list[tuple[Run, Run]]:
    """Train every task under load and then on the idle machine, where that is not done yet; idle runs come first."""
    train_under_load(tasks)
    for task in tasks:
        _train(task, _folder(task, IDLE), networks_of(_folder(task, LOADED)))
    return [(read(_folder(task, IDLE), IDLE), read(_folder(task, LOADED), LOADED)) for task in tasks]


def _folder(task: Task, load: str) -> Path:
    return _BUILD / f"{task.name}-{task.seed}-{load}"


def train_under_load(tasks: Sequence[Task]) -> None:
    """Train tasks side by side, each beside as many other busy processes as there are cores, and at least two."""
    left, count = deque(tasks), max(2, os.cpu_count() or 2) + 1
    finished = Barrier(count)

    def train() -> None:
        try:
            while left:
                task = left.popleft()
                _train(task, _folder(task, LOADED), {})
            with busy(1):
                finished.wait()
        except BaseException:
            left.clear()
            finished.abort()
            raise

    with ThreadPoolExecutor(count) as pool:
        done = [pool.submit(train) for _ in range(count)]
    errors = [error for error in (one.exception() for one in done) if error]
    for error in sorted(errors, key=lambda error: isinstance(error, BrokenBarrierError)):
        raise error


def networks_of(trained: Path) -> dict[str, bytes]:
    """Return the float networks of a complete training and their curves, by the names of their files."""
    files = sorted(folder.networks(trained).iterdir(), key=lambda path: path.suffix == ".keras")
    return {path.name: path.read_bytes() for path in files}  # curves first: a network is complete when it is there


def _train(task: Task, out: Path, networks: Mapping[str, bytes]) -> None:
    """Train in a process of its own, which resumes the given networks; do nothing if it is done already."""
    if folder.is_complete(out):
        _check(task, out)
        return
    for name, content in networks.items():
        folder.write(out / folder.WORK / name, content)
    log = out.with_suffix(".log")
    log.parent.mkdir(parents=True, exist_ok=True)
    print(f"training {out.name} …", file=sys.stderr)
    command = [str(_WEIR), "train", task.name, "--seed", str(task.seed), "--out", str(out)]
    with log.open("wb") as written:
        done = subprocess.run(
            command, env=os.environ | _ONE_THREAD, stdout=written, stderr=subprocess.STDOUT, check=False
        )
    if done.returncode:
        sys.exit(f"a training of {task.name} ends with 0. Got: {done.returncode}; its messages are in {log}")


def _check(task: Task, out: Path) -> None:
    """Refuse a training of another task than the one that has this name now."""
    if msgspec.convert(folder.manifest(out).provenance.configuration, Task) != task:
        sys.exit(f"{out} was trained by {task.name} as it is now. Got: another task; --fresh trains all runs again")


def main() -> None:
    """Train what is missing; print a line for each run, and the figures as JSON."""
    parser = argparse.ArgumentParser(description="Train the demo's tasks with several seeds, idle and under load.")
    parser.add_argument("--seeds", type=int, default=_SEEDS, help=f"seeds of each task (default {_SEEDS})")
    parser.add_argument("--fresh", action="store_true", help=f"first remove {_BUILD.relative_to(ROOT)}")
    asked = parser.parse_args()
    if asked.fresh:
        shutil.rmtree(_BUILD, ignore_errors=True)
    tasks = [load(name, seed=seed) for name in TASKS for seed in range(max(1, asked.seeds))]
    reused = len(list(_BUILD.glob(f"*/{FILE}")))
    if reused:
        print(f"{reused} finished runs of {_BUILD} are used again; --fresh removes them", file=sys.stderr)
    if os.getloadavg()[0] > _BUSY:
        print(f"warning: the machine is not idle: load average {os.getloadavg()[0]:.1f}", file=sys.stderr)
    pairs = pairs_of(tasks)
    counted = figures(pairs)
    for line in (*header(), "", *table(pairs), "", *verdicts(counted)):
        print(line)
    print(json.dumps(counted))


if __name__ == "__main__":
    main()
