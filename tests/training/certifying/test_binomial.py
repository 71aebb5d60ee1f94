"""training.certifying.binomial."""

from math import comb

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom

from training.certifying.binomial import max_losses, p_value, rows_needed


@given(st.integers(1, 400), st.floats(0.001, 0.5), st.data())
def test_the_p_value_is_the_binomial_tail(rows: int, max_loss: float, data: st.DataObject) -> None:
    """It equals the sum of the definition, of rows choose i, and SciPy's distribution function."""
    losses = data.draw(st.integers(0, min(rows, 12)))
    tail = sum(comb(rows, i) * max_loss**i * (1 - max_loss) ** (rows - i) for i in range(losses + 1))
    assert p_value(losses, rows, max_loss) == pytest.approx(tail, rel=1e-9)
    assert p_value(losses, rows, max_loss) == binom.cdf(losses, rows, max_loss)


@pytest.mark.parametrize(
    ("rows", "max_loss", "most"),
    [
        (5000, 0.0025, 6),
        (5000, 0.005, 16),
        (5000, 0.01, 38),
        (5000, 0.02, 83),
        (750, 0.01, 2),
        (750, 0.005, 0),
        (250, 0.01, -1),
    ],
)
def test_the_most_losses_that_pass(rows: int, max_loss: float, most: int) -> None:
    """That many losses pass the test, and one more would fail it."""
    assert max_losses(rows, max_loss, 0.05) == most
    assert most < 0 or p_value(most, rows, max_loss) <= 0.05
    assert p_value(most + 1, rows, max_loss) > 0.05


@pytest.mark.parametrize(("max_loss", "rows"), [(0.01, 299), (0.005, 598)])
def test_fewer_rows_than_needed_certify_nothing(max_loss: float, rows: int) -> None:
    """With as many rows as needed a test without losses passes; with one row less it fails."""
    assert rows_needed(max_loss, 0.05) == rows
    assert max_losses(rows, max_loss, 0.05) >= 0
    assert max_losses(rows - 1, max_loss, 0.05) == -1


@pytest.mark.parametrize(("max_loss", "delta"), [(1e-310, 0.05), (5e-324, 5e-324), (0.01, 0.0), (1e-18, 0.05)])
def test_a_promise_that_no_data_carry_takes_more_rows_than_there_are(max_loss: float, delta: float) -> None:
    """However small the limit is, and however often delta was halved."""
    assert 1e15 < rows_needed(max_loss, delta) <= 2**53
