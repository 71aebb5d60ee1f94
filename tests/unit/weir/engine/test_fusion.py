"""weir.engine.fusion."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.weir.cascades import Recorded, probabilities
from weir.engine.fusion import pool, power, refine
from weir.engine.hierarchy import Hierarchy

HIERARCHY = Hierarchy(("low", "high"), ((0, 2), (1,)), (0.2, 0.5, 0.3))


def test_a_pool_multiplies_weighted_posteriors() -> None:
    """Weights are exponents, of the levels before and of this one."""
    pooled = pool(np.array([[0.2, 0.8]], np.float32), np.array([[0.5, 0.5]], np.float32), (2.0, 1.0))
    np.testing.assert_allclose(pooled, [[0.04 / 0.68, 0.64 / 0.68]], rtol=1e-6)


def test_a_probability_of_zero_pools_to_a_number() -> None:
    """A level that excludes a label makes it improbable, not NaN."""
    pooled = pool(np.array([[0.0, 1.0]], np.float32), np.array([[1.0, 0.0]], np.float32), (1.0, 1.0))
    assert pooled.sum() == pytest.approx(1)


def test_a_power_of_one_changes_nothing() -> None:
    """A power of a half is a temperature of two: it takes square roots."""
    row = np.array([[0.1, 0.9]], np.float32)
    np.testing.assert_allclose(power(row, 1.0), row, rtol=1e-6)
    np.testing.assert_allclose(power(row, 0.5), np.sqrt(row) / np.sqrt(row).sum(), rtol=1e-6)


def test_a_group_without_an_expert_keeps_its_probabilities() -> None:
    """Only the labels of the expert's group get other probabilities."""
    before = np.array([[0.1, 0.6, 0.3]], np.float32)
    refined = refine(before, before, HIERARCHY, {0: lambda _: np.array([[0.75, 0.25]], np.float32)}, {}, full=True)
    np.testing.assert_allclose(refined, [[0.3, 0.6, 0.1]], rtol=1e-6)


@pytest.mark.parametrize("full", [True, False])
@pytest.mark.parametrize(("weight", "shares"), [(0.0, (3, 1)), (0.5, (3, 3**0.5)), (1.0, (1, 1)), (2.0, (1, 3))])
def test_an_expert_is_pooled_with_the_posterior_before_it(
    weight: float, shares: tuple[float, float], *, full: bool
) -> None:
    """Its posterior is 3 : 1, that before it 1 : 1; their pool has the shares of the weight, and the group's mass."""
    before = np.array([[0.2, 0.2, 0.6]], np.float32)
    expert = {0: lambda _: np.array([[0.75, 0.25]], np.float32)}
    refined = refine(before, before, HIERARCHY, expert, {0: weight}, full=full)
    first = 0.8 * shares[0] / sum(shares)
    np.testing.assert_allclose(refined, [[first, 0.2, 0.8 - first]], rtol=1e-6)


@pytest.mark.parametrize("weights", [{}, {0: 0.0}, {1: 1.0}])
@pytest.mark.parametrize("full", [True, False])
def test_without_a_weight_the_expert_alone_decides(weights: dict[int, float], *, full: bool) -> None:
    """Its group has its probabilities to the last bit, whatever weights other groups have."""
    random = np.random.default_rng(7)
    before, expert = (probabilities(random, 50, outputs, coarse=False) for outputs in (3, 2))
    before[:, 1] = 0  # the group of the expert is run on every row
    refined = refine(np.arange(50, dtype=np.float32), before, HIERARCHY, {0: Recorded(expert)}, weights, full=full)
    np.testing.assert_array_equal(refined[:, (0, 2)], HIERARCHY.mass(before)[:, :1] * expert)


@pytest.mark.parametrize("full", [True, False])
def test_a_group_without_mass_stays_without_mass(*, full: bool) -> None:
    """There is no conditional to pool with, so its labels have zeros, not NaN."""
    before = np.array([[0, 1, 0], [0, 0, 0]], np.float32)
    experts = {0: lambda rows: np.full((len(rows), 2), 0.5, np.float32)}
    np.testing.assert_array_equal(refine(before, before, HIERARCHY, experts, {0: 2.0}, full=full), before)


@pytest.mark.parametrize("weights", [{}, {0: 1.0}])
@pytest.mark.parametrize("full", [True, False])
def test_a_group_that_can_only_tie_still_runs_its_expert(weights: dict[int, float], *, full: bool) -> None:
    """An expert that is certain comes to the full mass of its group, and the tie goes to the lowest label."""
    hierarchy = Hierarchy(("low", "high"), ((0, 1), (2,)), (0.25, 0.25, 0.5))
    before = np.array([[0.25, 0.25, 0.5]], np.float32)
    refined = refine(before, before, hierarchy, {0: lambda _: np.array([[1, 0]], np.float32)}, weights, full=full)
    assert refined.max(axis=1) == refined[0, 0] == refined[0, 2] == 0.5


def test_pooled_experts_that_cannot_win_change_nothing_in_large_groups() -> None:
    """Sums over many labels are added in the same order for some rows as for all: equal to the last bit."""
    random = np.random.default_rng(7)
    before = probabilities(random, 300, 60, coarse=False)
    members = tuple(tuple(range(first, 60, 3)) for first in range(3))
    hierarchy = Hierarchy(("a", "b", "c"), members, (1 / 60,) * 60)
    experts = {group: Recorded(probabilities(random, 300, 20, coarse=False)) for group in range(3)}
    rows = np.arange(300, dtype=np.float32)
    weights = {0: 0.5, 1: 1.0, 2: 1.5}
    full, pruned = (refine(rows, before, hierarchy, experts, weights, full=full) for full in (True, False))
    np.testing.assert_array_equal(pruned.argmax(axis=1), full.argmax(axis=1))
    np.testing.assert_array_equal(pruned.max(axis=1), full.max(axis=1))
    assert sum(len(expert.ran_on) for expert in experts.values()) < 2 * 900


@given(
    st.integers(0, 2**32 - 1),
    st.integers(1, 12),
    st.sets(st.integers(0, 2), min_size=1),
    st.booleans(),
    st.booleans(),
)
def test_a_weight_of_zero_is_no_weight(seed: int, rows: int, groups: set[int], coarse: bool, full: bool) -> None:
    """Experts that weigh the level before at 0 refine as those without weights, to the last bit."""
    random = np.random.default_rng(seed)
    hierarchy = Hierarchy(("a", "b", "c"), ((0, 3), (1,), (2, 4, 5)), (1 / 6,) * 6)
    before = probabilities(random, rows, 6, coarse=coarse)
    experts = {g: Recorded(probabilities(random, rows, len(hierarchy.members[g]), coarse=coarse)) for g in groups}
    numbers = np.arange(rows, dtype=np.float32)
    alone = refine(numbers, before, hierarchy, experts, {}, full=full)
    weighed = refine(numbers, before, hierarchy, experts, dict.fromkeys(groups, 0.0), full=full)
    np.testing.assert_array_equal(alone, weighed)
