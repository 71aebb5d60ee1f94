"""training.modalities.mixing."""

import numpy as np

from training.modalities.mixing import convex


def test_a_mixed_row_is_a_convex_combination_of_itself_and_another() -> None:
    """It has at least half of itself, and each row is mixed into one other."""
    out = convex(np.eye(40, dtype=np.float32), np.random.default_rng(1))
    np.testing.assert_allclose(out.sum(axis=1), 1, rtol=1e-6)
    assert (out >= 0).all()
    assert (np.diag(out) >= 0.5).all()
    assert ((out > 0).sum(axis=1) == 2).all()
    assert ((out > 0).sum(axis=0) == 2).all()


def test_rows_of_any_shape_are_convex() -> None:
    """One share applies to all values of a row."""
    pairs = np.stack([np.zeros((2, 3, 4), np.float32), np.ones((2, 3, 4), np.float32)]).reshape(4, 3, 4)
    for row in convex(pairs, np.random.default_rng(0)):
        assert len(np.unique(row)) == 1
