"""Temperature scaling: the temperature that fits a network's probabilities to validation rows, and their loss."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax

from weir.engine.arrays import LEAST_PROBABILITY, Floats, Labels
from weir.engine.confidence import softmax
from weir.engine.predictions import Predictions

_RANGE = (0.05, 20.0)
_DECIMALS = 4
_NO_CHANGE = 0.005
"""from 1: serving skips a temperature of just 1, and posteriors that have theirs already are fitted to nearly that"""


def temperature(logits: Floats, labels: Labels) -> float:
    """Find the temperature that minimises the loss of rows (Guo et al. 2017, arXiv 1706.04599).

    The loss is the negative log-likelihood, or `smoothed_loss` where no row has an error. The temperature is at least
    0.05 and at most 20, and never fits the rows worse than 1 does.

    Args:
        logits: `(rows, labels)`.
        labels: the correct label of each row, `(rows,)`.
    """
    return _best(smoothed_loss if _separated(logits, labels) else _loss, logits, labels)


def lowest_loss(logits: Floats, labels: Labels) -> float:
    """Return the lowest negative log-likelihood of rows that any temperature gives, in nats."""
    return _loss(logits, labels, _best(_loss, logits, labels))


def smoothed_loss(logits: Floats, labels: Labels, temperature: float) -> float:
    """Return the loss of n rows under a temperature, against Platt's targets.

    The label has `(n + 1) / (n + 2)`, the mean of the posterior of the share of correct rows when all n were, under a
    uniform prior; the likeliest of the other labels has the rest. Without that, rows without an error would have the
    temperature 0 and the confidence 1, however few they are: their likelihood has no maximum.

    Platt 1999, "Probabilistic outputs for support vector machines", for two labels.

    Args:
        logits: `(rows, labels)`.
        labels: the correct label of each row, `(rows,)`.
        temperature: above 0.
    """
    log_probabilities = log_softmax(logits.astype(np.float64) / temperature, axis=1)
    rows, share = np.arange(len(labels)), 1 / (len(labels) + 2)
    of_label = log_probabilities[rows, labels]
    log_probabilities[rows, labels] = -np.inf
    return -float(np.mean((1 - share) * of_label + share * log_probabilities.max(axis=1)))


def _separated(logits: Floats, labels: Labels) -> bool:
    """Tell whether no other label has a larger logit than that of the row."""
    return bool((logits[np.arange(len(labels)), labels] >= logits.max(axis=1)).all())


def _loss(logits: Floats, labels: Labels, temperature: float) -> float:
    return nll(softmax(logits, temperature), labels)


def _best(loss: Callable[[Floats, Labels, float], float], logits: Floats, labels: Labels) -> float:
    """Find the temperature of the lowest loss; 1 where rounding makes that higher than the loss of 1."""
    low, high = np.log(_RANGE)
    fit = minimize_scalar(lambda log: loss(logits, labels, np.exp(log)), bounds=(low, high), method="bounded")
    best = round(float(np.exp(fit.x)), _DECIMALS)
    return best if loss(logits, labels, best) <= loss(logits, labels, 1.0) else 1.0


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
