"""Compare two classifiers on the same rows, by McNemar's exact test.

McNemar 1947, doi:10.1007/BF02295996. Only rows on which exactly one of the two is correct tell them apart. If both were
equally accurate, each of the two would be the correct one on such a row with probability 1/2, so the count is binomial.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import binomtest

_MAX_P_VALUE = 0.05
"""p-value up to which chance does not explain a difference"""


@dataclass(frozen=True)
class Paired:
    """A one-sided comparison: is the first classifier more accurate than the second?"""

    rows: int
    correct: int
    """rows on which the first is correct"""
    other_correct: int
    p_value: float
    """chance that the first would be ahead on so many of the rows that tell them apart, if both were equally accurate;
    one-sided"""

    @property
    def beyond_chance(self) -> bool:
        """Whether the first is correct on more rows than chance explains."""
        return self.p_value <= _MAX_P_VALUE


def compare(correct: NDArray[np.bool_], other: NDArray[np.bool_]) -> Paired:
    """Compare two classifiers by the rows on which each is correct, `(rows,)`, in the same order."""
    ahead, behind = int((correct & ~other).sum()), int((other & ~correct).sum())
    p_value = float(binomtest(ahead, ahead + behind, alternative="greater").pvalue) if ahead else 1.0
    return Paired(len(correct), int(correct.sum()), int(other.sum()), p_value)
