"""Calibrate probabilities: the temperature under which a network's confidence is most like its accuracy."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar

from weir.catalog.manifest import Fusion
from weir.engine.cascade import Predictions
from weir.engine.confidence import softmax

Floats = NDArray[np.float32]
Labels = NDArray[np.int64]

_RANGE = (0.05, 20.0)
_LEAST = 1e-30


def temperature(logits: Floats, labels: Labels) -> float:
    """Find the temperature that minimises the negative log-likelihood of rows (Guo et al. 2017, arXiv 1706.04599).

    It is at least 0.05 and at most 20, and never fits the rows worse than 1 does.

    Args:
        logits: `(rows, labels)`.
        labels: the right label of each row, `(rows,)`.
    """
    low, high = np.log(_RANGE)
    found = minimize_scalar(lambda log: nll(softmax(logits, np.exp(log)), labels), bounds=(low, high), method="bounded")
    best = round(float(np.exp(found.x)), 4)
    return best if nll(softmax(logits, best), labels) <= nll(softmax(logits), labels) else 1.0


def fused_temperature(answers: Predictions, labels: Labels, fusions: Sequence[Fusion]) -> float:
    """Find the temperature of what a cascade says in the end, on rows that `replace` or `pool` answered; else 1.

    Predictions of `refine` have none of their own: router and experts have theirs.

    Args:
        answers: of the rows, not yet tempered.
        labels: the right label of each row, `(rows,)`.
        fusions: of the levels in turn.
    """
    rows = np.asarray([name != "refine" for name in fusions])[answers.exit_level]
    if not rows.any():
        return 1.0
    return temperature(np.log(np.maximum(answers.probabilities[rows], np.float32(_LEAST))), labels[rows])


def nll(probabilities: Floats, labels: Labels) -> float:
    """Take the mean negative log-likelihood of rows, in nats."""
    return float(losses(probabilities, labels).mean())


def losses(probabilities: Floats, labels: Labels) -> NDArray[np.float64]:
    """Take `-ln p(label)` of each row, in nats, `(rows,)`; a probability below 1e-30 counts as 1e-30.

    Args:
        probabilities: `(rows, labels)`.
        labels: the right label of each row, `(rows,)`.
    """
    of_label = probabilities[np.arange(len(labels)), labels].astype(np.float64)
    found: NDArray[np.float64] = -np.log(np.maximum(of_label, _LEAST))
    return found
