"""training.fitting.calibration."""

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from tests.training.recordings import drawn, word
from training.fitting.calibration import fused_temperature, losses, nll, temperature
from weir.catalog.manifest import Fusion
from weir.engine.cascade import Predictions, tempered
from weir.engine.confidence import softmax

FUSIONS: tuple[Fusion, ...] = ("replace", "refine", "pool")


@pytest.mark.parametrize("sharpness", [0.25, 1.0, 4.0])
def test_the_temperature_undoes_what_made_logits_too_sharp(sharpness: float) -> None:
    """Labels drawn from known probabilities, logits multiplied: the temperature is the factor."""
    random = np.random.default_rng(0)
    logits = random.normal(0, 2, (20_000, 5)).astype(np.float32)
    labels = (random.gumbel(size=logits.shape) + logits).argmax(axis=1)
    found = temperature(logits * np.float32(sharpness), labels)
    assert found == pytest.approx(sharpness, rel=0.05)


def test_the_temperature_is_the_best_of_a_fine_grid() -> None:
    """No other fits the rows better, up to rounding."""
    random = np.random.default_rng(1)
    labels = random.integers(0, 4, 500)
    logits = np.log(word(random, labels, 1.5)) * np.float32(3)
    found = nll(softmax(logits, temperature(logits, labels)), labels)
    assert found <= min(nll(softmax(logits, one), labels) for one in np.geomspace(0.05, 20, 2000)) + 1e-6


def test_a_temperature_never_fits_worse_than_none() -> None:
    """Where the best lies outside the range, it stays 1 or helps."""
    logits = np.eye(3, dtype=np.float32)
    labels = np.arange(3)
    assert nll(softmax(logits, temperature(logits, labels)), labels) <= nll(softmax(logits), labels)
    wrong = np.array([1, 2, 0])
    assert temperature(logits, wrong) == pytest.approx(20, rel=0.01)


def test_nll_is_a_mean_in_nats() -> None:
    """And a probability of zero costs much, not infinitely much."""
    assert nll(np.array([[0.5, 0.5], [0.25, 0.75]], np.float32), np.array([0, 0])) == pytest.approx(1.5 * np.log(2))
    assert np.isfinite(nll(np.array([[0.0, 1.0]], np.float32), np.array([0])))


@given(st.integers(0, 1000))
def test_losses_are_of_the_right_labels(seed: int) -> None:
    """Row by row; the mean is that of all."""
    rows = drawn(seed, (1,), rows=10)
    found = losses(rows.end_to_end, rows.labels)
    expected = [-np.log(float(said[label])) for said, label in zip(rows.end_to_end, rows.labels, strict=True)]
    np.testing.assert_allclose(found, expected)
    assert nll(rows.end_to_end, rows.labels) == pytest.approx(np.mean(expected))


def _answers(exits: Sequence[int] | NDArray[np.int32], seed: int = 0) -> tuple[Predictions, NDArray[np.int64]]:
    """Draw overconfident answers of three levels, which left where `exits` says."""
    random = np.random.default_rng(seed)
    logits = random.normal(0, 2, (len(exits), 5)).astype(np.float32)
    labels = (random.gumbel(size=logits.shape) + logits).argmax(axis=1)
    said = softmax(logits * np.float32(3))
    level = np.asarray(exits, np.int32)
    return Predictions(said, said.argmax(axis=1), said.max(axis=1), level, len(FUSIONS)), labels


@settings(max_examples=20)
@given(st.integers(0, 1000))
def test_the_fused_temperature_is_that_of_rows_which_were_not_refined(seed: int) -> None:
    """The same as the temperature of those rows alone, whatever the others say."""
    exits = np.random.default_rng(seed).integers(0, 3, 60).astype(np.int32)
    answers, labels = _answers(exits, seed)
    rows = exits != 1
    assert fused_temperature(answers, labels, FUSIONS) == temperature(
        np.log(np.maximum(answers.probabilities[rows], np.float32(1e-30))), labels[rows]
    )
    answers.probabilities[~rows] = np.eye(5, dtype=np.float32)[0]
    assert fused_temperature(answers, labels, FUSIONS) == fused_temperature(*_answers(exits, seed), FUSIONS)


def test_the_fused_temperature_undoes_overconfidence() -> None:
    """Predictions three times too sharp are cooled by three, and fit better for it in serving; refined ones stay."""
    answers, labels = _answers([0] * 10_000 + [1] * 1000 + [2] * 10_000)
    found = fused_temperature(answers, labels, FUSIONS)
    assert found == pytest.approx(3, rel=0.05)
    cooled = tempered(answers, found, FUSIONS).probabilities
    assert nll(cooled, labels) < nll(answers.probabilities, labels)
    np.testing.assert_array_equal(cooled[10_000:11_000], answers.probabilities[10_000:11_000])


def test_answers_that_were_all_refined_have_no_temperature_of_their_own() -> None:
    """Router and experts have theirs."""
    answers, labels = _answers([1] * 50)
    assert fused_temperature(answers, labels, FUSIONS) == 1.0


def test_a_probability_of_zero_has_a_temperature_too() -> None:
    """Its logarithm is that of a very small one."""
    said = np.eye(5, dtype=np.float32)[[0, 1, 2, 3]]
    answers = Predictions(said, said.argmax(axis=1), said.max(axis=1), np.zeros(4, np.int32), 3)
    assert np.isfinite(fused_temperature(answers, np.array([0, 1, 2, 4]), FUSIONS))
