"""Learn how words are fused: the weights of a log-linear pool, on validation rows."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from training.fitting.calibration import nll
from weir.engine.fusion import pool

Floats = NDArray[np.float32]
Labels = NDArray[np.int64]

_MOST = 10.0
_LEAST = 0.05
"""of the word's own weight: a word that counts for nothing is no level"""
_ROUNDING = 4


@dataclass(frozen=True)
class Weights:
    """Of a log-linear pool, `q ∝ before ** before_weight * word ** word_weight`."""

    before: float
    word: float

    @property
    def pair(self) -> tuple[float, float]:
        """Both, in the order of the manifest."""
        return self.before, self.word


def pool_weights(before: Floats, word: Floats, labels: Labels) -> Weights:
    """Find the weights that minimise the negative log-likelihood of rows; a convex problem of two numbers.

    Genest & Zidek 1986, "Combining Probability Distributions", section 3; weights are at least 0 (the word's own at
    least 0.05) and at most 10.

    Args:
        before: posterior of the levels before, `(rows, labels)`.
        word: probabilities of the level, `(rows, labels)`.
        labels: the right label of each row, `(rows,)`.
    """
    found = minimize(
        lambda weights: nll(pool(before, word, (weights[0], weights[1])), labels),
        x0=np.array([0.5, 0.5]),
        method="L-BFGS-B",
        bounds=[(0.0, _MOST), (_LEAST, _MOST)],
        options={"eps": 1e-3},
    )
    return Weights(*(round(float(weight), _ROUNDING) for weight in found.x))
