"""Threshold vectors of a ladder of levels, and what they do: with the code that will apply them."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import NDArray

from training.replay.recording import LevelTimes, Recording
from weir.catalog.promises import Against
from weir.engine.cascade import ALWAYS_ESCALATE

Floats = NDArray[np.float32]

_TRIED = 10_000
"""threshold vectors tried, at most about, whatever the number of levels"""
_MOST = 400
"""thresholds tried of one level, at most"""
_ROUNDING = 4
"""decimals of a threshold: enough to tell confidences apart, few enough to read"""


@dataclass(frozen=True)
class Thresholds:
    """One threshold a level, and what they do on validation rows."""

    values: tuple[float, ...]
    loss: float
    """share of rows where the promise breaks"""
    time_us: float
    """expected time per row: each level's time by the share of rows that reach it"""


def sequence(rows: Recording, times: LevelTimes, against: Against) -> list[Thresholds]:
    """Put threshold vectors in the order of their tests: always escalating, then ever cheaper ones.

    Candidates are quantiles of each level's confidence, and "always escalate"; all combinations are tried, and those
    kept that no other beats in time and loss (Pareto testing: Laufer-Goldshtein et al. 2022, arXiv 2210.07913).

    Args:
        rows: validation rows.
        times: measured time per row of each level alone.
        against: what a loss is.
    """
    levels = len(rows.steps)
    each = min(_MOST, round(_TRIED ** (1 / max(1, levels - 1))))
    candidates = [_candidates(sure, each) for sure in rows.confidences[:-1]]
    costs = rows.costs_us(times)
    tried = [_evaluated(rows, costs, (*values, 0.0), against) for values in product(*candidates)]
    always = tried[0]
    tried.sort(key=lambda one: (one.time_us, one.loss, [-value for value in one.values]))
    front: list[Thresholds] = []
    for one in tried:
        if one.time_us < always.time_us and (not front or one.loss < front[-1].loss):
            front.append(one)
    return [always, *reversed(front)]


def evaluate(rows: Recording, times: LevelTimes, values: Sequence[float], against: Against) -> Thresholds:
    """Tell what given thresholds do on these rows."""
    return _evaluated(rows, rows.costs_us(times), values, against)


def lost(rows: Recording, values: Sequence[float], against: Against) -> NDArray[np.bool_]:
    """Tell on which rows the promise breaks with given thresholds, `(rows,)`.

    Against the end-to-end model: the cascade is wrong and the end-to-end model right. Against labels: just wrong.
    """
    return _lost(rows, rows.exits(values), against)


def cheapest(rows: Recording, times: LevelTimes, max_loss: float, against: Against) -> Thresholds | None:
    """Find the cheapest vector that loses at most `max_loss` of these rows; None when no vector of `sequence` does.

    It promises nothing of other rows: it compares ladders.
    """
    return next((one for one in reversed(sequence(rows, times, against)) if one.loss <= max_loss), None)


def safe(rows: Recording, number: int, max_loss: float, against: Against) -> float:
    """Find the lowest threshold of one level that loses at most `max_loss` of these rows, were all others to escalate.

    It depends on no time, so it is the same in every run.
    """
    sure, last = rows.confidences[number], len(rows.steps) - 1
    found = ALWAYS_ESCALATE
    for value in _candidates(sure, _MOST):
        exits = np.where(sure >= np.float32(value), number, last).astype(np.int32)
        if float(_lost(rows, exits, against).mean()) > max_loss:
            break
        found = value
    return found


def _evaluated(rows: Recording, costs: NDArray[np.float64], values: Sequence[float], against: Against) -> Thresholds:
    exits = rows.exits(values)
    loss = float(_lost(rows, exits, against).mean())
    return Thresholds(tuple(values), loss, rows.spent_us(costs, values, exits))


def _lost(rows: Recording, exits: NDArray[np.int32], against: Against) -> NDArray[np.bool_]:
    wrong: NDArray[np.bool_] = rows.wrong[exits, np.arange(len(exits))]
    return wrong if against == "labels" else wrong & rows.end_to_end_right


def _candidates(sure: Floats, count: int) -> list[float]:
    """Thresholds worth trying, careful ones first: a threshold between two confidences does as the one above it."""
    known = sure[np.isfinite(sure)]
    quantiles: Sequence[float] = []
    if len(known) and count > 2:  # noqa: PLR2004 (the two ends)
        quantiles = np.quantile(known, np.linspace(0, 1, count)[1:-1]).tolist()
    return [ALWAYS_ESCALATE, *sorted({round(float(value), _ROUNDING) for value in quantiles}, reverse=True), 0.0]
