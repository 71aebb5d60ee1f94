"""Temperature scaling: the temperature that minimises the loss of a network's probabilities on validation rows."""

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar

from weir.engine.arrays import LEAST_PROBABILITY, Floats, Labels
from weir.engine.confidence import softmax
from weir.engine.predictions import Predictions

_RANGE = (0.05, 20.0)
_DECIMALS = 4
_NO_CHANGE = 0.005
"""from 1: serving skips a temperature of just 1, and posteriors that have theirs already are fitted to nearly that"""


def temperature(logits: Floats, labels: Labels) -> float:
    """Find the temperature that minimises the negative log-likelihood of rows (Guo et al. 2017, arXiv 1706.04599).

    It is at least 0.05 and at most 20, and never fits the rows worse than 1 does.

    Args:
        logits: `(rows, labels)`.
        labels: the correct label of each row, `(rows,)`.
    """
    low, high = np.log(_RANGE)
    fit = minimize_scalar(lambda log: nll(softmax(logits, np.exp(log)), labels), bounds=(low, high), method="bounded")
    best = round(float(np.exp(fit.x)), _DECIMALS)
    return best if nll(softmax(logits, best), labels) <= nll(softmax(logits), labels) else 1.0


def fused_temperature(predictions: Predictions, labels: Labels, fused: NDArray[np.bool_]) -> float:
    """Find the temperature of a cascade's posterior at the exit, on rows that `replace` or `pool` answered; else 1.

    Answers of `refine` have none of their own: router and experts have theirs.

    Args:
        predictions: for the rows, without a fused temperature.
        labels: the correct label of each row, `(rows,)`.
        fused: which levels replace or pool, `(levels,)`.
    """
    rows = fused[predictions.exit_level]
    if not rows.any():
        return 1.0
    posterior = predictions.probabilities[rows]
    fitted = temperature(np.log(np.maximum(posterior, np.float32(LEAST_PROBABILITY))), labels[rows])
    return 1.0 if abs(fitted - 1) < _NO_CHANGE else fitted


def nll(probabilities: Floats, labels: Labels) -> float:
    """Return the mean negative log-likelihood of rows, in nats."""
    return float(losses(probabilities, labels).mean())


def losses(probabilities: Floats, labels: Labels) -> NDArray[np.float64]:
    """Return `-ln p(label)` of each row, in nats, `(rows,)`; a probability below 1e-30 counts as 1e-30.

    Args:
        probabilities: `(rows, labels)`.
        labels: the correct label of each row, `(rows,)`.
    """
    of_label = probabilities[np.arange(len(labels)), labels].astype(np.float64)
    losses: NDArray[np.float64] = -np.log(np.maximum(of_label, LEAST_PROBABILITY))
    return losses
