"""training.certifying.prediction_set_promise."""

import numpy as np
import pytest

from tests.training.recordings import drawn, final_predictions
from training.certifying.prediction_set_promise import certify_sets
from weir.engine.sets import sets

ROWS = 4000


@pytest.mark.parametrize("per_label", [False, True])
def test_prediction_sets_cover_as_promised_on_average(per_label: bool) -> None:
    """Over draws, the sets that serving makes hold the label as often as promised; they do not hold every label."""
    population = drawn(6, (2.0, 3.0), ROWS)
    posterior, labels = population.predictions((0.95, 0.0)).probabilities, population.labels
    random, covered, sizes = np.random.default_rng(0), [], []
    for _ in range(200):
        rows = random.integers(0, ROWS, 300)
        quantile = certify_sets(final_predictions(posterior[rows], labels[rows]), [0.1]).quantiles[0]
        members = sets(posterior, quantile, per_label=per_label)
        covered.append(members[np.arange(ROWS), labels].mean())
        sizes.append(members.sum(axis=1).mean())
    assert np.mean(covered) >= 0.9 - 3 * np.std(covered) / np.sqrt(200)
    assert np.mean(sizes) < 3


def test_too_few_rows_let_every_label_in() -> None:
    """Nine rows are too few to leave a label out at an alpha of one in twenty; at one in ten they are enough."""
    posterior = np.tile(np.array([[0.6, 0.4]], np.float32), (9, 1))
    promise = certify_sets(final_predictions(posterior, np.array([0] * 8 + [1])), [0.05, 0.1, 0.2])
    assert [round(quantile.least, 4) for quantile in promise.quantiles] == [0.0, 0.4, 0.6]
    assert promise.quantiles[2].least_per_label is not None
    assert list(promise.quantiles[2].least_per_label) == pytest.approx([0.6, 0.0])
