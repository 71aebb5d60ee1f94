"""Threshold vectors of a cascade; which rows are lost under them, and their time, on recorded rows."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from training.replay.recording import LevelTimes, Recording
from weir.catalog.promises import Against
from weir.engine.arrays import Floats
from weir.engine.cascade import Threshold, exits, limit_of

_MAX_STEPS = 400
"""threshold vectors tried after "always escalate", at most"""
_MAX_CANDIDATES = 400
"""thresholds tried of one level"""
_STEPS_OF_1 = 1e6
"""thresholds of a vector are millionths, rounded down so that the row exits whose confidence one was made of"""
_CANDIDATE_DECIMALS = 4
"""of a threshold of one level: enough to tell confidences apart, few enough to read"""
_PRIOR = 2.0
"""rows by which a level's correction is drawn to 1, so that few rows do not decide it"""


@dataclass(frozen=True)
class Thresholds:
    """One threshold per level, and what they do on validation rows."""

    values: tuple[Threshold, ...]
    loss: float
    """share of rows where the promise breaks"""
    time_us: float
    """expected time per row: each level's time by the share of rows that reach it"""


def sequence(rows: Recording, times: LevelTimes, against: Against) -> list[Thresholds]:
    """Put threshold vectors in the order of their tests: always escalating, then from careful to bold.

    The order is graded by one parameter t, so that all levels move together and losses grow by single rows. A row may
    exit at level k when `(1 - confidence) * rho_k / saved_k <= t`: its calibrated risk, corrected by what these rows
    say of that level, over the time that an exit there saves. Of all values of t at which one of these rows begins to
    exit, 400 quantiles are taken. A vector that takes no less time on these rows than one before it is left out.

    Args:
        rows: validation rows.
        times: measured time per row of each level alone.
        against: what a loss is.
    """
    costs = rows.costs_us(times)
    order = [_evaluated(rows, costs, (*[None] * (len(costs) - 1), 0.0), against)]
    for values in _graded(rows, costs.mean(axis=1), against):
        one = _evaluated(rows, costs, values, against)
        if one.time_us < order[-1].time_us:
            order.append(one)
    return order


def evaluate(rows: Recording, times: LevelTimes, values: Sequence[Threshold], against: Against) -> Thresholds:
    """Compute the loss and time of given thresholds on these rows."""
    return _evaluated(rows, rows.costs_us(times), values, against)


def lost(rows: Recording, values: Sequence[Threshold], against: Against) -> NDArray[np.bool_]:
    """Return the rows on which the promise breaks under given thresholds, `(rows,)`.

    Against the end-to-end model: the cascade is wrong and the end-to-end model correct. Against labels: just wrong.
    Agreement: the label is another than the last level's, whichever is correct.
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


def _graded(rows: Recording, costs: NDArray[np.float64], against: Against) -> Iterator[tuple[Threshold, ...]]:
    """Make threshold vectors from careful to bold; at a level where an exit saves nothing, no row exits.

    `rho_k = (losses + 2) / (sum of 1 - confidence + 2)` of a level where every row exits: an error that the end-to-end
    model makes too is no loss. What an exit saves is taken as a share, of two digits: times vary by more between runs.
    """
    saved = costs[::-1].cumsum()[::-1][1:]
    saving = np.flatnonzero(saved > 0)
    risks = 1 - rows.confidences[saving].astype(np.float64)
    losses = [_lost(rows, np.full(len(rows.labels), level, np.int32), against).sum() for level in saving]
    rho = (np.array(losses) + _PRIOR) / (np.nansum(risks, axis=1) + _PRIOR)
    bold = np.array([float(f"{share:.2g}") for share in saved[saving] / saved.max(initial=0)]) / rho
    turns = np.unique(risks / bold[:, None])
    turns = turns[np.isfinite(turns)]
    if len(turns) > _MAX_STEPS:
        turns = turns[np.linspace(0, len(turns) - 1, _MAX_STEPS).astype(int)]
    for turn in turns:
        values: list[Threshold] = [None] * len(saved)
        for level, risk in zip(saving, turn * bold, strict=True):
            values[level] = max(0.0, math.floor((1 - float(risk)) * _STEPS_OF_1) / _STEPS_OF_1)
        yield (*values, 0.0)


def _evaluated(
    rows: Recording, costs: NDArray[np.float64], values: Sequence[Threshold], against: Against
) -> Thresholds:
    exits = rows.exits(values)
    loss = float(_lost(rows, exits, against).mean())
    return Thresholds(tuple(values), loss, rows.spent_us(costs, values, exits))


def _lost(rows: Recording, exits: NDArray[np.int32], against: Against) -> NDArray[np.bool_]:
    every = np.arange(len(exits))
    if against == "agreement":
        differs: NDArray[np.bool_] = rows.predicted[exits, every] != rows.predicted[-1]
        return differs
    errors: NDArray[np.bool_] = rows.errors[exits, every]
    return errors if against == "labels" else errors & rows.end_to_end_correct


def _candidates(confidences: Floats, count: int) -> list[Threshold]:
    """List thresholds worth trying, careful ones first; a value between two confidences acts like the higher one."""
    known = confidences[np.isfinite(confidences)]
    quantiles: Sequence[float] = []
    if len(known) and count > 2:  # noqa: PLR2004 (the two ends)
        quantiles = np.quantile(known, np.linspace(0, 1, count)[1:-1]).tolist()
    return [None, *sorted({round(float(value), _CANDIDATE_DECIMALS) for value in quantiles}, reverse=True), 0.0]
