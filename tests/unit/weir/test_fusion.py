"""weir.fusion."""

import numpy as np
import pytest

from weir.fusion import pool, power, refine
from weir.hierarchy import Hierarchy

HIERARCHY = Hierarchy(("low", "high"), ((0, 2), (1,)), (0.2, 0.5, 0.3))


def test_a_pool_multiplies_weighted_words() -> None:
    """Weights are exponents, of the levels before and of this one."""
    found = pool(np.array([[0.2, 0.8]], np.float32), np.array([[0.5, 0.5]], np.float32), (2.0, 1.0))
    np.testing.assert_allclose(found, [[0.04 / 0.68, 0.64 / 0.68]], rtol=1e-6)


def test_a_probability_of_zero_pools_to_a_number() -> None:
    """A level that excludes a label makes it improbable, not NaN."""
    found = pool(np.array([[0.0, 1.0]], np.float32), np.array([[1.0, 0.0]], np.float32), (1.0, 1.0))
    assert found.sum() == pytest.approx(1)


def test_a_power_of_one_changes_nothing() -> None:
    """And one of a half is a temperature of two."""
    word = np.array([[0.1, 0.9]], np.float32)
    np.testing.assert_allclose(power(word, 1.0), word, rtol=1e-6)
    np.testing.assert_allclose(power(word, 0.5), np.sqrt(word) / np.sqrt(word).sum(), rtol=1e-6)


def test_a_group_without_an_expert_keeps_its_word() -> None:
    """Only the labels of the expert's group are divided anew."""
    before = np.array([[0.1, 0.6, 0.3]], np.float32)
    found = refine(before, before, HIERARCHY, {0: lambda _: np.array([[0.75, 0.25]], np.float32)}, whole=True)
    np.testing.assert_allclose(found, [[0.3, 0.6, 0.1]], rtol=1e-6)
