"""training.measuring.ledger."""

import json
import math
from itertools import permutations
from pathlib import Path

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.serving import layered_manifest, make_manifest
from tests.training.quick import weir
from tests.training.thirds import fetch, pictures
from training.measuring.ledger import Ledger, draw_up, shapley
from weir.catalog.manifest import Manifest
from weir.runtime.model import Model


@settings(max_examples=30)
@given(st.integers(1, 5), st.integers(0, 1000))
def test_shapley_values_are_the_mean_over_all_orders(players: int, seed: int) -> None:
    """By their definition, over every order in which the players can join; and they add up to the whole."""
    random = np.random.default_rng(seed)
    worth = {tuple(np.flatnonzero(bits).tolist()): random.normal() for bits in np.ndindex(*[2] * players)}
    found = shapley(worth.__getitem__, players)
    for player in range(players):
        added = []
        for order in permutations(range(players)):
            before = tuple(sorted(order[: order.index(player)]))
            added.append(worth[tuple(sorted((*before, player)))] - worth[before])
        assert found[player] == pytest.approx(math.fsum(added) / len(added), abs=1e-9)
    assert sum(found) == pytest.approx(worth[tuple(range(players))] - worth[()], abs=1e-9)


def _ledger(manifest: Manifest) -> Ledger:
    return draw_up(Model(manifest, fetch), pictures())


@pytest.mark.parametrize("manifest", [make_manifest(thresholds=(0.4, 0.6)), layered_manifest()])
def test_every_part_adds_up(manifest: Manifest) -> None:
    """Contributions to the improvement over the prior, remaining losses to the loss, errors to the errors."""
    found = _ledger(manifest)
    assert sum(level.loss_reduction for level in found.levels) == pytest.approx(found.prior_loss - found.loss)
    assert sum(level.accuracy_gain for level in found.levels) == pytest.approx(found.accuracy - found.prior_accuracy)
    assert sum(level.remaining_loss for level in found.levels) == pytest.approx(found.loss)
    assert sum(level.errors for level in found.levels) == round((1 - found.accuracy) * found.rows)
    assert sum(level.share for level in found.levels) == pytest.approx(1)


def test_a_hierarchys_loss_splits_by_the_chain_rule() -> None:
    """The choice of the group, and the choice within each group."""
    found = _ledger(layered_manifest())
    assert found.routing_loss is not None
    assert found.routing_loss + sum(group.remaining_loss for group in found.groups) == pytest.approx(found.loss)
    assert [(group.name, group.expert) for group in found.groups] == [("outer", True), ("inner", False)]
    assert found.groups[1].remaining_loss == pytest.approx(0, abs=1e-6)
    assert "of the remaining loss is" in found.words[2]


def test_a_wrong_group_is_the_routers_fault() -> None:
    """Of experts alone on a router: errors across groups and within them."""
    manifest = layered_manifest()
    found = _ledger(msgspec.structs.replace(manifest, levels=manifest.levels[:2], abstention=None))
    router, experts = found.levels
    assert router.share == 0
    assert router.errors > 0
    assert experts.errors > 0


def test_the_command_tells_it(trained: Path) -> None:
    """A table and sentences, or JSON."""
    told = weir("ledger", trained)
    assert told.returncode == 0, told.stderr
    assert "What each level is worth" in told.stdout
    assert "of the remaining loss is in rows that" in told.stdout
    found = msgspec.convert(json.loads(weir("ledger", trained, "--json").stdout), Ledger)
    assert [level.name for level in found.levels][-1] == "last"
    assert sum(level.loss_reduction for level in found.levels) == pytest.approx(found.prior_loss - found.loss)
