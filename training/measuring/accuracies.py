"""How often labels are correct, and how well probabilities fit: all that an evaluation tells of one contender."""

import statistics
from collections.abc import Sequence
from typing import Any

import numpy as np
from sklearn.metrics import log_loss, roc_auc_score

from weir.engine.arrays import Labels
from weir.engine.predictions import Predictions

_TWO = 2


def accuracies(predictions: Predictions, labels: Labels, names: Sequence[str]) -> dict[str, Any]:
    """Return the fields of `results.Accuracy`.

    Args:
        predictions: of the test rows, with the whole posterior; a cascade's are those at the exit of each row.
        labels: the correct ones, `(rows,)`.
        names: of the labels.
    """
    correct = predictions.label == labels
    recalls = {name: float(correct[labels == n].mean()) for n, name in enumerate(names) if (labels == n).any()}
    given = {name: predictions.label == n for n, name in enumerate(names)}
    return {
        "accuracy": float(correct.mean()),
        "balanced_accuracy": statistics.fmean(recalls.values()),
        "recalls": recalls,
        "precisions": {name: float(correct[rows].mean()) for name, rows in given.items() if rows.any()},
        **_of_probabilities(predictions, labels, len(names)),
    }


def _of_probabilities(predictions: Predictions, labels: Labels, count: int) -> dict[str, float]:
    """Compute the log loss, and for two labels of which the rows have both the area under the ROC curve."""
    probabilities = predictions.probabilities.astype(np.float64)
    probabilities /= probabilities.sum(axis=1, keepdims=True)
    found = {"log_loss": float(log_loss(labels, probabilities, labels=list(range(count))))}
    if count == _TWO and len(np.unique(labels)) == _TWO:
        found["auc"] = float(roc_auc_score(labels, probabilities[:, 1]))
    return found
