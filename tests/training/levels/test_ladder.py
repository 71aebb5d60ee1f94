"""training.levels.ladder."""

from dataclasses import replace

import numpy as np
import pytest

from tests.training.training_runs import drawn, ladder, saying
from training.fitting.calibration import nll
from training.fitting.fusing import pool_weights
from training.levels.ladder import Ladder, Net, Rung, pooled, weighed
from training.task import Promise
from weir.engine.confidence import softmax
from weir.engine.fusion import pool
from weir.engine.hierarchy import Hierarchy

LABELS = np.arange(400) % 5
GROUPS = Hierarchy(("ab", "cd", "e"), ((0, 1), (2, 3), (4,)), (0.2,) * 5)


def _net(name: str, right: float, seed: int, time_us: float = 10.0) -> Net:
    return saying(name, drawn(LABELS, right, seed), LABELS, time_us)


def _expert(group: int, right: float, seed: int) -> Net:
    """Know the labels of a group; what is said of other rows is noise."""
    return saying("expert", drawn(LABELS % 2, right, seed, 2), LABELS, 5.0)


FIRST, LAST = _net("first", 0.7, 1), _net("last", 1.0, 2, 100.0)
EXPERTS = Rung("experts", "experts", None, {0: _expert(0, 0.9, 3), 1: _expert(1, 0.95, 4)}, fusion="refine")
PLAIN = ladder(FIRST, LAST)
REFINED = Ladder((PLAIN.rungs[0], EXPERTS, PLAIN.rungs[1]), LAST, GROUPS)


def test_an_outlook_is_that_of_the_cheapest_thresholds() -> None:
    """Which lose no more than allowed on these rows, found here by trying every confidence."""
    found = PLAIN.outlook(Promise(max_loss=0.05))
    sure, wrong = PLAIN.recording.confidences[0], PLAIN.recording.wrong
    best = min(
        10 + 100 * (sure < limit).mean()
        for limit in [*sure, 2.0]
        if ((sure >= limit) & wrong[0] & ~wrong[1]).mean() <= 0.05
    )
    assert best <= found.time_us <= 1.05 * best
    assert found.loss == LAST.loss
    assert found.level_losses == (FIRST.loss, LAST.loss)


def test_what_cannot_keep_the_limit_takes_for_ever() -> None:
    """Every row would go to the end."""
    found = ladder(_net("first", 0.5, 1), _net("last", 0.6, 2)).outlook(Promise(max_loss=0.01, against="labels"))
    assert found.time_us == float("inf")


def test_experts_take_time_for_the_rows_they_are_asked() -> None:
    """Each its own."""
    assert REFINED.times == [10.0, {0: 5.0, 1: 5.0}, 100.0]
    outlook = replace(REFINED, rungs=REFINED.rungs[:2]).outlook(Promise(max_loss=0.99, against="labels"))
    assert outlook.time_us == 10.0


def test_a_router_spreads_its_groups_over_labels() -> None:
    """By the prior."""
    router = saying("router", drawn(GROUPS.group_of[LABELS], 0.9, 5, 3), LABELS, 4.0)
    found = Ladder((Rung("router", "router", router), *PLAIN.rungs), LAST, GROUPS)
    posterior = found.recording.posteriors[0]
    np.testing.assert_allclose(GROUPS.mass(posterior), router.word.probabilities, atol=1e-6)
    np.testing.assert_allclose(posterior[:, 0], posterior[:, 1])


def test_a_level_is_pooled_with_the_weights_that_fit() -> None:
    """Learned on what it says and the posterior before it."""
    found = pooled(ladder(FIRST, _net("second", 0.7, 5), LAST), 1)
    before, word = softmax(FIRST.logits), softmax(drawn(LABELS, 0.7, 5))
    assert found.fusion == "pool"
    assert found.weights == pool_weights(before, word, LABELS).pair
    assert nll(pool(before, word, found.weights), LABELS) < min(nll(before, LABELS), nll(word, LABELS))


def test_experts_are_weighed_beside_the_level_before() -> None:
    """On the rows of their group: a temperature of their own, and a weight of what was known before."""
    found = weighed(REFINED, 1)
    for group in (0, 1):
        temperature, weight = found.experts[group].temperature, found.before_weights[group]
        assert weight > 0
        best = _fused_loss(group, temperature, weight)
        for factor in (0.8, 1.25):
            assert best < _fused_loss(group, temperature * factor, weight)
            assert best < _fused_loss(group, temperature, weight * factor)


def _fused_loss(group: int, temperature: float, weight: float) -> float:
    """Take the loss of an expert beside the generalist, on the rows of its group."""
    members = GROUPS.members[group]
    rows = np.isin(LABELS, members)
    before = FIRST.word.probabilities[rows][:, list(members)]
    word = softmax(EXPERTS.experts[group].logits[rows], temperature)
    given = before / before.sum(axis=1, keepdims=True)
    return nll(pool(given, word, (weight, 1.0)), LABELS[rows] % 2)


def test_changed_networks_come_in_the_place_of_the_old_ones() -> None:
    """Wherever they stood, and the end-to-end model too."""
    nets = [FIRST, *EXPERTS.experts.values(), LAST]
    assert [id(net) for net in REFINED.nets] == [id(net) for net in nets]
    changed = [replace(net, temperature=2.0) for net in nets]
    found = REFINED.with_nets({id(old): new for old, new in zip(nets, changed, strict=True)})
    assert [id(net) for net in found.nets] == [id(net) for net in changed]
    assert found.end_to_end is found.rungs[-1].net is changed[-1]


def test_refitting_learns_anew_what_fuses() -> None:
    """Pools and experts, in turn; levels that replace stay as they are."""
    second = Rung("second", "cascade", _net("second", 0.7, 5), fusion="pool", weights=(9.0, 9.0))
    before = Ladder((*REFINED.rungs[:2], second, REFINED.rungs[2]), LAST, GROUPS)
    found = before.refitted()
    assert (found.rungs[0], found.rungs[3]) == (before.rungs[0], before.rungs[3])
    assert found.rungs[1].before_weights == weighed(before, 1).before_weights
    assert found.rungs[2].weights == pooled(found, 2).weights != (9.0, 9.0)


@pytest.mark.parametrize("fusion", ["pool", "refine"])
def test_a_ladder_that_was_refitted_stays_when_it_is_again(fusion: str) -> None:
    """There is nothing left to learn."""
    second = Rung("second", "cascade", _net("second", 0.7, 5), fusion="pool")
    one = (replace(PLAIN, rungs=(PLAIN.rungs[0], second, PLAIN.rungs[1])) if fusion == "pool" else REFINED).refitted()
    two = one.refitted()
    assert [rung.weights for rung in one.rungs] == [rung.weights for rung in two.rungs]
    assert [rung.before_weights for rung in one.rungs] == [rung.before_weights for rung in two.rungs]
    assert [net.temperature for net in one.nets] == [net.temperature for net in two.nets]
