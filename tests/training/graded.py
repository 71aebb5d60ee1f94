"""An oracle of the graded order of threshold vectors: its formula, level by level and row by row."""

import math
from collections.abc import Iterable
from decimal import Context, Decimal

import numpy as np

from training.replay.recording import LevelTimes, Recording
from training.replay.thresholds import evaluate
from weir.catalog.promises import Against
from weir.engine.cascade import Threshold

Values = tuple[Threshold, ...]
STEPS = 400


def loses(rows: Recording, level: int, row: int, against: Against) -> bool:
    """Tell whether an exit of a row at a level breaks the promise."""
    predicted, label = rows.predicted[level, row], rows.labels[row]
    if against == "agreement":
        return bool(predicted != rows.predicted[-1, row])
    return bool(predicted != label and (against == "labels" or rows.end_to_end[row].argmax() == label))


def graded(rows: Recording, times: LevelTimes, against: Against) -> list[Values]:
    """List the vectors after "always escalate", those that save no time included.

    A row may exit at level k when `(1 - confidence) * rho_k / saved_k <= t`, `saved_k` as a share of the largest, of
    two digits. The values of t are those at which a row begins to exit, or 400 of them at even ranks.
    """
    costs = rows.costs_us(times).mean(axis=1).tolist()
    saved = {level: math.fsum(costs[level + 1 :]) for level in range(len(costs) - 1)}
    saved = {level: time for level, time in saved.items() if time > 0}
    numbers = range(len(rows.labels))
    bold: dict[int, float] = {}
    turns: set[float] = set()
    for level, time in saved.items():
        risks = [1 - float(rows.confidences[level, row]) for row in numbers]
        known = [risk for risk in risks if math.isfinite(risk)]
        losses = sum(loses(rows, level, row, against) for row in numbers)
        bold[level] = float(Decimal(time / max(saved.values())).normalize(Context(prec=2))) / (
            (losses + 2) / (math.fsum(known) + 2)
        )
        turns |= {risk / bold[level] for risk in known}
    return [
        (*(_threshold(turn * bold[level]) if level in bold else None for level in range(len(costs) - 1)), 0.0)
        for turn in _quantiles(sorted(turns))
    ]


def order(rows: Recording, times: LevelTimes, against: Against) -> list[Values]:
    """List all vectors: always escalating, and then each that takes less time than those before it."""
    kept: list[Values] = [(*[None] * (len(times) - 1), 0.0)]
    least = evaluate(rows, times, kept[0], against).time_us
    for values in graded(rows, times, against):
        time_us = evaluate(rows, times, values, against).time_us
        if time_us < least:
            kept, least = [*kept, values], time_us
    return kept


def _quantiles(turns: list[float]) -> Iterable[float]:
    if len(turns) <= STEPS:
        return turns
    return [turns[int(rank)] for rank in np.linspace(0, len(turns) - 1, STEPS)]


def _threshold(risk: float) -> float:
    """Round down to a millionth, so that the row whose risk this is exits."""
    return max(0.0, math.floor((1 - risk) * 1e6) / 1e6)
