"""training.fitting.calibration."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from tests.training.recordings import drawn, network, probabilities
from training.fitting.calibration import fused_temperature, losses, lowest_loss, nll, temperature
from training.replay.recording import RecordedNetwork
from weir.catalog.levels import Classifier, Expert, Experts
from weir.engine.arrays import LEAST_PROBABILITY, Labels
from weir.engine.cascade import Cascade
from weir.engine.confidence import softmax
from weir.engine.hierarchy import Hierarchy
from weir.engine.predictions import Predictions

FUSED = np.array([True, False, True])
"""of three levels: one that replaces, one that refines, one that pools"""


@pytest.mark.parametrize("sharpness", [0.25, 1.0, 4.0])
def test_the_temperature_undoes_what_made_logits_too_sharp(sharpness: float) -> None:
    """Where labels are drawn from known probabilities, and logits are multiplied, the temperature is the factor."""
    random = np.random.default_rng(0)
    logits = random.normal(0, 2, (20_000, 5)).astype(np.float32)
    labels = (random.gumbel(size=logits.shape) + logits).argmax(axis=1)
    assert temperature(logits * np.float32(sharpness), labels) == pytest.approx(sharpness, rel=0.05)


def test_the_temperature_is_the_best_of_a_fine_grid() -> None:
    """No other fits the rows better, up to rounding."""
    random = np.random.default_rng(1)
    labels = random.integers(0, 4, 500)
    logits = np.log(probabilities(random, labels, 1.5)) * np.float32(3)
    fitted = nll(softmax(logits, temperature(logits, labels)), labels)
    assert fitted <= min(nll(softmax(logits, one), labels) for one in np.geomspace(0.05, 20, 2000)) + 1e-6
    assert lowest_loss(logits, labels) == fitted


@pytest.mark.parametrize("rows", [20, 100, 1000])
@pytest.mark.parametrize("margin", [0.5, 5, 50])
def test_rows_without_an_error_leave_room_for_one(rows: int, margin: float) -> None:
    """However sharp the logits are, the confidence is Platt's target for so many rows, not 1."""
    labels = np.arange(rows) % 2
    logits = np.float32(margin) * np.eye(2, dtype=np.float32)[labels]
    confidence = softmax(logits, temperature(logits, labels)).max(axis=1)
    assert 1 - confidence == pytest.approx(1 / (rows + 2), rel=0.02)


def test_of_rows_without_an_error_the_likeliest_other_label_counts() -> None:
    """Labels that are out of the question do not make the temperature higher."""
    random = np.random.default_rng(2)
    margins = random.uniform(2, 8, (200, 1))
    logits = np.concatenate([margins, np.zeros((200, 1))], axis=1).astype(np.float32)
    labels = np.zeros(200, np.int64)
    further = np.concatenate([logits, np.full((200, 3), -90, np.float32)], axis=1)
    assert temperature(further, labels) == pytest.approx(temperature(logits, labels), rel=1e-3)


def test_a_single_error_is_enough_for_the_likelihood() -> None:
    """Then it has a maximum, and the temperature is that alone."""
    random = np.random.default_rng(3)
    labels = np.zeros(100, np.int64)
    logits = np.stack([np.append(random.uniform(2, 8, 99), -0.5), np.zeros(100)], axis=1).astype(np.float32)
    assert nll(softmax(logits, temperature(logits, labels)), labels) == lowest_loss(logits, labels)
    assert temperature(logits[:99], labels[:99]) != pytest.approx(temperature(logits, labels), rel=0.01)


def test_logits_that_are_all_equal_have_a_temperature() -> None:
    """Any is as good as another."""
    assert np.isfinite(temperature(np.zeros((10, 3), np.float32), np.zeros(10, np.int64)))


def test_a_temperature_never_fits_worse_than_none() -> None:
    """Where the best lies outside the range, the temperature stays 1 or fits better than 1."""
    logits = np.eye(3, dtype=np.float32)
    labels = np.arange(3)
    assert nll(softmax(logits, temperature(logits, labels)), labels) <= nll(softmax(logits), labels)
    wrong = np.array([1, 2, 0])
    assert temperature(logits, wrong) == pytest.approx(20, rel=0.01)


def test_nll_is_a_mean_in_nats() -> None:
    """A probability of zero costs much, but not infinitely much."""
    assert nll(np.array([[0.5, 0.5], [0.25, 0.75]], np.float32), np.array([0, 0])) == pytest.approx(1.5 * np.log(2))
    assert np.isfinite(nll(np.array([[0.0, 1.0]], np.float32), np.array([0])))


@given(st.integers(0, 1000))
def test_losses_are_of_the_correct_labels(seed: int) -> None:
    """Each row has the loss of its own label; the negative log-likelihood is their mean."""
    rows = drawn(seed, (1,), rows=10)
    expected = [-np.log(float(row[label])) for row, label in zip(rows.end_to_end, rows.labels, strict=True)]
    np.testing.assert_allclose(losses(rows.end_to_end, rows.labels), expected)
    assert nll(rows.end_to_end, rows.labels) == pytest.approx(np.mean(expected))


def _predictions(exits: Sequence[int] | NDArray[np.int32], seed: int = 0) -> tuple[Predictions, Labels]:
    """Draw overconfident predictions of three levels, which exited where `exits` says."""
    random = np.random.default_rng(seed)
    logits = random.normal(0, 2, (len(exits), 5)).astype(np.float32)
    labels = (random.gumbel(size=logits.shape) + logits).argmax(axis=1)
    posterior = softmax(logits * np.float32(3))
    exit_level = np.asarray(exits, np.int32)
    return Predictions(posterior, posterior.argmax(axis=1), posterior.max(axis=1), exit_level, len(FUSED)), labels


@settings(max_examples=20)
@given(st.integers(0, 1000))
def test_the_fused_temperature_is_that_of_rows_which_were_not_refined(seed: int) -> None:
    """It is the temperature of those rows alone, whatever the predictions for the others."""
    exits = np.random.default_rng(seed).integers(0, 3, 60).astype(np.int32)
    predictions, labels = _predictions(exits, seed)
    rows = exits != 1
    logits = np.log(np.maximum(predictions.probabilities[rows], np.float32(LEAST_PROBABILITY)))
    assert fused_temperature(predictions, labels, FUSED) == temperature(logits, labels[rows])
    predictions.probabilities[~rows] = np.eye(5, dtype=np.float32)[0]
    assert fused_temperature(predictions, labels, FUSED) == fused_temperature(*_predictions(exits, seed), FUSED)


def _cascade(predictions: Predictions) -> Cascade[RecordedNetwork]:
    """Make three levels that give these predictions: a level is uncertain about rows that exit elsewhere."""

    def recorded(number: int) -> RecordedNetwork:
        exits = predictions.exit_level == number
        return network(np.where(exits[:, None], predictions.probabilities, np.float32(0.2)))

    least = 0.201
    levels = (
        Classifier(name="first", network=recorded(0), threshold=least),
        Experts(name="experts", experts={"all": Expert(network=recorded(1))}, threshold=least),
        Classifier(name="last", network=recorded(2), fusion="pool", weights=(0.0, 1.0), threshold=0.0),
    )
    return Cascade(levels, Hierarchy(("all",), ((0, 1, 2, 3, 4),), (0.2,) * 5))


def test_the_fused_temperature_undoes_overconfidence() -> None:
    """Predictions three times too sharp get a temperature of three, and fit better when served with it."""
    overconfident, labels = _predictions([0] * 10_000 + [1] * 1000 + [2] * 10_000)
    cascade, rows = _cascade(overconfident), np.arange(21_000, dtype=np.float32)
    predictions = cascade.answer(rows)
    np.testing.assert_array_equal(predictions.exit_level, overconfident.exit_level)
    np.testing.assert_array_equal(cascade.fused, FUSED)
    fitted = fused_temperature(predictions, labels, cascade.fused)
    assert fitted == pytest.approx(3, rel=0.05)
    calibrated = replace(cascade, fused_temperature=fitted).answer(rows).probabilities
    assert nll(calibrated, labels) < nll(predictions.probabilities, labels)
    np.testing.assert_array_equal(calibrated[10_000:11_000], predictions.probabilities[10_000:11_000])


@pytest.mark.parametrize("seed", range(20))
def test_what_is_calibrated_already_needs_no_fused_temperature(seed: int) -> None:
    """Fitting again gives exactly 1, which serving skips, not 1 and a rounding error."""
    predictions, labels = _predictions([0] * 200, seed)
    logits = np.log(np.maximum(predictions.probabilities, np.float32(LEAST_PROBABILITY)))
    calibrated = replace(predictions, probabilities=softmax(logits, temperature(logits, labels)))
    assert fused_temperature(calibrated, labels, FUSED) == 1.0


def test_predictions_that_were_all_refined_have_no_fused_temperature() -> None:
    """Router and experts have temperatures of their own."""
    predictions, labels = _predictions([1] * 50)
    assert fused_temperature(predictions, labels, FUSED) == 1.0


def test_a_probability_of_zero_has_a_temperature_too() -> None:
    """Its logarithm is that of a very small probability."""
    posterior = np.eye(5, dtype=np.float32)[[0, 1, 2, 3]]
    predictions = Predictions(posterior, posterior.argmax(axis=1), posterior.max(axis=1), np.zeros(4, np.int32), 3)
    assert np.isfinite(fused_temperature(predictions, np.array([0, 1, 2, 4]), FUSED))
