"""Decompose the problem: groups of labels, and an expert for each group where one pays."""

from dataclasses import dataclass, replace

import msgspec
import numpy as np

from training.fitting.calibration import losses
from training.learning.networks import Trained
from training.levels import grouping
from training.levels.ladder import Ladder, Net, Rung, conditional, weighed
from training.levels.training_run import TrainingRun
from training.task import EXPERTS, Groups, NetworkSpec
from weir.engine.hierarchy import Hierarchy

_LEAST_SHARE = 0.1
"""share of the generalist's errors that must lie inside a group for an expert to be tried"""


class TriedExpert(msgspec.Struct, frozen=True, kw_only=True):
    """One line of the table that says which experts pay."""

    group: str
    labels: tuple[str, ...]
    errors_inside: float
    """share of the generalist's validation errors that confuse two labels of the group"""
    used: bool
    why: str
    accuracy_before: float | None = None
    """of validation rows of the group, when the level before chooses within it, 0 to 1"""
    accuracy: float | None = None
    """the same, when the expert does"""
    loss_before: float | None = None
    """mean `-ln p(label | group)` of these rows, in nats"""
    loss: float | None = None
    before_weight: float | None = None
    """learned weight of the level before's word beside the expert's"""


@dataclass(frozen=True)
class Decomposed:
    """A ladder with its groups and experts, and how they were chosen."""

    ladder: Ladder
    groups: dict[str, tuple[str, ...]]
    experts: tuple[TriedExpert, ...]


def decompose(ladder: Ladder, asked: Groups, shop: TrainingRun) -> Decomposed:
    """Give a ladder groups, and experts behind the generalist or the router.

    Raises:
        BadInput: the groups do not partition the labels, or can't be found in that number.
        Diverged, ModelUnavailable: as training a network does.
    """
    generalist = next(net for net in ladder.nets if net.spec.name == asked.generalist)
    labels = shop.data.label_names
    groups = grouping.given(asked.named, labels) if asked.named else _found(generalist, asked.count, labels)
    told = "; ".join(f"{name} ({', '.join(members)})" for name, members in groups.items())
    shop.callbacks.say(f"groups, {'given' if asked.named else 'found'}: {told}")
    ladder = replace(ladder, hierarchy=Hierarchy.named(groups, labels, shop.data.prior))
    place = next(number for number, rung in enumerate(ladder.rungs) if rung.net is generalist)
    if asked.router is not None:
        ladder, place = _routed(ladder, asked.router, generalist, shop)
    school = _ExpertTrainer(ladder, place, generalist, asked, shop)
    tried = [school.expert(group) for group in range(len(groups))]
    experts = dict(net for net, _ in tried if net is not None)
    if experts:
        rung = _behind(ladder, place, experts)
        ladder = replace(ladder, rungs=(*ladder.rungs[: place + 1], rung, *ladder.rungs[place + 1 :]))
    return Decomposed(ladder, groups, tuple(line for _, line in tried))


def _found(generalist: Net, count: int | None, labels: tuple[str, ...]) -> dict[str, tuple[str, ...]]:
    right = generalist.lesson.validation.labels
    confusion = grouping.confusion(generalist.logits.argmax(axis=1), right, len(labels))
    return grouping.names(grouping.found(confusion, count), labels)


def _routed(ladder: Ladder, spec: NetworkSpec, generalist: Net, shop: TrainingRun) -> tuple[Ladder, int]:
    """Put a router of its own into the ladder, before the first level that takes longer; tell its place."""
    hierarchy = _hierarchy(ladder)
    lesson = generalist.lesson.plain().part(hierarchy.group_of, len(hierarchy.groups))
    members = [list(labels) for labels in hierarchy.members]
    net = shop.finished(shop.net(spec, shop.train(spec, lesson, made_of=["router", members]), lesson))
    times = [rung.net.time_us if rung.net else 0.0 for rung in ladder.rungs[:-1]]
    place = next((number for number, time in enumerate(times) if time > net.time_us), len(times))
    rung = Rung(spec.name, "router", net)
    return replace(ladder, rungs=(*ladder.rungs[:place], rung, *ladder.rungs[place:])), place


def _hierarchy(ladder: Ladder) -> Hierarchy:
    assert ladder.hierarchy is not None, "experts and routers belong to groups"
    return ladder.hierarchy


@dataclass(frozen=True)
class _ExpertTrainer:
    """Where experts come from, and what they are compared with."""

    ladder: Ladder
    place: int
    """of the level that chooses the group"""
    generalist: Net
    asked: Groups
    shop: TrainingRun

    def expert(self, group: int) -> tuple[tuple[int, Net] | None, TriedExpert]:
        """Train a group's expert if it can pay, and find out whether it does."""
        hierarchy, names = _hierarchy(self.ladder), self.shop.data.label_names
        members, name = hierarchy.members[group], hierarchy.groups[group]
        inside = _errors_inside(self.generalist, members)
        labels = tuple(names[label] for label in members)
        line = TriedExpert(group=name, labels=labels, errors_inside=inside, used=False, why="")
        if len(members) == 1:
            return None, msgspec.structs.replace(line, why="it has one label")
        if inside < _LEAST_SHARE and self.asked.router is None:
            why = f"less than {100 * _LEAST_SHARE:g} % of the generalist's errors are inside it"
            return None, msgspec.structs.replace(line, why=why)
        net = self._trained(members, name)
        line = self._compared(group, net, line)
        self.shop.callbacks.say(_told(line))
        return ((group, net) if line.used else None), line

    def _trained(self, members: tuple[int, ...], name: str) -> Net:
        """Train an expert that begins as the generalist, with no outputs but those of its group."""
        generalist, shop = self.generalist, self.shop
        outputs = np.full(len(shop.data.label_names), -1, np.intp)
        outputs[list(members)] = np.arange(len(members))
        lesson = generalist.lesson.plain().part(outputs, len(members))
        spec = msgspec.structs.replace(
            generalist.spec,
            name=f"expert-{members[0]}",
            epochs=self.asked.epochs,
            learning_rate=self.asked.learning_rate,
        )
        *body, kernel, bias = generalist.trained.model.get_weights()
        model = lesson.blank(spec, shop.task.seed)
        model.set_weights([*body, kernel[:, list(members)], bias[list(members)]])
        shop.callbacks.say(f"{spec.name}: the expert of {name}")
        start = Trained(model, [], generalist.trained.made_of)
        trained = shop.train(spec, lesson, made_of=["expert", list(members)], start=start)
        return shop.net(spec, trained, lesson, time_us=generalist.time_us)

    def _compared(self, group: int, net: Net, line: TriedExpert) -> TriedExpert:
        """Compare an expert with the level before it, on the validation rows of the group."""
        ladder = replace(self.ladder, rungs=self.ladder.rungs[: self.place + 1])
        rung = _behind(self.ladder, self.place, {group: net})
        before = _within(ladder, _hierarchy(ladder).members[group])
        after = _within(replace(ladder, rungs=(*ladder.rungs, rung)), _hierarchy(ladder).members[group])
        used = after.loss < before.loss and after.accuracy > before.accuracy
        return msgspec.structs.replace(
            line,
            used=used,
            why="pays" if used else "does not pay",
            accuracy_before=before.accuracy,
            accuracy=after.accuracy,
            loss_before=before.loss,
            loss=after.loss,
            before_weight=rung.before_weights[group],
        )


def _errors_inside(generalist: Net, members: tuple[int, ...]) -> float:
    said, right = generalist.logits.argmax(axis=1), generalist.lesson.validation.labels
    wrong = said != right
    inside = np.isin(said, members) & np.isin(right, members) & wrong
    return float(inside.sum() / max(1, wrong.sum()))


def _behind(ladder: Ladder, place: int, experts: dict[int, Net]) -> Rung:
    """Make the level of experts behind another, with weights learned on validation rows."""
    rung = Rung(EXPERTS, "experts", None, experts, fusion="refine")
    return weighed(replace(ladder, rungs=(*ladder.rungs[: place + 1], rung)), place + 1)


@dataclass(frozen=True)
class _Within:
    accuracy: float
    loss: float


def _within(ladder: Ladder, members: tuple[int, ...]) -> _Within:
    """Judge what a ladder says in the end of the labels of a group, given the group, on the group's validation rows."""
    rows = np.flatnonzero(np.isin(ladder.labels, members))
    right = np.searchsorted(members, ladder.labels[rows])
    said = conditional(ladder.recording.posteriors[-1][rows], members)
    return _Within(float((said.argmax(axis=1) == right).mean()), float(losses(said, right).mean()))


def _told(line: TriedExpert) -> str:
    assert line.accuracy is not None, "an expert that was trained was measured"
    assert line.accuracy_before is not None, "beside the level before it"
    return (
        f"expert of {line.group}: {'used' if line.used else 'not used'}, it {line.why}; within the group "
        f"{100 * line.accuracy_before:.1f} -> {100 * line.accuracy:.1f} %, "
        f"{line.loss_before:.4f} -> {line.loss:.4f} nats, weight of the level before {line.before_weight}"
    )
