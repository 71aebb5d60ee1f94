"""weir.engine.levels: what one level makes of rows, by hand."""

import msgspec
import numpy as np
import pytest

from tests.unit.weir.cascades import Recorded, probabilities
from weir.catalog.levels import Classifier, Expert, Experts, Router
from weir.engine.arrays import Floats
from weir.engine.confidence import softmax
from weir.engine.fusion import pool, power
from weir.engine.hierarchy import NO_GROUPS, Hierarchy
from weir.engine.levels import posterior

HIERARCHY = Hierarchy(("outer", "inner"), ((0, 2), (1,)), (0.2, 0.5, 0.3))
ROWS = np.arange(5, dtype=np.float32)
LOGITS = np.random.default_rng(0).normal(0, 2, (5, 3)).astype(np.float32)
BEFORE = probabilities(np.random.default_rng(1), 5, 3, coarse=False)
CLASSIFIER = Classifier(name="classifier", network=Recorded(LOGITS), temperature=2.0, threshold=None)
ROUTER = Router(name="router", network=Recorded(LOGITS[:, :2]), temperature=0.5, threshold=None)
CLASSIFIED = softmax(LOGITS, 2.0)
ROUTED = HIERARCHY.spread(softmax(LOGITS[:, :2], 0.5))

networks = pytest.mark.parametrize(
    ("level", "own"), [(CLASSIFIER, CLASSIFIED), (ROUTER, ROUTED)], ids=["classifier", "router"]
)


@networks
@pytest.mark.parametrize("before", [None, BEFORE], ids=["first", "later"])
def test_a_level_that_replaces_ignores_the_posterior_before_it(
    level: Classifier[Recorded] | Router[Recorded], own: Floats, before: Floats | None
) -> None:
    """Its posterior is its network's calibrated probabilities; a router's are spread over labels by the prior."""
    np.testing.assert_array_equal(posterior(level, before, ROWS, HIERARCHY, full=True), own)


@networks
def test_a_level_that_pools_weighs_the_posterior_before_it(
    level: Classifier[Recorded] | Router[Recorded], own: Floats
) -> None:
    """It pools by its two weights; the first level that runs has only the weight of its own probabilities."""
    pooled = msgspec.structs.replace(level, fusion="pool", weights=(0.5, 1.5))
    np.testing.assert_array_equal(posterior(pooled, BEFORE, ROWS, HIERARCHY, full=True), pool(BEFORE, own, (0.5, 1.5)))
    np.testing.assert_array_equal(posterior(pooled, None, ROWS, HIERARCHY, full=True), power(own, 1.5))


def test_a_classifier_needs_no_groups() -> None:
    """Its outputs are the labels."""
    np.testing.assert_array_equal(posterior(CLASSIFIER, None, ROWS, NO_GROUPS, full=True), CLASSIFIED)


def _experts(before_weight: float = 0.0) -> Experts[Recorded]:
    expert = Expert(network=Recorded(LOGITS[:, 1:]), temperature=0.8, before_weight=before_weight)
    return Experts(name="experts", experts={"outer": expert}, threshold=None)


def test_an_expert_divides_the_mass_of_its_group() -> None:
    """Labels of its group have the group's mass times its calibrated probabilities; the others keep what they had."""
    refined = posterior(_experts(), BEFORE, ROWS, HIERARCHY, full=True)
    mass = BEFORE[:, (0, 2)].sum(axis=1, keepdims=True)
    np.testing.assert_allclose(refined[:, (0, 2)], mass * softmax(LOGITS[:, 1:], 0.8), rtol=1e-6)
    np.testing.assert_array_equal(refined[:, 1], BEFORE[:, 1])


def test_an_expert_is_pooled_with_the_level_before_it() -> None:
    """The weight of the level before is that of its own expert, by the name of the group."""
    refined = posterior(_experts(before_weight=0.5), BEFORE, ROWS, HIERARCHY, full=True)
    mass = BEFORE[:, (0, 2)].sum(axis=1, keepdims=True)
    conditional = pool(BEFORE[:, (0, 2)] / mass, softmax(LOGITS[:, 1:], 0.8), (0.5, 1.0))
    np.testing.assert_allclose(refined[:, (0, 2)], mass * conditional, rtol=1e-6)


def test_experts_without_a_level_before_them_refine_the_prior() -> None:
    """The prior stands for the posterior of a level that is missing."""
    refined = posterior(_experts(), None, ROWS, HIERARCHY, full=True)
    np.testing.assert_allclose(refined[:, (0, 2)], 0.5 * softmax(LOGITS[:, 1:], 0.8), rtol=1e-6)
    np.testing.assert_allclose(refined[:, 1], 0.5)


def test_an_expert_whose_group_cannot_win_does_not_run() -> None:
    """Without the full posterior it runs only on rows whose group is probable enough."""
    before = np.array([[0.05, 0.9, 0.05]] * 3 + [[0.4, 0.2, 0.4]] * 2, np.float32)
    for full, ran_on in ((False, [3, 4]), (True, [0, 1, 2, 3, 4])):
        level = _experts()
        refined = posterior(level, before, ROWS, HIERARCHY, full=full)
        assert level.networks[0].ran_on == ran_on
        assert refined.argmax(axis=1)[:3].tolist() == [1, 1, 1]
