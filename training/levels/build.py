"""Build the levels of a task: train every network, make the levels better, decompose, fuse, and quantize."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from training.data.preparation import PreparedData
from training.export.quantized import Quantized
from training.learning.networks import TrainingTarget
from training.levels import grouping
from training.levels.experts import Decomposed, TriedExpert, decompose
from training.levels.improve import LevelSearch, Tried, choose_fusion, optimise_levels
from training.levels.joint_search import optimise_jointly
from training.levels.ladder import Ladder, Net, Rung
from training.levels.training_run import TrainingRun
from training.modalities.picture import architectures
from training.replay.timing import side_by_side
from training.task import Task
from weir.runtime.interpreter import RUNTIMES, Network


@dataclass(frozen=True)
class Built:
    """A ladder whose networks are in the form that will serve, and the tables of what was tried on the way."""

    ladder: Ladder
    groups: Mapping[str, tuple[str, ...]]
    """group -> its labels; empty without a hierarchy"""
    experts: Sequence[TriedExpert]
    tried: Sequence[Tried]

    @property
    def networks(self) -> list[Quantized]:
        """Every network once."""
        found = {id(net): net.quantized for net in self.ladder.nets if net.quantized is not None}
        return list(found.values())


def build(shop: TrainingRun) -> Built:
    """Build what the workshop's task describes.

    Raises:
        BadInput: an architecture or a group that can't be.
        ModelUnavailable: a network broke in conversion, or no interpreter runs it.
        Diverged: a training ran off to infinity.
    """
    lesson = TrainingTarget.whole(shop.data)
    networks = _timed([shop.plain(spec, lesson) for spec in shop.task.networks], shop.data)
    ordered = [*sorted(networks[:-1], key=lambda net: net.time_us), networks[-1]]
    bench = optimise_levels(
        LevelSearch(shop, Ladder(tuple(Rung(net.spec.name, "cascade", net) for net in ordered), networks[-1]))
    )
    found = Decomposed(bench.ladder, {}, ())
    if shop.task.hierarchy is not None:
        found = decompose(bench.ladder, shop.task.hierarchy, shop)
        bench = with_experts(bench, found)
    bench = optimise_jointly(choose_fusion(bench))
    return Built(_finished(bench.ladder, shop), found.groups, found.experts, bench.tried)


def check(task: Task, data: PreparedData) -> None:
    """Refuse what can't be built before anything is trained.

    Raises:
        BadInput: an unknown architecture, groups that do not partition the labels, or that can't be so many.
    """
    router = task.hierarchy.router if task.hierarchy else None
    for spec in (*task.networks, *([router] if router else [])):
        architectures.known(spec.architecture)
    if task.hierarchy and task.hierarchy.named:
        grouping.given(task.hierarchy.named, data.label_names)
    elif task.hierarchy:
        grouping.countable(len(data.label_names), task.hierarchy.count)


def _timed(networks: Sequence[Net], data: PreparedData) -> list[Net]:
    """Time artifacts beside each other: those of a training that took hours were made under different loads."""
    loaded = {
        number: Network(net.quantized.content, RUNTIMES[0]).logits
        for number, net in enumerate(networks)
        if net.quantized is not None
    }
    taken = side_by_side(loaded, data.validation.inputs)
    return [replace(net, time_us=taken[number]) for number, net in enumerate(networks)]


def with_experts(bench: LevelSearch, found: Decomposed) -> LevelSearch:
    """Take experts, and their router if there is one, where the ladder is better for them; groups stay either way."""
    without = replace(bench, ladder=replace(bench.ladder, hierarchy=found.ladder.hierarchy))
    if len(found.ladder.rungs) == len(bench.ladder.rungs):
        return without
    names = {rung.name for rung in found.ladder.rungs} - {rung.name for rung in bench.ladder.rungs}
    what, level = "a level of", " and ".join(sorted(names))
    if found.ladder.rungs[-1].experts:  # whatever leaves before them still can: they are there for the last word
        return without.compared(what, level, found.ladder, better=lambda after, before: after.loss < before.loss)
    return without.compared(what, level, found.ladder)


def _finished(ladder: Ladder, shop: TrainingRun) -> Ladder:
    """Quantize what is not yet quantized, and learn the weights of the fusion on what artifacts say."""
    return ladder.with_nets({id(net): shop.finished(net) for net in ladder.nets}).refitted()
