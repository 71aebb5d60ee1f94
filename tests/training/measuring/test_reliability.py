"""training.measuring.reliability."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from training.measuring.reliability import ece, floor
from weir.errors import BadInput

EDGES = [k / 15 for k in range(16)]
ROWS = st.lists(st.tuples(st.floats(0, 1) | st.sampled_from(EDGES), st.booleans()), min_size=1, max_size=60)


def _by_loop(rows: list[tuple[float, bool]], bins: int) -> float:
    """Compute the error by its definition."""
    error = 0.0
    for k in range(bins):
        inside = [row for row in rows if k / bins < row[0] <= (k + 1) / bins or (k == 0 and row[0] == 0)]
        if inside:
            confidence = sum(row[0] for row in inside) / len(inside)
            accuracy = sum(row[1] for row in inside) / len(inside)
            error += len(inside) / len(rows) * abs(accuracy - confidence)
    return error


@given(ROWS, st.sampled_from([1, 2, 10, 15]))
def test_the_calibration_error_is_what_a_loop_computes(rows: list[tuple[float, bool]], bins: int) -> None:
    """It is for confidences of 0, of 1, on the edges of bins and between them."""
    confidence, correct = np.array([row[0] for row in rows]), np.array([row[1] for row in rows])
    assert ece(confidence, correct, bins) == pytest.approx(_by_loop(rows, bins), abs=1e-12)


def test_a_calibration_error_worked_out_by_hand() -> None:
    """Half of the rows have confidence 1 and half of those are wrong; the others are as accurate as confident."""
    confidence, correct = np.array([1.0, 1.0, 0.5, 0.5], np.float32), np.array([True, False, True, False])
    assert ece(confidence, correct) == 0.25


def test_a_calibrated_predictor_shows_the_floor_and_an_overconfident_one_far_more() -> None:
    """The floor is the mean error of calibrated predictors over random labels; overconfidence is measured in full."""
    random = np.random.default_rng(1)
    confidence = random.uniform(0.3, 1, 3000)
    least = floor(confidence)
    calibrated = [ece(confidence, random.random(3000) < confidence) for _ in range(50)]
    assert np.mean(calibrated) == pytest.approx(least, rel=0.1)
    overconfident = ece(confidence, random.random(3000) < confidence - 0.2)
    assert overconfident == pytest.approx(0.2, abs=0.03)
    assert overconfident > 5 * least


def test_the_floor_falls_with_the_root_of_the_rows() -> None:
    """Sixteen times the rows leave a quarter of it; a seed always gives the same floor, another seed another."""
    few, many = np.linspace(0.1, 1, 1000), np.linspace(0.1, 1, 16_000)
    assert floor(few) / floor(many) == pytest.approx(4, rel=0.1)
    assert floor(few, seed=3) == floor(few, seed=3) != floor(few, seed=4)


def test_the_floor_of_certain_predictions_is_zero() -> None:
    """Labels of confidences 0 and 1 leave nothing to chance."""
    assert floor(np.array([0.0, 1.0, 1.0], np.float32)) == 0


def test_a_calibration_error_without_rows_is_refused() -> None:
    """There is nothing to measure in an array without rows."""
    nothing = np.array([], np.float32)
    with pytest.raises(BadInput, match=r"calibration is measured on at least one row\. Got: 0"):
        ece(nothing, nothing.astype(bool))
    with pytest.raises(BadInput, match="at least one row"):
        floor(nothing)
