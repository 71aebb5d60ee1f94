"""What the trainings of `make bench-demo` chose, and what all of them together show."""

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

import msgspec
from scipy.stats import binom

from training import folder
from training.measuring.results import Evaluation
from weir.catalog.levels import Level
from weir.catalog.manifest import Artifact

TASKS = ("mnist-sample", "digits")
IDLE, LOADED = "idle", "loaded"
_SAVED = 0.9
"""highest ratio of times at which a cascade saves something"""
_BY_CHANCE = 0.05
"""a promise is broken when chance alone makes so many test losses more rarely than this"""
_EQUAL_SHARE = 0.02


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
