"""Build the levels of a task: train every network, improve the levels, decompose, fuse, and quantize."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from training.data.preparation import PreparedData
from training.export.quantized import Quantized
from training.learning.networks import TrainingTarget
from training.levels import grouping
from training.levels.experts import Decomposition, TriedExpert, decompose
from training.levels.improve import LevelSearch, Trial, choose_fusion, improve_levels
from training.levels.joint_search import tune_jointly
from training.levels.ladder import Ladder
from training.levels.network import TrainableNetwork, classifier
from training.levels.training_run import TrainingRun
from training.modalities.picture import architectures
from training.replay.timing import side_by_side
from training.task import Task
from weir.catalog.levels import Experts
from weir.engine.cascade import Cascade
from weir.runtime.interpreter import DEPLOYED, Network


@dataclass(frozen=True)
class BuiltLevels:
    """A ladder whose networks are in the form that will serve, and the tables of what was tried on the way."""

    ladder: Ladder
    groups: Mapping[str, tuple[str, ...]]
    """group -> its labels; empty without a hierarchy"""
    experts: Sequence[TriedExpert]
    trials: Sequence[Trial]

    @property
    def networks(self) -> list[Quantized]:
        """Every network once."""
        networks = {id(network): network.quantized for network in self.ladder.cascade.networks}
        return [quantized for quantized in networks.values() if quantized is not None]


def build(run: TrainingRun) -> BuiltLevels:
    """Build the levels that a task describes.

    Raises:
        BadInput: an impossible architecture or group.
        ModelUnavailable: a network broke in conversion, or no interpreter runs it.
        Diverged: a training ran off to infinity.
    """
    target = TrainingTarget.whole(run.data)
    networks = _timed([run.plain(spec, target) for spec in run.task.networks], run.data)
    ordered = [*sorted(networks[:-1], key=lambda network: network.predictions.time_us), networks[-1]]
    ladder = Ladder(Cascade(tuple(classifier(network) for network in ordered)), networks[-1])
    search = improve_levels(LevelSearch(run, ladder))
    decomposition = Decomposition(search.ladder, {}, ())
    if run.task.hierarchy is not None:
        decomposition = decompose(search.ladder, run.task.hierarchy, run)
        search = with_experts(search, decomposition)
    search = tune_jointly(choose_fusion(search))
    ladder = _finished(search.ladder, run)
    return BuiltLevels(ladder, decomposition.groups, decomposition.experts, search.trials)


def check(task: Task, data: PreparedData) -> None:
    """Refuse what cannot be built before anything is trained.

    Raises:
        BadInput: an unknown architecture, groups that do not partition the labels, or an impossible number of groups.
    """
    router = task.hierarchy.router if task.hierarchy else None
    for spec in (*task.networks, *([router] if router else [])):
        architectures.known(spec.architecture)
    if task.hierarchy and task.hierarchy.named:
        grouping.given(task.hierarchy.named, data.label_names)
    elif task.hierarchy:
        grouping.countable(len(data.label_names), task.hierarchy.count)


def _timed(networks: Sequence[TrainableNetwork], data: PreparedData) -> list[TrainableNetwork]:
    """Time artifacts side by side: a training may take hours, under changing load."""
    loaded = {
        number: Network(network.quantized.content, DEPLOYED).logits
        for number, network in enumerate(networks)
        if network.quantized is not None
    }
    times = side_by_side(loaded, data.validation.inputs)
    return [network.timed(times[number]) for number, network in enumerate(networks)]


def with_experts(search: LevelSearch, decomposition: Decomposition) -> LevelSearch:
    """Take experts, and their router if there is one, where the ladder is better for them; groups stay either way."""
    ladder = decomposition.ladder
    without = replace(search, ladder=search.ladder.with_hierarchy(ladder.hierarchy))
    if len(ladder.levels) == len(search.ladder.levels):
        return without
    names = {level.name for level in ladder.levels} - {level.name for level in search.ladder.levels}
    what, level = "a level of", " and ".join(sorted(names))
    if isinstance(ladder.levels[-1], Experts):  # rows that exit before them still can: they improve the final answer
        return without.compared(what, level, ladder, better=lambda after, before: after.loss < before.loss)
    return without.compared(what, level, ladder)


def _finished(ladder: Ladder, run: TrainingRun) -> Ladder:
    """Quantize what is not yet quantized, and learn the weights of the fusion on predictions of the artifacts."""
    return ladder.with_networks({id(network): run.finished(network) for network in ladder.cascade.networks}).refitted()
