"""Threshold vectors of a cascade; which rows are lost under them, and their time, on recorded rows."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import NDArray

from training.replay.recording import LevelTimes, Recording
from weir.catalog.promises import Against
from weir.engine.arrays import Floats
from weir.engine.cascade import Threshold, exits, limit_of

_MAX_VECTORS = 10_000
"""threshold vectors tried, about, whatever the number of levels"""
_MAX_CANDIDATES = 400
"""thresholds tried of one level"""
_DECIMALS = 4
"""of a threshold: enough to tell confidences apart, few enough to read"""


@dataclass(frozen=True)
class Thresholds:
    """One threshold per level, and what they do on validation rows."""

    values: tuple[Threshold, ...]
    loss: float
    """share of rows where the promise breaks"""
    time_us: float
    """expected time per row: each level's time by the share of rows that reach it"""


def sequence(rows: Recording, times: LevelTimes, against: Against) -> list[Thresholds]:
    """Put threshold vectors in the order of their tests: always escalating, then ever cheaper ones.

    Candidates are quantiles of each level's confidence, and "always escalate". Of all combinations, those are kept
    that no other beats in time and loss (Pareto testing: Laufer-Goldshtein et al. 2022, arXiv 2210.07913).

    Args:
        rows: validation rows.
        times: measured time per row of each level alone.
        against: what a loss is.
    """
    levels = len(rows.cascade.levels)
    count = min(_MAX_CANDIDATES, round(_MAX_VECTORS ** (1 / max(1, levels - 1))))
    candidates = [_candidates(confidences, count) for confidences in rows.confidences[:-1]]
    costs = rows.costs_us(times)
    vectors = [_evaluated(rows, costs, (*values, 0.0), against) for values in product(*candidates)]
    always = vectors[0]
    vectors.sort(key=lambda one: (one.time_us, one.loss, [-limit_of(value) for value in one.values]))
    front: list[Thresholds] = []
    for one in vectors:
        if one.time_us < always.time_us and (not front or one.loss < front[-1].loss):
            front.append(one)
    return [always, *reversed(front)]


def evaluate(rows: Recording, times: LevelTimes, values: Sequence[Threshold], against: Against) -> Thresholds:
    """Compute the loss and time of given thresholds on these rows."""
    return _evaluated(rows, rows.costs_us(times), values, against)


def lost(rows: Recording, values: Sequence[Threshold], against: Against) -> NDArray[np.bool_]:
    """Return the rows on which the promise breaks under given thresholds, `(rows,)`.

    Against the end-to-end model: the cascade is wrong and the end-to-end model correct. Against labels: just wrong.
    """
    return _lost(rows, rows.exits(values), against)


def cheapest(rows: Recording, times: LevelTimes, max_loss: float, against: Against) -> Thresholds | None:
    """Find the cheapest vector that loses at most `max_loss` of these rows; None when no vector of `sequence` does.

    It promises nothing for other rows: it compares cascades.
    """
    return next((one for one in reversed(sequence(rows, times, against)) if one.loss <= max_loss), None)


def lowest_safe_threshold(rows: Recording, number: int, max_loss: float, against: Against) -> Threshold:
    """Find the lowest threshold of one level that loses at most `max_loss` of these rows if all others escalate.

    It does not depend on measured times, so it is the same in every run.
    """
    confidences, last = rows.confidences[number], len(rows.cascade.levels) - 1
    lowest: Threshold = None
    for value in _candidates(confidences, _MAX_CANDIDATES):
        exit_levels = np.where(exits(confidences, limit_of(value)), number, last).astype(np.int32)
        if float(_lost(rows, exit_levels, against).mean()) > max_loss:
            break
        lowest = value
    return lowest


def _evaluated(
    rows: Recording, costs: NDArray[np.float64], values: Sequence[Threshold], against: Against
) -> Thresholds:
    exits = rows.exits(values)
    loss = float(_lost(rows, exits, against).mean())
    return Thresholds(tuple(values), loss, rows.spent_us(costs, values, exits))


def _lost(rows: Recording, exits: NDArray[np.int32], against: Against) -> NDArray[np.bool_]:
    errors: NDArray[np.bool_] = rows.errors[exits, np.arange(len(exits))]
    return errors if against == "labels" else errors & rows.end_to_end_correct


def _candidates(confidences: Floats, count: int) -> list[Threshold]:
    """List thresholds worth trying, careful ones first; a value between two confidences acts like the higher one."""
    known = confidences[np.isfinite(confidences)]
    quantiles: Sequence[float] = []
    if len(known) and count > 2:  # noqa: PLR2004 (the two ends)
        quantiles = np.quantile(known, np.linspace(0, 1, count)[1:-1]).tolist()
    return [None, *sorted({round(float(value), _DECIMALS) for value in quantiles}, reverse=True), 0.0]
