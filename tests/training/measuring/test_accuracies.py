"""training.measuring.accuracies."""

import numpy as np
import pytest
from sklearn.metrics import balanced_accuracy_score, log_loss, precision_score, recall_score, roc_auc_score

from training.measuring.accuracies import accuracies
from weir.engine.predictions import Predictions

RANDOM = np.random.default_rng(0)
NAMES = ("a", "b", "c")


def _predictions(rows: int, labels: int) -> Predictions:
    drawn = RANDOM.random((rows, labels)).astype(np.float32)
    probabilities = drawn / drawn.sum(axis=1, keepdims=True)
    best = probabilities.argmax(axis=1).astype(np.int64)
    exits = np.zeros(rows, np.int32)
    return Predictions(probabilities, best, probabilities.max(axis=1), exits, 1, np.empty((rows, 0), np.float32))


@pytest.mark.parametrize("count", [2, 3])
def test_every_figure_is_scikit_learns(count: int) -> None:
    """Of all labels; the area under the curve is of two labels only."""
    predictions, labels = _predictions(200, count), RANDOM.integers(0, count, 200)
    found, best = accuracies(predictions, labels, NAMES[:count]), predictions.label
    assert found["accuracy"] == pytest.approx((best == labels).mean())
    assert found["balanced_accuracy"] == pytest.approx(balanced_accuracy_score(labels, best))
    assert list(found["recalls"].values()) == pytest.approx(recall_score(labels, best, average=None))
    assert list(found["precisions"].values()) == pytest.approx(precision_score(labels, best, average=None))
    assert found["log_loss"] == pytest.approx(log_loss(labels, predictions.probabilities), rel=1e-5)
    if count == 2:
        assert found["auc"] == pytest.approx(roc_auc_score(labels, predictions.probabilities[:, 1]))
    else:
        assert "auc" not in found


def test_labels_without_rows_have_no_recall_and_those_never_given_no_precision() -> None:
    """What cannot be computed is left out."""
    predictions = _predictions(20, 3)
    predictions.label[:] = 1
    found = accuracies(predictions, np.zeros(20, np.int64), NAMES)
    assert (found["recalls"], found["precisions"]) == ({"a": 0.0}, {"b": 0.0})
    assert "auc" not in accuracies(_predictions(20, 2), np.zeros(20, np.int64), NAMES[:2])
