"""The engine: levels answer a batch of rows in turn, each only those that are still open.

An end-to-end model is a cascade of one level, so the same engine runs both.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from weir.confidence import confidence, label, softmax
from weir.fusion import FUSIONS
from weir.manifest import Fusion

Floats = NDArray[np.float32]

ALWAYS_ESCALATE = 2.0
"""a threshold no confidence reaches, not even one that rounds to 1"""


@dataclass(frozen=True)
class Step:
    """One level, ready to run."""

    logits: Callable[[Floats], Floats]
    """rows `(n, …)` -> logits `(n, labels)`; called only when some row needs this level"""
    threshold: float = 0.0
    temperature: float = 1.0
    fusion: Fusion = "replace"


@dataclass(frozen=True)
class Answers:
    """What a batch of n rows was answered."""

    probabilities: Floats
    """posterior of each row at its exit, `(n, labels)`"""
    label: NDArray[np.intp]
    """index of the label, `(n,)`"""
    confidence: Floats
    """largest probability, `(n,)`"""
    exit_level: NDArray[np.int32]
    """number of the level that answered, `(n,)`"""
    trace: Floats | None = None
    """how sure each level was, `(n, levels)`, NaN where it was not asked; None when nobody asked for it"""

    def share(self, level: int) -> float:
        """Share of rows that this level answered, 0 to 1."""
        return float((self.exit_level == level).mean())


def run(rows: Floats, steps: Sequence[Step], *, traced: bool = False) -> Answers:
    """Answer rows `(n, …)`, n at least 1: a row exits at the first level that is sure enough, at the last otherwise.

    A level that can never exit, and whose posterior the next one replaces, is not run.
    """
    last = len(steps) - 1
    open_rows = np.arange(len(rows))
    exit_level = np.full(len(rows), last, np.int32)
    posterior: Floats | None = None
    answered = np.empty((len(rows), 0), np.float32)
    trace = np.full((len(rows), len(steps)), np.nan, np.float32) if traced else None
    for number, step in enumerate(steps):
        if number < last and _is_idle(step, steps[number + 1]):
            continue
        all_open = len(open_rows) == len(rows)
        word = softmax(step.logits(rows if all_open else rows[open_rows]), step.temperature)
        posterior = FUSIONS[step.fusion](posterior, word)
        sure = confidence(posterior)
        if trace is not None:
            trace[open_rows, number] = sure
        stays = ~(sure >= step.threshold) if number < last else np.zeros(len(sure), bool)
        if all_open:  # nobody has exited yet: whoever stays is overwritten later
            answered = posterior.copy()
        else:
            answered[open_rows] = posterior
        exit_level[open_rows[~stays]] = number
        open_rows, posterior = open_rows[stays], posterior[stays]
        if not len(open_rows):
            break
    return Answers(answered, label(answered), confidence(answered), exit_level, trace)


def _is_idle(step: Step, after: Step) -> bool:
    return step.threshold > 1 and after.fusion == "replace"


def paths(trace: Floats, exit_level: NDArray[np.int32], names: Sequence[str], thresholds: Sequence[float]) -> list[str]:
    """Tell each row's way in words: `tiny 0.6213 < 0.9100; small 0.9921 >= 0.9500`.

    One part a level that was asked, joined by `"; "`: its name, its confidence, and the threshold it was held
    against; the last level has none, for it answers all the same.
    """
    last = len(names) - 1
    return [
        "; ".join(
            f"{names[k]} {sure:.4f}" + ("" if k == last else f" {'>=' if k == end else '<'} {thresholds[k]:.4f}")
            for k, sure in enumerate(row)
            if sure == sure  # noqa: PLR0124 (NaN: not asked)
        )
        for row, end in zip(trace.tolist(), exit_level.tolist(), strict=True)
    ]
