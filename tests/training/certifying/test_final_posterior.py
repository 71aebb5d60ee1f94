"""training.certifying.final_posterior."""

import numpy as np

from tests.training.recordings import drawn, final_predictions
from training.certifying.final_posterior import FinalPosterior
from training.fitting.calibration import nll

THRESHOLDS = (0.8, 0.0)


def test_the_final_posterior_is_calibrated_on_validation_rows() -> None:
    """Its temperature fits the posterior at the exit of validation rows; other rows are predicted with that one."""
    validation, rows = drawn(1, (1.0, 3.0), 500), drawn(2, (1.0, 3.0), 100)
    final = FinalPosterior(THRESHOLDS, validation)
    uncalibrated, predictions = validation.predictions(THRESHOLDS), final.of(validation).predictions
    assert nll(predictions.probabilities, validation.labels) < nll(uncalibrated.probabilities, validation.labels)
    other = final.of(rows)
    expected = rows.predictions(THRESHOLDS, final.temperature)
    np.testing.assert_array_equal(other.predictions.probabilities, expected.probabilities)
    np.testing.assert_array_equal(other.predictions.exit_level, rows.exits(THRESHOLDS))
    np.testing.assert_array_equal(other.labels, rows.labels)


def test_rows_below_the_threshold_of_abstention_are_not_counted() -> None:
    """The counts are of rows with a label and of those with a wrong one; the threshold itself is enough."""
    posterior = np.array([[0.5, 0.5], [0.75, 0.25], [0.25, 0.75]], np.float32)
    rows = final_predictions(posterior, np.array([0, 1, 1]))
    assert rows.counts(0.0) == (3, 1)
    assert rows.counts(0.75) == (2, 1)
    assert rows.counts(0.8) == (0, 0)
