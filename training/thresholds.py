"""Choose the thresholds of a cascade on validation rows, with the code that will apply them."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import NDArray

from weir.cascade import ALWAYS_ESCALATE, Answers, Step, run
from weir.confidence import confidence, softmax

Floats = NDArray[np.float32]

_TRIED = 2_500
"""threshold vectors tried, at most about, whatever the number of levels"""
_MOST = 200
"""thresholds tried of one level, at most"""
_ROUNDING = 4
"""decimals of a threshold: enough to tell confidences apart, few enough to read"""


@dataclass(frozen=True)
class Thresholds:
    """One threshold a level, and what they do on validation rows."""

    values: tuple[float, ...]
    regret: float
    """share of rows where the cascade is wrong and its last level right"""
    time_us: float
    """expected time per row: each level's time by the share of rows that reach it"""


def choose(logits: Sequence[Floats], times_us: Sequence[float], labels: NDArray[np.int64], regret: float) -> Thresholds:
    """Find the cheapest thresholds whose regret on these rows is at most `regret`.

    Candidates are quantiles of each level's confidence, and "always escalate"; all combinations are tried, and among
    equally cheap ones the most careful wins. Escalating always has no regret, so there is an answer for any limit.

    Args:
        logits: of each level on the same rows, `(rows, labels)`; the last level is the end-to-end model.
        times_us: measured time per row of each level alone.
        labels: the right label of each row, `(rows,)`.
        regret: highest share of rows that the cascade may lose against the last level, 0 to 1.
    """
    levels = len(logits)
    each = min(_MOST, round(_TRIED ** (1 / max(1, levels - 1))))
    candidates = [_candidates(level, each) for level in logits[:-1]]
    tried = (evaluate(logits, times_us, labels, (*values, 0.0)) for values in product(*candidates))
    allowed = [one for one in tried if one.regret <= regret]
    return min(allowed, key=lambda one: (one.time_us, one.regret, [-value for value in one.values]))


def evaluate(
    logits: Sequence[Floats], times_us: Sequence[float], labels: NDArray[np.int64], values: Sequence[float]
) -> Thresholds:
    """Tell what given thresholds do on these rows."""
    answers = replay(logits, values)
    right = logits[-1].argmax(axis=1) == labels
    lost = right & (answers.label != labels)
    return Thresholds(tuple(values), float(lost.mean()), _expected_us(answers.exit_level, values, times_us))


def replay(logits: Sequence[Floats], values: Sequence[float]) -> Answers:
    """Run the serving engine on logits that were computed before: its rows are the numbers of rows."""
    steps = [Step(_Recorded(softmax(level)), threshold) for level, threshold in zip(logits, values, strict=True)]
    return run(np.arange(len(logits[0]), dtype=np.float32), steps)


@dataclass(frozen=True)
class _Recorded:
    probabilities: Floats

    def __call__(self, rows: Floats) -> Floats:
        return self.probabilities[rows.astype(np.intp)]


def _candidates(logits: Floats, count: int) -> list[float]:
    """Thresholds worth trying, careful ones first: a threshold between two confidences does as the one above it."""
    sure = confidence(softmax(logits))
    quantiles = np.quantile(sure, np.linspace(0, 1, count)[1:-1])
    return [ALWAYS_ESCALATE, *sorted({round(float(value), _ROUNDING) for value in quantiles}, reverse=True), 0.0]


def _expected_us(exit_level: NDArray[np.int32], values: Sequence[float], times_us: Sequence[float]) -> float:
    """Add up each level's time by the share of rows that reach it; a level that never exits is not run."""
    last = len(values) - 1
    return sum(
        time_us * float((exit_level >= number).mean())
        for number, (threshold, time_us) in enumerate(zip(values, times_us, strict=True))
        if number == last or threshold <= 1
    )
