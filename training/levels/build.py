"""Build the levels of a task: train every network, improve the levels, decompose, fuse, and quantize."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import msgspec

from training.data.preparation import PreparedData
from training.export.quantized import NetworkReport, Quantized
from training.learning.networks import TrainingTarget
from training.levels import grouping, strongest
from training.levels.comparison import Comparison
from training.levels.experts import Decomposition, TriedExpert, decompose
from training.levels.improve import LevelSearch, Trial, choose_fusion, improve_levels
from training.levels.joint_search import tune_jointly
from training.levels.ladder import ExpectedPerformance, Ladder
from training.levels.network import TrainableNetwork
from training.levels.other_model import learn_from_other_model
from training.levels.strongest import Selection
from training.levels.training_run import TrainingRun
from training.modalities import modality_of
from training.replay.timing import side_by_side
from training.task import Task
from weir.catalog.levels import Experts


class NetworkOrder(msgspec.Struct, frozen=True, kw_only=True):
    """The networks of a task, by the CPU time of their artifacts: the order of the levels that are made of them."""

    by_time: tuple[str, ...]
    """names, the fastest first; of networks that tie, the one with the smaller artifact"""
    ties: tuple[tuple[str, str], ...]
    """pairs of which neither was measured to be slower"""


@dataclass(frozen=True)
class BuiltLevels:
    """A ladder whose networks are in the form that will serve, and the tables of what was tried."""

    ladder: Ladder
    groups: Mapping[str, tuple[str, ...]]
    """group -> its labels; empty without a hierarchy"""
    experts: Sequence[TriedExpert]
    trials: Sequence[Trial]
    comparisons: Sequence[Comparison]
    """why the end-to-end model is the network that it is"""
    order: NetworkOrder
    left_out: Sequence[TrainableNetwork]
    """networks of the task that are in no level"""

    @property
    def networks(self) -> list[Quantized]:
        """The form of every network that will serve, each once."""
        networks = {id(network): network.quantized for network in self.ladder.cascade.networks}
        return [quantized for quantized in networks.values() if quantized is not None]

    @property
    def reports(self) -> list[NetworkReport]:
        """The curves and quantizations of the networks that will serve, and then of those that were left out."""
        left_out = [network.quantized for network in self.left_out if network.quantized is not None]
        return [quantized.report for quantized in (*self.networks, *left_out)]


def build(run: TrainingRun) -> BuiltLevels:
    """Build the levels that a task describes.

    Raises:
        BadInput: an impossible architecture or group.
        ModelUnavailable: a network broke in conversion, or no interpreter runs it.
        Diverged: a training ran off to infinity.
    """
    target = TrainingTarget.all_labels(run.data)
    networks, order = _timed([run.plain(spec, target) for spec in run.task.networks], run)
    chosen = _reported(strongest.after_training(networks, order.by_time), run)
    search = improve_levels(learn_from_other_model(LevelSearch(run, chosen.ladder)))
    decomposition = Decomposition(search.ladder, {}, ())
    if run.task.hierarchy is not None:
        decomposition = decompose(search.ladder, run.task.hierarchy, run)
        search = with_experts(search, decomposition)
    search = tune_jointly(choose_fusion(search))
    final = _reported(strongest.after_optimisation(_finished(search.ladder, run), run.task.promise.against), run)
    if len(final.ladder.levels) == 1:
        run.callbacks.say(f"one level: {final.ladder.levels[0].name} answers every row")
    return BuiltLevels(
        ladder=final.ladder,
        groups=decomposition.groups,
        experts=decomposition.experts,
        trials=search.trials,
        comparisons=(*chosen.comparisons, *final.comparisons),
        order=order,
        left_out=(*chosen.left_out, *final.left_out),
    )


def check(task: Task, data: PreparedData) -> None:
    """Check, before anything is trained, that a task can be built.

    Raises:
        BadInput: a network that can't be built for this input, groups that do not partition the labels, or an
            impossible number of groups.
    """
    router = task.hierarchy.router if task.hierarchy else None
    for spec in (*task.networks, *([router] if router else [])):
        modality_of(data.inputs).check(spec)
    if task.hierarchy and not grouping.stated(task.hierarchy, data.hierarchy, data.label_names)[0]:
        grouping.check_count(len(data.label_names), task.hierarchy.count)


def with_experts(search: LevelSearch, decomposition: Decomposition) -> LevelSearch:
    """Try a ladder with experts, and their router if there is one; the groups stay even if the ladder does not."""
    ladder = decomposition.ladder
    without = replace(search, ladder=search.ladder.with_hierarchy(ladder.hierarchy))
    if len(ladder.levels) == len(search.ladder.levels):
        return without
    names = {level.name for level in ladder.levels} - {level.name for level in search.ladder.levels}
    what, level = "a level of", " and ".join(sorted(names))
    if isinstance(ladder.levels[-1], Experts):  # rows that exit before them still can: they improve the final answer
        return without.try_ladder(what, level, ladder, better=lambda after, before: after.loss < before.loss)
    return without.try_ladder(what, level, ladder, better=ExpectedPerformance.faster_than)


def _timed(networks: Sequence[TrainableNetwork], run: TrainingRun) -> tuple[list[TrainableNetwork], NetworkOrder]:
    """Time all artifacts in one run, so that they can be compared, and put them in the order of their times."""
    artifacts = {number: one.quantized for number, one in enumerate(networks) if one.quantized is not None}
    loaded = {number: run.loaded(artifact).logits for number, artifact in artifacts.items()}
    times = side_by_side(loaded, run.data.validation.inputs)
    timed = [network.timed(times.median_us(number)) for number, network in enumerate(networks)]
    names = [network.spec.name for network in networks]
    order = NetworkOrder(
        by_time=tuple(names[number] for number in times.ordered(lambda one: (len(artifacts[one].content), one))),
        ties=tuple((names[one], names[other]) for one, other in times.ties),
    )
    for tied in order.ties:
        one, other = sorted(tied, key=order.by_time.index)
        run.callbacks.say(f"{one} and {other} tie in time; {one} comes first, as the smaller one")
    return timed, order


def _reported(selection: Selection, run: TrainingRun) -> Selection:
    """Say why the end-to-end model is the network that it is."""
    for line in selection.comparisons:
        run.callbacks.say(line.why)
    return selection


def _finished(ladder: Ladder, run: TrainingRun) -> Ladder:
    """Quantize every network that is not yet, and learn the weights of the fusion on the artifacts' predictions."""
    return ladder.with_networks({id(network): run.finished(network) for network in ladder.cascade.networks}).refitted()
