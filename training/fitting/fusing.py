"""Learn the weights of a log-linear pool on validation rows."""

from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize

from training.fitting.calibration import nll
from weir.engine.arrays import Floats, Labels
from weir.engine.fusion import pool

_MAX_WEIGHT = 10.0
_MIN_OWN_WEIGHT = 0.05
"""of the level's own probabilities: a level that counts for nothing is no level"""
_DECIMALS = 4


@dataclass(frozen=True)
class Weights:
    """Weights of a log-linear pool, `q ∝ p ** before * r ** own`.

    `p` is the posterior of the levels before, `r` the level's own probabilities.
    """

    before: float
    own: float

    @property
    def pair(self) -> tuple[float, float]:
        """Both, in the order of the manifest."""
        return self.before, self.own


def pool_weights(before: Floats, probabilities: Floats, labels: Labels) -> Weights:
    """Find the weights that minimise the negative log-likelihood of rows, a convex problem of two numbers.

    Genest & Zidek 1986, "Combining Probability Distributions", section 3. Weights are at least 0 (the level's own at
    least 0.05) and at most 10.

    Args:
        before: posterior of the levels before, `(rows, labels)`.
        probabilities: of the level, `(rows, labels)`.
        labels: the correct label of each row, `(rows,)`.
    """
    fit = minimize(
        lambda weights: nll(pool(before, probabilities, (weights[0], weights[1])), labels),
        x0=np.array([0.5, 0.5]),
        method="L-BFGS-B",
        bounds=[(0.0, _MAX_WEIGHT), (_MIN_OWN_WEIGHT, _MAX_WEIGHT)],
        options={"eps": 1e-3},
    )
    return Weights(*(round(float(weight), _DECIMALS) for weight in fit.x))
