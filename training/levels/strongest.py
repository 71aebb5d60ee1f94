"""Make the strongest network on validation rows the end-to-end model."""

from collections.abc import Sequence
from dataclasses import dataclass

import msgspec

from training.levels.comparison import Comparison, comparison
from training.levels.ladder import Ladder, TrainableLevel
from training.levels.network import TrainableNetwork, classifier
from training.replay.paired import Paired, compare
from weir.catalog.levels import Classifier
from weir.catalog.promises import Against
from weir.engine.cascade import Cascade


@dataclass(frozen=True)
class Selection:
    """A ladder whose end-to-end model is the strongest network, and how that was chosen."""

    ladder: Ladder
    comparisons: tuple[Comparison, ...] = ()
    left_out: tuple[TrainableNetwork, ...] = ()
    """networks that are in no level"""


def after_training(networks: Sequence[TrainableNetwork], by_time: Sequence[str]) -> Selection:
    """Make a ladder of the strongest network and those that take less time, in the order of time.

    The strongest is correct on most validation rows, of those that are correct on more than the task's own end-to-end
    network by more than chance explains. If there are none, its own counts as the strongest, and the line says so. Of
    levels that tie, the one with the lower loss is stronger. Networks that take more time are left out: rows would
    escalate to an answer that costs more and is no better.

    Args:
        networks: the levels of the task, then its end-to-end network; each was trained on all labels.
        by_time: their names, in the order of time.
    """
    own = networks[-1]
    beyond = [network for network in networks if compare(network.correct, own.correct).beyond_chance]
    chosen = _strongest(beyond, own) if beyond else own
    ordered = sorted(networks, key=lambda network: by_time.index(network.spec.name))
    place = next(number for number, network in enumerate(ordered) if network is chosen)
    kept, left_out = ordered[: place + 1], ordered[place + 1 :]
    ladder = Ladder(Cascade(tuple(classifier(network) for network in kept)), chosen)
    others = [network for network in networks if network is not chosen]
    if not others:
        return Selection(ladder)
    name, own_name = chosen.spec.name, own.spec.name
    result = f"{name}, as the task says" if chosen is own else f"{name}, not {own_name} as the task says"
    other = _strongest(others, own) if chosen is own else own
    line = comparison("after training", result, chosen, other, [network.spec.name for network in left_out])
    return Selection(ladder, (line,), tuple(left_out))


def after_optimisation(ladder: Ladder, against: Against) -> Selection:
    """Choose again among the networks as they will serve, for levels may have become stronger than their teacher.

    A classifier that is correct on more validation rows than the end-to-end model, by more than chance explains, takes
    its place. If chance may explain the difference, the ladder stays, and a line says that the rows are too few.

    Args:
        ladder: the finished levels.
        against: what the promise is against. If it is the end-to-end model, that model ends the ladder.
    """
    ahead = [lead for lead in _leads(ladder) if lead.paired.correct > lead.paired.other_correct]
    beyond = [lead for lead in ahead if lead.paired.beyond_chance]
    if not beyond:
        result = f"{ladder.end_to_end.spec.name} stays after optimisation"
        lines = (comparison("after optimisation", result, ladder.end_to_end, lead.network) for lead in ahead)
        return Selection(ladder, tuple(lines))
    best = max(beyond, key=lambda lead: (lead.paired.correct, -lead.network.predictions.loss(ladder.labels)))
    changed = _ending_with(ladder, best.number, against)
    behind = ladder.levels[len(changed.levels) :]
    result = f"{best.network.spec.name} after optimisation, no longer {ladder.end_to_end.spec.name}"
    names = [level.name for level in behind]
    line = comparison("after optimisation", result, best.network, ladder.end_to_end, names)
    again = after_optimisation(changed, against)
    left_out = tuple(network for level in behind for network in level.networks)
    return Selection(again.ladder, (line, *again.comparisons), (*left_out, *again.left_out))


def _strongest(networks: Sequence[TrainableNetwork], own: TrainableNetwork) -> TrainableNetwork:
    labels = own.target.validation.labels

    def strength(network: TrainableNetwork) -> tuple[int, bool, float]:
        return int(network.correct.sum()), network is own, -network.predictions.loss(labels)

    return max(networks, key=strength)


@dataclass(frozen=True)
class _Lead:
    """A classifier beside the end-to-end model."""

    number: int
    """of its level"""
    network: TrainableNetwork
    paired: Paired


def _leads(ladder: Ladder) -> list[_Lead]:
    """Compare every classifier, other than the end-to-end model itself, with the end-to-end model."""
    correct = ladder.end_to_end.correct
    return [
        _Lead(number, level.network, compare(level.network.correct, correct))
        for number, level in enumerate(ladder.levels)
        if isinstance(level, Classifier) and level.network is not ladder.end_to_end
    ]


def _ending_with(ladder: Ladder, number: int, against: Against) -> Ladder:
    """Make the network of a level the end-to-end model; the levels behind it go.

    With a promise against labels they stay where the last of them is correct on more rows: experts, or a pool.
    """
    levels, (network,) = ladder.levels, ladder.levels[number].networks
    errors = ladder.recording.errors.sum(axis=1)
    if against == "end-to-end":
        levels = (*levels[:number], _alone(levels[number]))
    elif errors[number] <= errors[-1]:
        levels = levels[: number + 1]
    return Ladder(ladder.cascade.with_levels(levels), network)


def _alone(level: TrainableLevel) -> TrainableLevel:
    """Fuse a level with none before it, because the end-to-end model answers alone."""
    return msgspec.structs.replace(level, fusion="replace", weights=(1.0, 1.0))
