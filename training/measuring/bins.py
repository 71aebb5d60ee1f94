"""Rows sorted into bins of confidence: what a reliability diagram shows."""

from itertools import pairwise

import msgspec
import numpy as np
from numpy.typing import NDArray
from scipy.stats import binomtest

from training.measuring.reliability import Confidences, Flags

ROWS_PER_BIN = 30
"""fewest rows of a bin, unless there are fewer in all"""
MAX_BINS = 15
INTERVAL_CONFIDENCE = 0.95


class Bin(msgspec.Struct, frozen=True, kw_only=True):
    """Rows of neighbouring confidence, and how many of them are correct."""

    low: float
    """lowest confidence of the rows"""
    high: float
    """highest confidence of the rows"""
    rows: int
    confidence: float
    """mean confidence of the rows"""
    accuracy: float
    """share of the rows that are correct"""
    accuracy_low: float
    """lower end of the 95 % interval of the accuracy"""
    accuracy_high: float
    """upper end of the 95 % interval of the accuracy"""


def diagram(confidence: Confidences, correct: Flags) -> tuple[Bin, ...]:
    """Sort rows into bins of as equal numbers of rows as ties allow (Nguyen & O'Connor 2015, arXiv 1508.05154).

    There is one bin for every 30 rows, at most 15 and at least 1. Rows of one confidence share a bin. So do all of the
    n rows whose confidence is at least 1 - 1/n: they would make at most one error in all, so no number of errors can
    tell their confidences apart. Without this rule, a confident network fills most bins with rows that are all correct.

    Args:
        confidence: 0 to 1, `(rows,)`.
        correct: whether each row's label is correct, `(rows,)`.

    Returns:
        Bins of ascending confidence; none without rows.
    """
    order = np.argsort(confidence, kind="stable")
    ascending, flags = confidence[order].astype(np.float64), correct[order]
    bounds = pairwise(_bounds(ascending))
    return tuple(_bin(ascending[start:end], flags[start:end]) for start, end in bounds)


def accuracy_interval(correct: int, rows: int) -> tuple[float, float]:
    """Return the exact 95 % interval of an accuracy (Clopper & Pearson 1934, doi 10.1093/biomet/26.4.404).

    It covers the true accuracy with a probability of at least 95 %, whatever that accuracy is. Wilson's interval is
    shorter, but near 100 %, where most bins of a good classifier lie, it covers as little as 84 % (Brown, Cai &
    DasGupta 2001, doi 10.1214/ss/1009213286): it would show miscalibration where there is none.

    Args:
        correct: how many rows are correct.
        rows: how many rows there are, at least 1.
    """
    interval = binomtest(correct, rows).proportion_ci(INTERVAL_CONFIDENCE, method="exact")
    return float(interval.low), float(interval.high)


def _bounds(ascending: NDArray[np.float64]) -> list[int]:
    """Return the first row of each bin, then the number of rows."""
    rows = len(ascending)
    if not rows:
        return []
    bounds = [0]
    distinguishable = np.minimum(ascending, 1 - 1 / rows)
    between_ties = np.flatnonzero(np.diff(distinguishable)) + 1
    for bins_left in range(min(rows // ROWS_PER_BIN, MAX_BINS), 1, -1):
        start = bounds[-1]
        allowed = between_ties[(between_ties >= start + ROWS_PER_BIN) & (between_ties <= rows - ROWS_PER_BIN)]
        if not len(allowed):
            break
        wanted = start + (rows - start) / bins_left
        bounds.append(int(allowed[np.abs(allowed - wanted).argmin()]))
    return [*bounds, rows]


def _bin(confidence: NDArray[np.float64], correct: Flags) -> Bin:
    rows, correct_rows = len(confidence), int(correct.sum())
    accuracy_low, accuracy_high = accuracy_interval(correct_rows, rows)
    return Bin(
        low=float(confidence[0]),
        high=float(confidence[-1]),
        rows=rows,
        confidence=float(confidence.mean()),
        accuracy=correct_rows / rows,
        accuracy_low=accuracy_low,
        accuracy_high=accuracy_high,
    )
