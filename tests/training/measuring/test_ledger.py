"""training.measuring.ledger."""

import json
import math
import time
from itertools import permutations
from pathlib import Path

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.serving import fetch, layered_manifest
from tests.training.quick import weir
from tests.training.thirds import MANIFESTS, pictures
from training.fitting.calibration import nll
from training.measuring.ledger import Ledger, draw_up, shapley
from weir.catalog.manifest import Manifest
from weir.engine.arrays import Floats
from weir.inputs.tensor import InputRows
from weir.runtime.interpreter import Network
from weir.runtime.model import Model


@settings(max_examples=30)
@given(st.integers(1, 5), st.integers(0, 1000))
def test_shapley_values_are_the_mean_over_all_orders(players: int, seed: int) -> None:
    """They are what the definition gives over every order in which players can join, and add up to the whole."""
    random = np.random.default_rng(seed)
    worth = {tuple(np.flatnonzero(bits).tolist()): random.normal() for bits in np.ndindex(*[2] * players)}
    values = shapley(worth.__getitem__, players)
    for player in range(players):
        added = []
        for order in permutations(range(players)):
            before = tuple(sorted(order[: order.index(player)]))
            added.append(worth[tuple(sorted((*before, player)))] - worth[before])
        assert values[player] == pytest.approx(math.fsum(added) / len(added), abs=1e-9)
    assert sum(values) == pytest.approx(worth[tuple(range(players))] - worth[()], abs=1e-9)


def _ledger(manifest: Manifest) -> Ledger:
    return draw_up(Model(manifest, fetch), pictures())


@pytest.mark.parametrize("manifest", MANIFESTS)
def test_every_part_adds_up(manifest: Manifest) -> None:
    """Contributions add up to the improvement over the prior, remaining losses to the loss, errors to the errors."""
    ledger = _ledger(manifest)
    assert sum(level.loss_reduction for level in ledger.levels) == pytest.approx(ledger.prior_loss - ledger.loss)
    assert sum(level.accuracy_gain for level in ledger.levels) == pytest.approx(ledger.accuracy - ledger.prior_accuracy)
    assert sum(level.remaining_loss for level in ledger.levels) == pytest.approx(ledger.loss)
    assert sum(level.errors for level in ledger.levels) == round((1 - ledger.accuracy) * ledger.rows)
    assert sum(level.share for level in ledger.levels) == pytest.approx(1)


@pytest.mark.parametrize("manifest", MANIFESTS)
def test_the_ledger_is_of_what_serving_answers(manifest: Manifest) -> None:
    """Loss, accuracy and shares are those of the cascade with its fused temperature, where no row abstains."""
    ledger, test = _ledger(manifest), pictures()
    predictions, _ = Model(msgspec.structs.replace(manifest, abstention=None), fetch).cascade.answer(test.inputs)
    assert ledger.accuracy == (predictions.label == test.labels).mean()
    assert ledger.loss == pytest.approx(nll(predictions.probabilities, test.labels))
    assert [level.share for level in ledger.levels] == [predictions.share(n) for n in range(len(ledger.levels))]


def test_the_loss_of_a_hierarchy_splits_by_the_chain_rule() -> None:
    """It is the loss of choosing the group and that of choosing within each group."""
    ledger = _ledger(layered_manifest())
    assert ledger.routing_loss is not None
    assert ledger.routing_loss + sum(group.remaining_loss for group in ledger.groups) == pytest.approx(ledger.loss)
    assert [(group.name, group.expert) for group in ledger.groups] == [("outer", True), ("inner", False)]
    assert ledger.groups[1].remaining_loss == pytest.approx(0, abs=1e-6)
    assert "of the remaining loss is" in ledger.words[2]


def test_the_router_is_to_blame_for_a_wrong_group() -> None:
    """Where experts refine a router, its errors are across groups and theirs within a group."""
    manifest = layered_manifest()
    ledger = _ledger(msgspec.structs.replace(manifest, levels=manifest.levels[:2], abstention=None))
    router, experts = ledger.levels
    assert router.share == 0
    assert router.errors > 0
    assert experts.errors > 0


def test_levels_are_timed_by_cpu_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """A network that waits takes no time."""
    logits = Network.logits

    def waiting(self: Network, rows: InputRows) -> Floats:
        time.sleep(0.03)
        return logits(self, rows)

    monkeypatch.setattr(Network, "logits", waiting)
    assert all(0 < level.time_us * 200 < 15_000 for level in _ledger(layered_manifest()).levels)


def test_the_command_prints_the_ledger(trained: Path) -> None:
    """It prints a table and sentences, or JSON."""
    printed = weir("ledger", trained)
    assert printed.returncode == 0, printed.stderr
    assert "What each level is worth" in printed.stdout
    assert "of the remaining loss is in rows that" in printed.stdout
    ledger = msgspec.convert(json.loads(weir("ledger", trained, "--json").stdout), Ledger)
    assert [level.name for level in ledger.levels][-1] == "last"
    assert sum(level.loss_reduction for level in ledger.levels) == pytest.approx(ledger.prior_loss - ledger.loss)
