"""Reliability diagrams, and the expected calibration error that summarises them."""

from collections.abc import Sequence

import msgspec
import numpy as np
from numpy.typing import NDArray

from weir.errors import BadInput

Confidences = NDArray[np.float32] | NDArray[np.float64]
Flags = NDArray[np.bool_]

BINS = 15
"""bins of confidence, as many as in Guo et al. 2017"""


class Bin(msgspec.Struct, frozen=True, kw_only=True):
    """Rows whose confidence is above `low` and at most `high`; confidence 0 is in the first bin."""

    low: float
    high: float
    rows: int
    confidence: float
    """mean confidence of the rows"""
    accuracy: float
    """share of the rows that are correct"""


def diagram(confidence: Confidences, correct: Flags, bins: int = BINS) -> tuple[Bin, ...]:
    """Sort rows into bins of confidence of one width, and keep the bins that hold any.

    Args:
        confidence: 0 to 1, `(rows,)`.
        correct: whether each row's label is correct, `(rows,)`.
        bins: how many bins divide 0 to 1.
    """
    edges = np.arange(bins + 1) / bins
    number = np.clip(np.searchsorted(edges, confidence, side="left") - 1, 0, bins - 1)
    rows = np.bincount(number, minlength=bins)
    confidences = np.bincount(number, weights=confidence, minlength=bins)
    correct_rows = np.bincount(number, weights=correct, minlength=bins)
    return tuple(
        Bin(
            low=float(edges[one]),
            high=float(edges[one + 1]),
            rows=int(rows[one]),
            confidence=float(confidences[one] / rows[one]),
            accuracy=float(correct_rows[one] / rows[one]),
        )
        for one in np.flatnonzero(rows)
    )


def gap(bins: Sequence[Bin]) -> float:
    """Return the expected calibration error of a diagram: `sum over bins of rows / all rows * |accuracy - confidence|`.

    Raises:
        BadInput: no bin holds a row.
    """
    rows = sum(one.rows for one in bins)
    if not rows:
        raise BadInput("calibration is measured on at least one row", rows)
    return sum(one.rows * abs(one.accuracy - one.confidence) for one in bins) / rows


def ece(confidence: Confidences, correct: Flags, bins: int = BINS) -> float:
    """Measure the expected calibration error (Guo et al. 2017, arXiv 1706.04599, equation 3), 0 to 1.

    0 to 1 is divided into bins of one width, each with its upper edge and without its lower one (the first has 0 too).
    The error is the sum over bins of `rows in it / all rows * |share of its rows that are correct - mean confidence|`.

    Args:
        confidence: 0 to 1, `(rows,)`.
        correct: whether each row's label is correct, `(rows,)`.
        bins: how many bins divide 0 to 1.

    Raises:
        BadInput: there are no rows.
    """
    return gap(diagram(confidence, correct, bins))


def floor(confidence: Confidences, bins: int = BINS, draws: int = 200, seed: int = 0) -> float:
    """Estimate the calibration error that these confidences would show if they were perfectly calibrated.

    It is the mean over draws in which each row is correct with the probability of its confidence: chance alone leaves
    some error. So few rows cannot tell an `ece` near it from perfect calibration.

    Raises:
        BadInput: there are no rows.
    """
    random = np.random.default_rng(seed)
    drawn = (random.random(len(confidence)) < confidence for _ in range(draws))
    return float(np.mean([ece(confidence, correct, bins) for correct in drawn]))
