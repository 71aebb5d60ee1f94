"""weir.engine.hierarchy."""

import numpy as np

from weir.engine.hierarchy import Hierarchy

NAMED = Hierarchy.named({"feet": ("shoe", "boot"), "head": ("hat",)}, ("boot", "hat", "shoe"), (0.1, 0.6, 0.3))


def test_members_are_in_the_order_of_the_labels() -> None:
    """They are whatever the order in which a group names them."""
    assert NAMED.members == ((0, 2), (1,))
    assert NAMED.group_of.tolist() == [0, 1, 0]
    assert [NAMED.members_of(group) for group in ("feet", "head")] == [(0, 2), (1,)]


def test_a_groups_mass_is_the_sum_over_its_labels() -> None:
    """The mass is spread over the labels by the prior."""
    mass = NAMED.mass(np.array([[0.5, 0.2, 0.3]], np.float32))
    np.testing.assert_allclose(mass, [[0.8, 0.2]], rtol=1e-6)
    np.testing.assert_allclose(NAMED.spread(mass), [[0.2, 0.2, 0.6]], rtol=1e-6)


def test_a_group_whose_prior_is_zero_is_spread_evenly() -> None:
    """None of its labels gets a probability of zero."""
    unknown = Hierarchy(("a", "b"), ((0, 1), (2,)), (0.0, 0.0, 1.0))
    np.testing.assert_allclose(unknown.conditional, [0.5, 0.5, 1.0])
