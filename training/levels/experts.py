"""Decompose the problem: groups of labels, and an expert for each group where one pays."""

from collections.abc import Mapping
from dataclasses import dataclass

import msgspec
import numpy as np

from training.fitting.calibration import losses
from training.learning.networks import Trained
from training.levels import grouping
from training.levels.ladder import Ladder, conditional, with_expert_weights
from training.levels.network import TrainableNetwork
from training.levels.training_run import TrainingRun
from training.task import EXPERTS, SettledGroups, SettledNetwork
from weir.catalog.levels import Expert, Experts, Router
from weir.catalog.promises import Against
from weir.engine.arrays import Floats
from weir.engine.hierarchy import Hierarchy

_LEAST_SHARE = 0.1
"""share of the generalist's errors that must lie inside a group for an expert to be tried"""


class TriedExpert(msgspec.Struct, frozen=True, kw_only=True):
    """One line of the table that shows which experts pay."""

    group: str
    labels: tuple[str, ...]
    errors_inside: float
    """share of the generalist's validation errors that confuse two labels of the group"""
    used: bool
    why: str
    accuracy_before: float | None = None
    """on validation rows of the group, when the level before chooses within it, 0 to 1"""
    accuracy: float | None = None
    """the same, when the expert does"""
    loss_before: float | None = None
    """mean `-ln p(label | group)` of these rows, in nats"""
    loss: float | None = None
    before_weight: float | None = None
    """learned weight of the level before, beside the expert's own"""


@dataclass(frozen=True)
class Decomposition:
    """A ladder with its groups and experts, and how they were chosen."""

    ladder: Ladder
    groups: dict[str, tuple[str, ...]]
    experts: tuple[TriedExpert, ...]


def decompose(ladder: Ladder, settings: SettledGroups, run: TrainingRun) -> Decomposition:
    """Give a ladder groups, and a level of experts after the generalist or the router.

    There are no experts, and no router, if the generalist was left out, or if experts would follow the end-to-end model
    against which the promise is. If it was left out, groups are found by the confusions of the end-to-end model.

    Raises:
        BadInput: the groups do not partition the labels, or cannot be found in that number.
        Diverged, ModelUnavailable: as training a network does.
    """
    numbers = [number for number, level in enumerate(ladder.levels) if level.name == settings.generalist]
    place = numbers[0] if numbers else None
    generalist = ladder.end_to_end if place is None else ladder.levels[place].networks[0]
    groups = _groups(generalist, settings, run)
    ladder = ladder.with_hierarchy(Hierarchy.named(groups, run.data.label_names, run.data.prior))
    why = _why_none_can_follow(ladder, place, settings, run.task.promise.against)
    if place is None or why:
        return _without_experts(ladder, groups, generalist, why, run)
    if settings.router is not None:
        ladder, place = _routed(ladder, settings.router, generalist, run)
    trainer = _ExpertTrainer(ladder, place, generalist, settings, run)
    tried = {name: trainer.expert(name) for name in groups}
    experts = {name: network for name, (network, _) in tried.items() if network is not None}
    if experts:
        ladder = ladder.with_levels(
            [*ladder.levels[: place + 1], _experts_after(ladder, place, experts), *ladder.levels[place + 1 :]]
        )
    return Decomposition(ladder, groups, tuple(line for _, line in tried.values()))


def _why_none_can_follow(ladder: Ladder, place: int | None, settings: SettledGroups, against: Against) -> str:
    """Say why experts cannot be levels, because of the choice of the end-to-end model; empty if they can.

    Args:
        ladder: the levels.
        place: the number of the generalist's level; None if it was left out.
        settings: of the task.
        against: what the promise is against.
    """
    if place is None:
        end = ladder.end_to_end.spec.name
        return f"their generalist {settings.generalist} is left out, because rows end at the end-to-end model {end}"
    if place == len(ladder.levels) - 1 and settings.router is None and against == "end-to-end":
        return (
            f"their generalist {settings.generalist} is the end-to-end model, which a promise against it needs as the "
            'last level; promise.against = "labels" or "agreement" lets experts follow it'
        )
    return ""


def _without_experts(
    ladder: Ladder, groups: dict[str, tuple[str, ...]], confusing: TrainableNetwork, why: str, run: TrainingRun
) -> Decomposition:
    """Keep the groups, from which a row that abstains may still get one, and say why there are no experts."""
    run.callbacks.say(f"no experts: {why}")
    lines = [
        TriedExpert(
            group=group,
            labels=labels,
            errors_inside=_errors_inside(confusing, ladder.hierarchy.members_of(group)),
            used=False,
            why=why,
        )
        for group, labels in groups.items()
    ]
    return Decomposition(ladder, groups, tuple(lines))


def _groups(generalist: TrainableNetwork, settings: SettledGroups, run: TrainingRun) -> dict[str, tuple[str, ...]]:
    """Return the groups of the task or of nested folders, or find them among labels that the generalist confuses."""
    labels = run.data.label_names
    groups, origin = grouping.stated(settings, run.data.hierarchy, labels)
    if not groups:
        if origin:
            run.callbacks.say(f"groups of the folders are not used: {origin}")
        targets = generalist.target.validation.labels
        confusion = grouping.confusion(generalist.predictions.logits.argmax(axis=1), targets, len(labels))
        groups, origin = grouping.named(grouping.cluster(confusion, settings.count), labels), "found"
    described = "; ".join(f"{name} ({', '.join(members)})" for name, members in groups.items())
    run.callbacks.say(f"groups, {origin}: {described}")
    return groups


def _routed(ladder: Ladder, spec: SettledNetwork, generalist: TrainableNetwork, run: TrainingRun) -> tuple[Ladder, int]:
    """Train a router, and put it into the ladder before the first level that takes longer; return its place too."""
    hierarchy = ladder.hierarchy
    target = generalist.target.labels_only().subset(hierarchy.group_of, len(hierarchy.groups))
    members = [list(labels) for labels in hierarchy.members]
    network = run.finished(run.network(spec, run.train(spec, target, depends_on=["router", members]), target))
    time_us = network.predictions.time_us
    slower = [not isinstance(time, Mapping) and time > time_us for time in ladder.times[:-1]]
    place = [*slower, True].index(True)
    level = Router(name=spec.name, network=network, temperature=network.predictions.temperature, threshold=None)
    return ladder.with_levels([*ladder.levels[:place], level, *ladder.levels[place:]]), place


@dataclass(frozen=True)
class _ExpertTrainer:
    """Trains experts, and compares each with the level before it."""

    ladder: Ladder
    place: int
    """of the level that chooses the group"""
    generalist: TrainableNetwork
    settings: SettledGroups
    run: TrainingRun

    def expert(self, name: str) -> tuple[TrainableNetwork | None, TriedExpert]:
        """Train a group's expert if it can pay, and keep it if it does."""
        members = self.ladder.hierarchy.members_of(name)
        inside = _errors_inside(self.generalist, members)
        labels = tuple(self.run.data.label_names[label] for label in members)
        line = TriedExpert(group=name, labels=labels, errors_inside=inside, used=False, why="")
        if len(members) == 1:
            return None, msgspec.structs.replace(line, why="it has one label")
        if inside < _LEAST_SHARE and self.settings.router is None:
            why = f"less than {100 * _LEAST_SHARE:g} % of the generalist's errors are inside it"
            return None, msgspec.structs.replace(line, why=why)
        network = self._trained(members, name)
        line = self._compared(name, members, network, line)
        return (network if line.used else None), line

    def _trained(self, members: tuple[int, ...], name: str) -> TrainableNetwork:
        """Train an expert initialised from the generalist, with no outputs but those of its group."""
        generalist, run = self.generalist, self.run
        outputs = np.full(len(run.data.label_names), -1, np.intp)
        outputs[list(members)] = np.arange(len(members))
        target = generalist.target.labels_only().subset(outputs, len(members))
        spec = msgspec.structs.replace(
            generalist.spec,
            name=f"expert-{members[0]}",
            epochs=self.settings.epochs,
            learning_rate=self.settings.learning_rate,
        )
        model = target.untrained(spec, run.task.seed)
        pairs = zip(generalist.trained.model.get_weights(), model.get_weights(), strict=True)
        model.set_weights([_outputs_of(members, weight, fewer.shape) for weight, fewer in pairs])
        run.callbacks.say(f"{spec.name}: the expert of {name}")
        start = Trained(model, [], generalist.trained.made_of)
        trained = run.train(spec, target, depends_on=["expert", list(members)], start=start)
        return run.network(spec, trained, target, time_us=generalist.predictions.time_us)

    def _compared(
        self, group: str, members: tuple[int, ...], network: TrainableNetwork, line: TriedExpert
    ) -> TriedExpert:
        """Compare an expert with the level before it, on the validation rows of the group."""
        before_levels = self.ladder.levels[: self.place + 1]
        level = _experts_after(self.ladder, self.place, {group: network})
        before = _performance_within(self.ladder.with_levels(before_levels), members)
        after = _performance_within(self.ladder.with_levels([*before_levels, level]), members)
        used = after.loss < before.loss and after.accuracy > before.accuracy
        weight = level.experts[group].before_weight
        self.run.callbacks.say(
            f"expert of {group}: {'used, it pays' if used else 'not used, it does not pay'}; within the group "
            f"{100 * before.accuracy:.1f} -> {100 * after.accuracy:.1f} %, "
            f"{before.loss:.4f} -> {after.loss:.4f} nats, weight of the level before {weight}"
        )
        return msgspec.structs.replace(
            line,
            used=used,
            why="pays" if used else "does not pay",
            accuracy_before=before.accuracy,
            accuracy=after.accuracy,
            loss_before=before.loss,
            loss=after.loss,
            before_weight=weight,
        )


def _outputs_of(members: tuple[int, ...], weight: Floats, shape: tuple[int, ...]) -> Floats:
    """Take the outputs of a group from a weight of the layer that gives the logits; other weights keep their shape."""
    return weight if weight.shape == shape else weight[..., list(members)]


def _errors_inside(generalist: TrainableNetwork, members: tuple[int, ...]) -> float:
    """Return the share of the generalist's validation errors that confuse two labels of a group."""
    predicted, targets = generalist.predictions.logits.argmax(axis=1), generalist.target.validation.labels
    errors = predicted != targets
    inside = np.isin(predicted, members) & np.isin(targets, members) & errors
    return float(inside.sum() / max(1, errors.sum()))


def _experts_after(ladder: Ladder, place: int, networks: Mapping[str, TrainableNetwork]) -> Experts[TrainableNetwork]:
    """Make a level of experts, by group, after another level; their weights are learned on validation rows."""
    experts = {group: Expert(network=network) for group, network in networks.items()}
    level = Experts(name=EXPERTS, experts=experts, threshold=None)
    return with_expert_weights(ladder.with_levels(ladder.levels[: place + 1]), place + 1, level)


@dataclass(frozen=True)
class _PerformanceWithin:
    """How well labels are chosen within a group, on the group's validation rows."""

    accuracy: float
    loss: float


def _performance_within(ladder: Ladder, members: tuple[int, ...]) -> _PerformanceWithin:
    """Measure `p(label | group)` of the ladder's last posterior on a group's validation rows."""
    rows = np.flatnonzero(np.isin(ladder.labels, members))
    targets = np.searchsorted(members, ladder.labels[rows])
    posterior = conditional(ladder.recording.posteriors[-1][rows], members)
    return _PerformanceWithin(
        float((posterior.argmax(axis=1) == targets).mean()), float(losses(posterior, targets).mean())
    )
