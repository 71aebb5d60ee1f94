"""The expected calibration error, and how much of it chance explains."""

import numpy as np
from numpy.typing import NDArray

from weir.errors import BadInput

Confidences = NDArray[np.float32] | NDArray[np.float64]
Flags = NDArray[np.bool_]

BINS = 15
"""bins of confidence, as many as in Guo et al. 2017"""


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
    if not len(confidence):
        raise BadInput("calibration is measured on at least one row", 0)
    edges = np.arange(bins + 1) / bins
    number = np.clip(np.searchsorted(edges, confidence, side="left") - 1, 0, bins - 1)
    confidences = np.bincount(number, weights=confidence, minlength=bins)
    correct_rows = np.bincount(number, weights=correct, minlength=bins)
    return float(np.abs(correct_rows - confidences).sum() / len(confidence))


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
