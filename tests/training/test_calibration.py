"""training.calibration."""

import numpy as np
import pytest

from training.calibration import nll, temperature
from weir.confidence import softmax


@pytest.mark.parametrize("sharpness", [0.25, 1.0, 4.0])
def test_the_temperature_undoes_what_made_logits_too_sharp(sharpness: float) -> None:
    """Labels drawn from known probabilities, logits multiplied: the temperature is the factor."""
    random = np.random.default_rng(0)
    logits = random.normal(0, 2, (20_000, 5)).astype(np.float32)
    labels = (random.gumbel(size=logits.shape) + logits).argmax(axis=1)
    found = temperature(logits * np.float32(sharpness), labels)
    assert found == pytest.approx(sharpness, rel=0.05)


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
