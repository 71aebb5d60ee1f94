"""Fine-tune the levels of a ladder jointly, and keep the result where it helps."""

from collections.abc import Sequence
from dataclasses import dataclass

import msgspec

from training.configured_keras import keras
from training.learning.joint import Joint, fine_tune
from training.learning.loop import Epoch
from training.learning.networks import TrainingTarget
from training.levels.improve import LevelSearch
from training.levels.ladder import Ladder
from training.levels.network import TrainableNetwork
from training.replay.paired import Paired, compare
from training.replay.thresholds import lowest_safe_threshold
from weir.catalog.levels import Experts
from weir.engine.cascade import Threshold

_LEARNING_RATE = 0.0001
_NAME = "joint"
_WHAT, _WHERE = "joint fine-tuning", "all levels"


def tune_jointly(search: LevelSearch) -> LevelSearch:
    """Try to fine-tune all levels on the overall loss of the fused posterior.

    No level may lose more rows than chance explains. Where the promise is against the end-to-end model, the loss of
    that model must not rise either.
    """
    epochs, ladder = search.run.task.optimise.joint_epochs, search.ladder
    if not epochs:
        return search
    if len(ladder.levels) == 1:
        return search.skip(_WHAT, _WHERE, "there is one level")
    other = ladder.with_networks(_tuned(search, epochs)).refitted()
    before, after = (one.end_to_end.predictions.loss(ladder.labels) for one in (ladder, other))
    if search.run.promise.against == "end-to-end" and after > before:
        why = f"the end-to-end model gets worse, {before:.6f} -> {after:.6f} nats"
        return search.skip(_WHAT, _WHERE, why)
    worse = _worse_levels(ladder, other)
    if beyond := [one.describe() for one in worse if one.paired.beyond_chance]:
        return search.skip(_WHAT, _WHERE, f"more rows are lost than chance explains: {'; '.join(beyond)}")
    note = "; ".join(f"{one.describe()}, which may be chance" for one in worse)
    return search.try_ladder(_WHAT, _WHERE, other, note=note)


@dataclass(frozen=True)
class _Worse:
    """A level that is correct on fewer validation rows than before."""

    level: str
    paired: Paired
    """its network before, and after"""

    def describe(self) -> str:
        """Give the counts and the p-value."""
        one = self.paired
        return (
            f"{self.level} alone is correct on {one.correct} -> {one.other_correct} of {one.rows} rows "
            f"(McNemar's exact test, one-sided, p = {one.p_value:.2g})"
        )


def _worse_levels(before: Ladder, after: Ladder) -> list[_Worse]:
    """List the levels whose networks, each alone, are correct on fewer validation rows; experts are not compared.

    One of them is the end-to-end model.
    """
    compared = [
        _Worse(level.name, compare(level.network.correct, other.networks[0].correct))
        for level, other in zip(before.levels, after.levels, strict=True)
        if not isinstance(level, Experts)
    ]
    return [one for one in compared if one.paired.other_correct < one.paired.correct]


def _tuned(search: LevelSearch, epochs: int) -> dict[int, TrainableNetwork]:
    """Fine-tune copies of all networks, or resume them; each is by the identity of the network it was copied from."""
    run, ladder, promise = search.run, search.ladder, search.run.promise
    networks, last = ladder.cascade.networks, len(ladder.levels) - 1
    thresholds = [
        lowest_safe_threshold(ladder.recording, number, promise.max_loss, promise.against) for number in range(last)
    ]
    spec = msgspec.structs.replace(
        ladder.end_to_end.spec, name=_NAME, epochs=epochs, learning_rate=_LEARNING_RATE, patience=epochs
    )

    def train() -> list[tuple[keras.Model, list[Epoch]]]:
        return fine_tune(
            _joint(search, thresholds),
            TrainingTarget.all_labels(run.data),
            spec,
            run.task.seed,
            lambda done, total: run.callbacks.progress("joint fine-tuning, epochs", done, total),
        )

    names = [f"{_NAME}-{number}" for number in range(len(networks))]
    depends_on = [spec.identity, [network.trained.made_of for network in networks], *_described(ladder, thresholds)]
    trained = run.checkpoints.resume_or_train_all(names, depends_on, train)
    return {
        id(network): run.network(network.spec, one, network.target, time_us=network.predictions.time_us)
        for network, one in zip(networks, trained, strict=True)
    }


def _described(ladder: Ladder, thresholds: Sequence[Threshold]) -> list[object]:
    """Describe groups, fusion and thresholds, on which the tuned networks depend.

    The form is that of earlier versions, so that networks which they have tuned are reused: experts have numbers, every
    level has weights, and 2 stands for a threshold at which no row exits.
    """
    levels: list[object] = []
    for level in ladder.levels:
        if isinstance(level, Experts):
            numbers = {ladder.hierarchy.groups.index(group): one.before_weight for group, one in level.experts.items()}
            levels.append([level.kind, level.fusion, (1.0, 1.0), numbers])
        else:
            levels.append([level.kind, level.fusion, level.weights, {}])
    limits = [2.0 if threshold is None else threshold for threshold in thresholds]
    return [[ladder.hierarchy.members, levels], limits]


def _joint(search: LevelSearch, thresholds: Sequence[Threshold]) -> Joint:
    """Copy the networks, because those of the ladder stay as they are unless the copies are better."""

    def copied(network: TrainableNetwork) -> keras.Model:
        model = network.target.untrained(network.spec, search.run.task.seed)
        model.set_weights(network.trained.model.get_weights())
        return model

    cascade = search.ladder.cascade.map(copied).with_thresholds([*thresholds, None])
    return Joint(cascade, len(search.run.data.label_names))
