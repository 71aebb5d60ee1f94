"""training.levels.ladder."""

from collections.abc import Sequence
from dataclasses import replace

import msgspec
import numpy as np
import pytest

from tests.training.training_runs import (
    GROUPS,
    LABELS,
    ladder,
    learned,
    network_of,
    random_expert,
    random_logits,
    random_network,
)
from training.fitting.calibration import nll
from training.fitting.fusing import pool_weights
from training.levels.ladder import Ladder, TrainableLevel, with_expert_weights, with_pool_weights
from training.levels.network import classifier
from training.task import SettledPromise
from weir.catalog.levels import Classifier, Experts, Router
from weir.engine.cascade import Cascade
from weir.engine.confidence import softmax
from weir.engine.fusion import pool


def _with_groups(levels: Sequence[TrainableLevel]) -> Ladder:
    return Ladder(Cascade(tuple(levels), GROUPS), LAST)


def _pooling(level: TrainableLevel, weights: tuple[float, float] = (1.0, 1.0)) -> TrainableLevel:
    return msgspec.structs.replace(level, fusion="pool", weights=weights)


FIRST, LAST = random_network("first", 0.7, 1), random_network("last", 1.0, 2, 100.0)
SECOND = classifier(random_network("second", 0.7, 5))
EXPERTS = Experts(name="experts", experts={"ab": random_expert(0.9, 3), "cd": random_expert(0.95, 4)}, threshold=None)
PLAIN = ladder(FIRST, LAST)
REFINED = _with_groups([PLAIN.levels[0], EXPERTS, PLAIN.levels[1]])


def test_the_expected_performance_is_that_of_the_cheapest_thresholds() -> None:
    """They lose no more than allowed on these rows; the test finds them by trying every confidence."""
    expected = PLAIN.expected(SettledPromise(max_loss=0.05))
    confidences, errors = PLAIN.recording.confidences[0], PLAIN.recording.errors
    best = min(
        10 + 100 * (confidences < limit).mean()
        for limit in [*confidences, 2.0]
        if ((confidences >= limit) & errors[0] & ~errors[1]).mean() <= 0.05
    )
    assert best <= expected.time_us <= 1.05 * best
    assert expected.loss == LAST.predictions.loss(LABELS)
    assert expected.level_losses == (FIRST.predictions.loss(LABELS), LAST.predictions.loss(LABELS))


def test_a_ladder_that_cannot_keep_the_limit_has_an_infinite_time() -> None:
    """Its last level alone loses more rows than the promise allows, so no thresholds keep the limit."""
    against_labels = SettledPromise(max_loss=0.01, against="labels")
    expected = ladder(random_network("first", 0.5, 1), random_network("last", 0.6, 2)).expected(against_labels)
    assert expected.time_us == float("inf")


def test_experts_take_time_only_for_the_rows_that_reach_them() -> None:
    """Each expert has a time of its own, and where every row exits before them they add nothing."""
    assert REFINED.times == [10.0, {"ab": 5.0, "cd": 5.0}, 100.0]
    expected = REFINED.with_levels(REFINED.levels[:2]).expected(SettledPromise(max_loss=0.99, against="labels"))
    assert expected.time_us == 10.0


def test_a_router_spreads_its_groups_over_labels() -> None:
    """A group's probability is divided among its labels by the prior."""
    network = network_of("router", random_logits(GROUPS.group_of[LABELS], 0.9, 5, 3), LABELS, 4.0)
    router = Router(name="router", network=network, threshold=None)
    posterior = _with_groups([router, *PLAIN.levels]).recording.posteriors[0]
    np.testing.assert_allclose(GROUPS.mass(posterior), network.predictions.probabilities, atol=1e-6)
    np.testing.assert_allclose(posterior[:, 0], posterior[:, 1])


def test_a_level_is_pooled_with_the_weights_that_fit() -> None:
    """The weights are learned on its probabilities and on the posterior before it."""
    level = with_pool_weights(ladder(FIRST, SECOND.network, LAST), 1, SECOND)
    before, probabilities = softmax(FIRST.predictions.logits), softmax(random_logits(LABELS, 0.7, 5))
    assert isinstance(level, Classifier)
    assert level.fusion == "pool"
    assert level.weights == pool_weights(before, probabilities, LABELS).pair
    loss = nll(pool(before, probabilities, level.weights), LABELS)
    assert loss < min(nll(before, LABELS), nll(probabilities, LABELS))


def test_a_router_is_pooled_as_a_posterior_over_labels() -> None:
    """The weights are learned on its probabilities after they were spread over the labels."""
    network = network_of("router", random_logits(GROUPS.group_of[LABELS], 0.9, 5, 3), LABELS, 4.0)
    router = Router(name="router", network=network, threshold=None)
    level = with_pool_weights(_with_groups([PLAIN.levels[0], router, PLAIN.levels[1]]), 1, router)
    spread = GROUPS.spread(network.predictions.probabilities)
    assert isinstance(level, Router)
    assert level.fusion == "pool"
    assert level.weights == pool_weights(softmax(FIRST.predictions.logits), spread, LABELS).pair


def test_experts_are_weighed_beside_the_level_before() -> None:
    """On the rows of its group each learns its temperature, and the weight of the level before; both are best there."""
    experts = with_expert_weights(REFINED, 1, EXPERTS).experts
    assert list(experts) == ["ab", "cd"]
    for group, expert in experts.items():
        temperature, weight = expert.temperature, expert.before_weight
        assert weight > 0
        best = _fused_loss(group, temperature, weight)
        for factor in (0.8, 1.25):
            assert best < _fused_loss(group, temperature * factor, weight)
            assert best < _fused_loss(group, temperature, weight * factor)


def _fused_loss(group: str, temperature: float, weight: float) -> float:
    """Compute the loss of an expert pooled with the generalist, on the rows of its group."""
    members = list(GROUPS.members_of(group))
    rows = np.isin(LABELS, members)
    before = FIRST.predictions.probabilities[rows][:, members]
    conditional = before / before.sum(axis=1, keepdims=True)
    probabilities = softmax(EXPERTS.experts[group].network.predictions.logits[rows], temperature)
    return nll(pool(conditional, probabilities, (weight, 1.0)), LABELS[rows] % 2)


def test_changed_networks_take_the_places_of_those_they_came_from() -> None:
    """They do so at every level and as the end-to-end model; a level takes the temperature of its new network."""
    networks = [FIRST, *EXPERTS.networks, LAST]
    assert [id(network) for network in REFINED.cascade.networks] == [id(network) for network in networks]
    changed = [replace(network, predictions=replace(network.predictions, temperature=2.0)) for network in networks]
    other = REFINED.with_networks({id(old): new for old, new in zip(networks, changed, strict=True)})
    assert [id(network) for network in other.cascade.networks] == [id(network) for network in changed]
    first, experts, last = other.levels
    assert isinstance(first, Classifier)
    assert isinstance(experts, Experts)
    assert isinstance(last, Classifier)
    assert other.end_to_end is last.network is changed[-1]
    assert first.temperature == last.temperature == 2.0
    assert [expert.temperature for expert in experts.experts.values()] == [1.0, 1.0]


def test_refitting_learns_anew_what_fuses() -> None:
    """Pools and experts are learned again, in turn; levels that replace stay as they are."""
    second = _pooling(SECOND, (9.0, 9.0))
    before = _with_groups([*REFINED.levels[:2], second, REFINED.levels[2]])
    refitted = before.refitted()
    assert (refitted.levels[0], refitted.levels[3]) == (before.levels[0], before.levels[3])
    assert learned(refitted.levels[1]) == learned(with_expert_weights(before, 1, EXPERTS))
    assert learned(refitted.levels[2]) == learned(with_pool_weights(refitted, 2, SECOND)) != (9.0, 9.0)


@pytest.mark.parametrize(
    "before",
    [PLAIN.with_levels([PLAIN.levels[0], _pooling(SECOND), PLAIN.levels[1]]), REFINED],
    ids=["pool", "refine"],
)
def test_refitting_twice_changes_nothing_more(before: Ladder) -> None:
    """The weights and temperatures of the second time are those of the first."""
    once = before.refitted()
    twice = once.refitted()
    assert [learned(level) for level in once.levels] == [learned(level) for level in twice.levels]
    assert [network.predictions.temperature for network in once.cascade.networks] == [
        network.predictions.temperature for network in twice.cascade.networks
    ]
