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
import statistics
import subprocess
import sys
from collections import deque
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from threading import Barrier, BrokenBarrierError

import msgspec
from scipy.stats import binom

from benchmarks.busy import busy
from benchmarks.setting import ROOT, header
from training import folder
from training.measuring.results import Evaluation
from training.task import Task, load
from weir.catalog.levels import Level
from weir.catalog.manifest import FILE, Artifact

TASKS = ("mnist-sample", "digits")
IDLE, LOADED = "idle", "loaded"
_BUILD = ROOT / "build/bench-demo"
_WEIR = Path(sys.executable).with_name("weir")
_SEEDS = 10
_SAVED = 0.9
"""highest ratio of times at which a cascade saves something"""
_BY_CHANCE = 0.05
"""a promise is broken when chance alone makes so many test losses more rarely than this"""
_EQUAL_SHARE = 0.02
_BUSY = 0.5
"""load average from which runs on an idle machine are none"""


@dataclass(frozen=True)
class Run:
    """What one training chose, and how it did on the test rows."""

    task: str
    seed: int
    load: str
    """`idle` or `loaded`"""
    ladder: tuple[str, ...]
    """the levels with their fusions and quantizations, and the changes that were kept"""
    shares: tuple[float, ...]
    """of the test rows that each level answers"""
    time_ratio: float
    """the cascade's CPU time per row over the end-to-end model's"""
    losses: int
    """test rows where the cascade is wrong and the end-to-end model right"""
    rows: int
    epsilon: float | None
    """the certified limit; None: nothing was certified, and only the last level answers"""
    attempt: int | None
    """number of the certification on its rows"""

    @property
    def saved(self) -> bool:
        """Whether the cascade takes at most 0.9 of the end-to-end model's time."""
        return self.time_ratio <= _SAVED

    @property
    def broken(self) -> bool:
        """Whether a loss of epsilon would give so many test losses in less than 5 % of tests."""
        return self.epsilon is not None and float(binom.sf(self.losses - 1, self.rows, self.epsilon)) < _BY_CHANCE

    def same_choices(self, other: "Run") -> bool:
        """Tell whether both have one ladder with the same quantizations, and shares of exits within 2 points."""
        if self.ladder != other.ladder:
            return False
        pairs = zip(self.shares, other.shares, strict=True)
        return all(abs(one - two) <= _EQUAL_SHARE + 1e-9 for one, two in pairs)


def read(trained: Path, load: str) -> Run:
    """Read what a complete training chose and measured. Raises `BadInput`."""
    manifest = folder.manifest(trained)
    evaluation = msgspec.json.decode((trained / folder.SUMMARY).read_bytes(), type=Evaluation)
    cascade, certificate = evaluation.cascade, manifest.certificate
    rows = evaluation.rows or 0
    return Run(
        task=manifest.task,
        seed=manifest.provenance.seed,
        load=load,
        ladder=(*map(_describe, manifest.levels), *_changes(trained)),
        shares=tuple(level.share for level in evaluation.levels),
        time_ratio=cascade.latency_us / evaluation.end_to_end.latency_us,
        losses=round(cascade.regret * rows),
        rows=rows,
        epsilon=certificate.max_loss if certificate else None,
        attempt=certificate.attempt if certificate else None,
    )


def _describe(level: Level[Artifact]) -> str:
    forms = "/".join(artifact.quantization for artifact in level.networks)
    return f"{level.name} {forms}" + ("" if level.fusion == "replace" else f" {level.fusion}")


class _Trial(msgspec.Struct):
    what: str
    level: str
    used: bool


class _Report(msgspec.Struct):
    optimisation: list[_Trial] = []


def _changes(trained: Path) -> list[str]:
    """List the changes of the levels that were kept: two ladders of one name may have other networks."""
    trials = msgspec.json.decode((trained / folder.REPORT).read_bytes(), type=_Report).optimisation
    return [f"+ {one.what} {one.level}".rstrip() for one in trials if one.used]


def figures(pairs: Sequence[tuple[Run, Run]]) -> dict[str, float | int]:
    """Count over pairs of an idle and a loaded run; the median is that of the first task."""
    runs = list(chain.from_iterable(pairs))
    ratios = [run.time_ratio for run in runs if run.task == TASKS[0]]
    return {
        "runs": len(runs),
        "saved_runs": sum(run.saved for run in runs),
        "median_time_ratio": round(statistics.median(ratios), 4),
        "worst_time_ratio": round(max(run.time_ratio for run in runs), 4),
        "broken_runs": sum(run.broken for run in runs),
        "same_choices_under_load": sum(one.same_choices(other) for one, other in pairs),
    }


def table(pairs: Sequence[tuple[Run, Run]]) -> list[str]:
    """Make a line for each run; the second of a pair says whether it chose the same."""
    columns = "epsilon attempt  ratio  losses  answered by each level  choices"
    lines = [f"{'task':13} {'seed':>4} {'load':7} {columns}"]
    for idle, loaded in pairs:
        same = "same" if idle.same_choices(loaded) else "OTHER"
        lines += [_line(idle, ""), _line(loaded, same), f"{'':18} {'; '.join(idle.ladder)}"]
        if loaded.ladder != idle.ladder:
            lines.append(f"{'loaded':>18} {'; '.join(loaded.ladder)}")
    return lines


def _line(run: Run, same: str) -> str:
    epsilon = "none" if run.epsilon is None else f"{100 * run.epsilon:g} %"
    shares = " ".join(f"{100 * share:.1f}" for share in run.shares) + " %"
    marks = ("" if run.saved else " saves nothing") + (" BROKEN" if run.broken else "")
    return (
        f"{run.task:13} {run.seed:>4} {run.load:7} {epsilon:>7} {run.attempt or '-':>7} {run.time_ratio:>6.3f} "
        f"{run.losses:>3}/{run.rows:<4} {shares:>22}  {same}{marks}"
    )


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
        done = subprocess.run(command, stdout=written, stderr=subprocess.STDOUT, check=False)
    if done.returncode:
        sys.exit(f"a training of {task.name} ends with 0. Got: {done.returncode}; its messages are in {log}")


def _check(task: Task, out: Path) -> None:
    """Refuse a training of another task than the one that has this name now."""
    if msgspec.convert(folder.manifest(out).provenance.configuration, Task) != task:
        sys.exit(f"{out} was trained by {task.name} as it is now. Got: another task; --fresh trains all runs again")


def verdicts(counted: Mapping[str, float | int]) -> list[str]:
    """Say in words what the figures show."""
    runs = int(counted["runs"])
    median, worst = (f"{counted[name]:.3f}" for name in ("median_time_ratio", "worst_time_ratio"))
    expected = int(binom.ppf(1 - _BY_CHANCE, runs, _BY_CHANCE))
    lost = f"{counted['broken_runs']} of {runs} lose more test rows than epsilon explains, as 5 % may by chance"
    return [
        f"{counted['saved_runs']} of {runs} cascades take at most {_SAVED:g} of the end-to-end model's time",
        f"median ratio of {TASKS[0]}: {median}; worst of all: {worst}",
        f"{lost}: up to {expected} of {runs} in 95 % of benchmarks",
        f"{counted['same_choices_under_load']} of {runs // 2} pairs make the same choices under load",
    ]


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
