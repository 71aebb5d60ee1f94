"""training.levels.joint_search."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import keras
import msgspec
import numpy as np
import pytest
from numpy.typing import NDArray

from tests.training.training_runs import OFF, Watched, ladder, spec, task
from training.learning.joint import Joint
from training.learning.loop import Epoch
from training.learning.networks import TrainingTarget
from training.levels import joint_search as jointly
from training.levels.improve import LevelSearch
from training.levels.joint_search import optimise_jointly
from training.levels.ladder import Ladder
from training.replay.thresholds import safe
from training.task import NetworkSpec, Promise

Made = list[tuple[keras.Model, list[Epoch]]]


@pytest.fixture(scope="module")
def before(tmp_path_factory: pytest.TempPathFactory) -> Ladder:
    """Two networks that have not finished learning."""
    shop = Watched.opened(task(spec("first")), tmp_path_factory.mktemp("work"))
    return ladder(
        shop.taught(spec("first", epochs=2, learning_rate=0.001), 10.0),
        shop.taught(spec("last", epochs=3, learning_rate=0.001), 100.0),
    )


def _bench(work: Path, before: Ladder, epochs: int, promise: Promise | None = None) -> LevelSearch:
    described = task(
        spec("first"),
        optimise=msgspec.structs.replace(OFF, joint_epochs=epochs),
        promise=promise or Promise(max_loss=0.05),
    )
    return LevelSearch(Watched.opened(described, work), before)


def _weights(ladder: Ladder) -> list[NDArray[np.float32]]:
    return [weight.copy() for net in ladder.nets for weight in net.trained.model.get_weights()]


def test_without_epochs_nothing_is_tried(before: Ladder, tmp_path: Path) -> None:
    """Nor noted."""
    bench = _bench(tmp_path, before, 0)
    assert optimise_jointly(bench) is bench


def test_what_helps_is_used(before: Ladder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """All networks are other ones afterwards; those they came from stay what they were."""
    monkeypatch.setattr(jointly, "_LEARNING_RATE", 0.005)
    old = _weights(before)
    bench = optimise_jointly(_bench(tmp_path, before, 4))
    (line,) = bench.tried
    assert (line.what, line.level, line.used, line.why) == ("joint fine-tuning", "all levels", True, "helps")
    assert bench.ladder.end_to_end is bench.ladder.rungs[-1].net
    assert bench.ladder.end_to_end.loss < before.end_to_end.loss
    for net, was in zip(bench.ladder.nets, before.nets, strict=True):
        assert net.trained.made_of != was.trained.made_of
        assert net.quantized is None
        assert (net.spec, net.time_us) == (was.spec, was.time_us)
        assert net.accuracy > was.accuracy
    assert all((now == then).all() for now, then in zip(_weights(before), old, strict=True))


def test_a_training_that_is_run_again_takes_them_up(before: Ladder, tmp_path: Path) -> None:
    """All of them, from the same folder; with another number of epochs it begins anew."""
    one = optimise_jointly(_bench(tmp_path, before, 1))
    again = _bench(tmp_path, before, 1)
    two = optimise_jointly(again)
    assert isinstance(again.shop, Watched)
    assert again.shop.said[0] == "joint-0, joint-1: resumed, it was trained before"
    assert two.tried == one.tried
    other = _bench(tmp_path, before, 2)
    optimise_jointly(other)
    assert isinstance(other.shop, Watched)
    assert "joint-0, joint-1: trained again" in other.shop.said[0]


def _spoiling(*places: int) -> Callable[..., Made]:
    """Fine-tune so that some of the networks know nothing any more."""

    def fine_tune(joint: Joint, lesson: TrainingTarget, spec: NetworkSpec, seed: int, on_epoch: object) -> Made:
        for place in places:
            network = joint.networks[place]
            network.set_weights([0 * weight for weight in network.get_weights()])
        return [(network, []) for network in joint.networks]

    return fine_tune


def test_a_worse_end_to_end_model_is_not_used(before: Ladder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A promise against it would be one against something weaker; the table says why."""
    monkeypatch.setattr(jointly, "fine_tune", _spoiling(1))
    bench = optimise_jointly(_bench(tmp_path, before, 1))
    assert bench.ladder is before
    (line,) = bench.tried
    assert (line.what, line.used) == ("joint fine-tuning", False)
    assert line.why == f"the end-to-end model gets worse, {before.end_to_end.loss:.6f} -> {np.log(5):.6f} nats"


@pytest.mark.parametrize(("places", "against"), [((0,), "end-to-end"), ((0, 1), "labels")])
def test_what_does_not_help_is_not_used(
    places: Sequence[int], against: str, before: Ladder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A level that gets worse; against labels also the end-to-end model."""
    monkeypatch.setattr(jointly, "fine_tune", _spoiling(*places))
    promise = msgspec.convert({"max_loss": 0.5, "against": against}, Promise)
    bench = optimise_jointly(_bench(tmp_path, before, 1, promise))
    assert bench.ladder is before
    assert [(line.used, line.why) for line in bench.tried] == [(False, "does not help")]


def test_levels_learn_with_the_thresholds_they_would_have(
    before: Ladder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The lowest that are safe on validation rows, each by itself; with their temperatures, and how they are fused."""
    seen: list[Joint] = []

    def fine_tune(joint: Joint, *rest: object) -> Made:
        seen.append(joint)
        return [(network, []) for network in joint.networks]

    monkeypatch.setattr(jointly, "fine_tune", fine_tune)
    first, last = before.rungs
    pooled = replace(before, rungs=(first, replace(last, fusion="pool", weights=(0.5, 1.5))))
    promise = Promise(max_loss=0.5, against="labels")
    bench = optimise_jointly(_bench(tmp_path, pooled, 1, promise))
    (joint,) = seen
    assert joint.levels[0].threshold == safe(bench.ladder.recording, 0, 0.5, "labels")
    assert joint.levels[0].threshold <= 1
    assert first.net
    assert joint.levels[0].temperature == first.net.temperature
    assert (joint.levels[1].fusion, joint.levels[1].weights) == ("pool", (0.5, 1.5))
    assert (joint.labels, joint.hierarchy) == (5, None)
