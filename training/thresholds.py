"""Threshold vectors of a cascade, and what they do: with the code that will apply them."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import NDArray

from training.recorded import Recorded, numbered
from weir.cascade import ALWAYS_ESCALATE, Answers, Step, needed, run
from weir.confidence import confidence
from weir.promises import Against

Floats = NDArray[np.float32]

_TRIED = 2_500
"""threshold vectors tried, at most about, whatever the number of levels"""
_MOST = 200
"""thresholds tried of one level, at most"""
_ROUNDING = 4
"""decimals of a threshold: enough to tell confidences apart, few enough to read"""


@dataclass(frozen=True)
class Rows:
    """What every level says of the same rows; the last level is the end-to-end model."""

    words: Sequence[Floats]
    """calibrated probabilities of each level, `(rows, labels)`"""
    labels: NDArray[np.int64]
    """the right label of each row, `(rows,)`"""


@dataclass(frozen=True)
class Thresholds:
    """One threshold a level, and what they do on validation rows."""

    values: tuple[float, ...]
    loss: float
    """share of rows where the promise breaks"""
    time_us: float
    """expected time per row: each level's time by the share of rows that reach it"""


def sequence(rows: Rows, times_us: Sequence[float], against: Against) -> list[Thresholds]:
    """Put threshold vectors in the order of their tests: always escalating, then ever cheaper ones.

    Candidates are quantiles of each level's confidence, and "always escalate"; all combinations are tried, and those
    kept that no other beats in time and loss (Pareto testing: Laufer-Goldshtein et al. 2022, arXiv 2210.07913).

    Args:
        rows: validation rows.
        times_us: measured time per row of each level alone.
        against: what a loss is.
    """
    levels = len(rows.words)
    each = min(_MOST, round(_TRIED ** (1 / max(1, levels - 1))))
    candidates = [_candidates(word, each) for word in rows.words[:-1]]
    tried = [evaluate(rows, times_us, (*values, 0.0), against) for values in product(*candidates)]
    always = tried[0]
    tried.sort(key=lambda one: (one.time_us, one.loss, [-value for value in one.values]))
    front: list[Thresholds] = []
    for one in tried:
        if one.time_us < always.time_us and (not front or one.loss < front[-1].loss):
            front.append(one)
    return [always, *reversed(front)]


def evaluate(rows: Rows, times_us: Sequence[float], values: Sequence[float], against: Against) -> Thresholds:
    """Tell what given thresholds do on these rows."""
    answers = replay(rows, values)
    loss = float(_lost(rows, answers, against).mean())
    return Thresholds(tuple(values), loss, _expected_us(answers.exit_level, values, times_us))


def lost(rows: Rows, values: Sequence[float], against: Against) -> NDArray[np.bool_]:
    """Tell on which rows the promise breaks with given thresholds, `(rows,)`.

    Against the end-to-end model: the cascade is wrong and the end-to-end model right. Against labels: just wrong.
    """
    return _lost(rows, replay(rows, values), against)


def _lost(rows: Rows, answers: Answers, against: Against) -> NDArray[np.bool_]:
    wrong: NDArray[np.bool_] = answers.label != rows.labels
    return wrong if against == "labels" else wrong & (rows.words[-1].argmax(axis=1) == rows.labels)


def replay(rows: Rows, values: Sequence[float]) -> Answers:
    """Run the serving engine on what the levels said before: its rows are the numbers of rows."""
    steps = [Step(Recorded(word), threshold) for word, threshold in zip(rows.words, values, strict=True)]
    return run(numbered(len(rows.labels)), steps)


def _candidates(word: Floats, count: int) -> list[float]:
    """Thresholds worth trying, careful ones first: a threshold between two confidences does as the one above it."""
    quantiles = np.quantile(confidence(word), np.linspace(0, 1, count)[1:-1])
    return [ALWAYS_ESCALATE, *sorted({round(float(value), _ROUNDING) for value in quantiles}, reverse=True), 0.0]


def _expected_us(exit_level: NDArray[np.int32], values: Sequence[float], times_us: Sequence[float]) -> float:
    """Add up each level's time by the share of rows that reach it; a level that is not run takes none."""
    runs = needed(values, ["replace"] * len(values))
    return sum(times_us[number] * float((exit_level >= number).mean()) for number in runs)
