"""weir.engine.confidence."""

import numpy as np
import pytest
import scipy.special
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from numpy.typing import NDArray

from weir.engine.confidence import confidence, label, softmax

LOGITS = arrays(
    np.float32,
    array_shapes(min_dims=2, max_dims=2, max_side=8),
    elements=st.floats(-50, 50, width=32),
)


@given(LOGITS, st.floats(0.25, 8))
def test_softmax_is_scipys(logits: NDArray[np.float32], temperature: float) -> None:
    """Probabilities are those of a reference implementation, of the logits divided by the temperature."""
    expected = scipy.special.softmax(logits.astype(np.float64) / temperature, axis=-1)
    np.testing.assert_allclose(softmax(logits, temperature), expected, atol=1e-5)


def test_softmax_leaves_its_input_alone() -> None:
    """The logits of a level can be used again."""
    logits = np.ones((1, 2), np.float32)
    softmax(logits)
    assert logits.tolist() == [[1, 1]]


def test_softmax_of_huge_logits_is_finite() -> None:
    """The largest logit is taken off before the exponential."""
    assert softmax(np.array([[1e30, 0.0]], np.float32)).tolist() == [[1, 0]]


@pytest.mark.parametrize(("posterior", "expected"), [([0.5, 0.5], 0), ([0.1, 0.6], 1), ([0.0, 0.0], 0)])
def test_ties_go_to_the_lowest_label(posterior: list[float], expected: int) -> None:
    """Equal probabilities give the first of them, everywhere the same."""
    row = np.array([posterior], np.float32)
    assert label(row).tolist() == [expected]
    assert confidence(row).tolist() == [np.float32(max(posterior))]
