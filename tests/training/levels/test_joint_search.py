"""training.levels.joint_search."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import keras
import msgspec
import numpy as np
import pytest
from numpy.typing import NDArray

from tests.training.training_runs import OFF, ObservedRun, ladder, spec, task
from training.learning.joint import Joint
from training.learning.loop import Epoch
from training.learning.networks import TrainingTarget
from training.levels import joint_search
from training.levels.improve import LevelSearch
from training.levels.joint_search import tune_jointly
from training.levels.ladder import Ladder
from training.levels.network import TrainableNetwork
from training.replay.thresholds import lowest_safe_threshold
from training.task import Promise, SettledNetwork
from weir.catalog.levels import Classifier, Expert, Experts
from weir.engine.hierarchy import NO_GROUPS, Hierarchy

ModelsAndHistories = list[tuple[keras.Model, list[Epoch]]]


@pytest.fixture(scope="module")
def before(tmp_path_factory: pytest.TempPathFactory) -> Ladder:
    """Two networks that have not finished learning."""
    run = ObservedRun.begin(task(spec("first")), tmp_path_factory.mktemp("work"))
    return ladder(
        run.trained_on_all_labels(spec("first", epochs=2, learning_rate=0.001), 10.0),
        run.trained_on_all_labels(spec("last", epochs=3, learning_rate=0.001), 100.0),
    )


def _run(work: Path, epochs: int, promise: Promise | None = None) -> ObservedRun:
    described = task(
        spec("first"),
        optimise=msgspec.structs.replace(OFF, joint_epochs=epochs),
        promise=promise or Promise(max_loss=0.05),
    )
    return ObservedRun.begin(described, work)


def _loss(network: TrainableNetwork, before: Ladder) -> float:
    return network.predictions.loss(before.labels)


def _weights(ladder: Ladder) -> list[NDArray[np.float32]]:
    return [weight.copy() for network in ladder.cascade.networks for weight in network.trained.model.get_weights()]


def test_without_epochs_nothing_is_tried(before: Ladder, tmp_path: Path) -> None:
    """The ladder stays, and the table gets no line."""
    search = LevelSearch(_run(tmp_path, 0), before)
    assert tune_jointly(search) is search


def test_fine_tuning_that_helps_is_used(before: Ladder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The ladder gets other networks at every level; those that they came from stay as they were."""
    monkeypatch.setattr(joint_search, "_LEARNING_RATE", 0.005)
    old = _weights(before)
    search = tune_jointly(LevelSearch(_run(tmp_path, 4), before))
    (line,) = search.trials
    assert (line.what, line.level, line.used, line.why) == ("joint fine-tuning", "all levels", True, "helps")
    after = search.ladder
    assert after.end_to_end is after.levels[-1].networks[0]
    assert _loss(after.end_to_end, before) < _loss(before.end_to_end, before)
    for network, was in zip(after.cascade.networks, before.cascade.networks, strict=True):
        assert network.trained.made_of != was.trained.made_of
        assert network.quantized is None
        assert (network.spec, network.predictions.time_us) == (was.spec, was.predictions.time_us)
        assert network.predictions.accuracy(before.labels) > was.predictions.accuracy(before.labels)
    assert all((now == then).all() for now, then in zip(_weights(before), old, strict=True))


def test_a_training_that_is_run_again_resumes_them(before: Ladder, tmp_path: Path) -> None:
    """All of them are taken from the same folder; with another number of epochs they are trained again."""
    first = tune_jointly(LevelSearch(_run(tmp_path, 1), before))
    again = _run(tmp_path, 1)
    second = tune_jointly(LevelSearch(again, before))
    assert again.messages[0] == "joint-0, joint-1: resumed, it was trained before"
    assert second.trials == first.trials
    other = _run(tmp_path, 2)
    tune_jointly(LevelSearch(other, before))
    assert "joint-0, joint-1: trained again" in other.messages[0]


def _spoiling(*places: int) -> Callable[..., ModelsAndHistories]:
    """Make a fine-tuning that sets all weights of some networks to zero."""

    def fine_tune(
        joint: Joint, target: TrainingTarget, spec: SettledNetwork, seed: int, on_epoch: object
    ) -> ModelsAndHistories:
        for place in places:
            network = joint.networks[place]
            network.set_weights([0 * weight for weight in network.get_weights()])
        return [(network, []) for network in joint.networks]

    return fine_tune


def test_a_worse_end_to_end_model_is_not_used(before: Ladder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A promise against it would be one against something weaker; the table gives the reason."""
    monkeypatch.setattr(joint_search, "fine_tune", _spoiling(1))
    search = tune_jointly(LevelSearch(_run(tmp_path, 1), before))
    assert search.ladder is before
    (line,) = search.trials
    assert (line.what, line.used) == ("joint fine-tuning", False)
    loss = _loss(before.end_to_end, before)
    assert line.why == f"the end-to-end model gets worse, {loss:.6f} -> {np.log(5):.6f} nats"


def test_the_digest_of_tuned_networks_is_that_of_earlier_versions(before: Ladder) -> None:
    """Networks that an earlier version has tuned are reused, so what their digest covers keeps its form."""
    expert = Expert(network=before.end_to_end, before_weight=0.5)
    experts = Experts(name="experts", experts={"cde": expert}, threshold=None)
    hierarchy = Hierarchy(("ab", "cde"), ((0, 1), (2, 3, 4)), (0.2,) * 5)
    last = msgspec.structs.replace(before.levels[1], fusion="pool", weights=(0.5, 1.5))
    ladder = before.with_hierarchy(hierarchy).with_levels([before.levels[0], experts, last])
    groups, levels = "[[0,1],[2,3,4]]", '["cascade","replace",[1.0,1.0],{}],["experts","refine",[1.0,1.0],{"1":0.5}]'
    expected = f'[[{groups},[{levels},["cascade","pool",[0.5,1.5],{{}}]]],[0.75,2.0]]'
    assert msgspec.json.encode(joint_search._described(ladder, [0.75, None])).decode() == expected


@pytest.mark.parametrize(("places", "against"), [((0,), "end-to-end"), ((0, 1), "labels"), ((1,), "labels")])
def test_fine_tuning_is_not_used_if_a_level_loses_more_rows_than_chance_explains(
    places: Sequence[int], against: str, before: Ladder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The ladder stays, whatever the promise is against; the table names the levels and gives the counts."""
    monkeypatch.setattr(joint_search, "fine_tune", _spoiling(*places))
    promise = msgspec.convert({"max_loss": 0.5, "against": against}, Promise)
    search = tune_jointly(LevelSearch(_run(tmp_path, 1, promise), before))
    assert search.ladder is before
    (line,) = search.trials
    assert not line.used
    assert line.why.startswith("more rows are lost than chance explains: ")
    for place, name in enumerate(("first", "last")):
        counts = f"{name} alone is correct on {before.cascade.networks[place].correct.sum()} -> 60 of 300 rows"
        assert (counts in line.why) == (place in places)


def _after(before: TrainableNetwork, lost: int) -> TrainableNetwork:
    """Change the label of the first rows on which a network is correct."""
    logits = before.predictions.logits.copy()
    rows = np.flatnonzero(before.correct)[:lost]
    logits[rows] = np.roll(logits[rows], 1, axis=1)
    return replace(before, predictions=replace(before.predictions, logits=logits))


@pytest.mark.parametrize(("lost", "p_value"), [(0, None), (4, "0.062"), (5, None)])
def test_a_loss_that_chance_explains_is_in_the_line(
    lost: int, p_value: str | None, before: Ladder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Four rows to none may be chance, five to none are not; a level that loses none is not named."""
    first, last = before.cascade.networks
    tuned = {id(first): _after(first, lost), id(last): last}
    monkeypatch.setattr(joint_search, "_tuned", lambda *_: tuned)
    (line,) = tune_jointly(LevelSearch(_run(tmp_path, 1), before)).trials
    if p_value is None:
        assert "which may be chance" not in line.why
        assert line.why.startswith("more rows are lost" if lost else "does not help")
    else:
        count = first.correct.sum()
        assert line.why == (
            f"does not help; first alone is correct on {count} -> {count - lost} of 300 rows (McNemar's exact test, "
            f"one-sided, p = {p_value}), which may be chance"
        )


def test_one_level_is_not_tuned_jointly(before: Ladder, tmp_path: Path) -> None:
    """It has nothing to be tuned with, and the table says so."""
    alone = before.with_levels(before.levels[1:])
    search = tune_jointly(LevelSearch(_run(tmp_path, 1), alone))
    assert search.ladder is alone
    assert [(line.used, line.why) for line in search.trials] == [(False, "there is one level")]


def test_levels_learn_with_the_thresholds_they_would_have(
    before: Ladder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each has the lowest threshold that is safe on validation rows by itself, its temperature, and its fusion."""
    tuned: list[Joint] = []

    def fine_tune(joint: Joint, *_: object) -> ModelsAndHistories:
        tuned.append(joint)
        return [(network, []) for network in joint.networks]

    monkeypatch.setattr(joint_search, "fine_tune", fine_tune)
    last = msgspec.structs.replace(before.levels[1], fusion="pool", weights=(0.5, 1.5))
    promise = Promise(max_loss=0.5, against="labels")
    search = tune_jointly(LevelSearch(_run(tmp_path, 1, promise), before.with_level(1, last)))
    (joint,) = tuned
    first, second = joint.cascade.levels
    assert isinstance(first, Classifier)
    assert isinstance(second, Classifier)
    assert first.threshold == lowest_safe_threshold(search.ladder.recording, 0, 0.5, "labels")
    assert first.threshold is not None
    assert first.threshold <= 1
    assert first.temperature == before.cascade.networks[0].predictions.temperature
    assert (second.fusion, second.weights) == ("pool", (0.5, 1.5))
    assert (joint.labels, joint.cascade.hierarchy) == (5, NO_GROUPS)
