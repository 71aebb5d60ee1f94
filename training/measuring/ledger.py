"""Attribute loss and accuracy to levels by Shapley values, and each remaining error to one level: the ledger."""

import math
import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from pathlib import Path

import msgspec
import numpy as np
from numpy.typing import NDArray

from training import folder
from training.data.splits.split import Split
from training.fitting.calibration import losses, nll
from training.measuring import reload
from training.replay.recording import RecordedNetwork, Recording, record
from training.replay.timing import ROUNDS, clock_s
from weir.catalog.levels import Experts
from weir.catalog.manifest import Manifest
from weir.engine.arrays import Floats, Labels
from weir.engine.cascade import Cascade
from weir.engine.predictions import Predictions
from weir.runtime.interpreter import DEPLOYED
from weir.runtime.model import Model, Predictor


class LevelEntry(msgspec.Struct, frozen=True, kw_only=True):
    """One level's contribution."""

    name: str
    loss_reduction: float
    """Shapley value: nats of negative log-likelihood that it removes, averaged over all orders of joining"""
    accuracy_gain: float
    """Shapley value of accuracy, 0 to 1"""
    remaining_loss: float
    """nats of the cascade's loss that lie in rows which this level answered"""
    errors: int
    """errors attributed to this level: wrong rows that it answered; a wrong group counts for the routing level"""
    share: float
    """share of rows that it answered"""
    time_us: float
    """microseconds per row of the whole batch"""


class GroupEntry(msgspec.Struct, frozen=True, kw_only=True):
    """One group's part of the loss, by the chain rule."""

    name: str
    expert: bool
    remaining_loss: float
    """nats of `-ln p(label | group)` in rows of this group, over all rows"""


class Ledger(msgspec.Struct, frozen=True, kw_only=True):
    """The contributions of all levels of a cascade on its test split; parts add up to their whole."""

    rows: int
    prior_loss: float
    """negative log-likelihood of the label prior alone, in nats"""
    loss: float
    """of the cascade"""
    prior_accuracy: float
    accuracy: float
    levels: tuple[LevelEntry, ...]
    routing_loss: float | None = None
    """nats of `-ln p(group)`; with the groups' losses it adds up to the loss; None without groups"""
    groups: tuple[GroupEntry, ...] = ()
    words: tuple[str, ...] = ()
    """the same in sentences"""


def shapley(value: Callable[[tuple[int, ...]], float], players: int) -> list[float]:
    """Divide `value` of all players among them, exactly (Shapley 1953).

    `phi_i` is the mean, over the sizes of the subsets without i and over those subsets, of what i adds. `value` takes
    ascending tuples of players, and is called once for each.
    """
    worth = {subset: value(subset) for subset in _subsets(players)}
    weight = [1 / (players * math.comb(players - 1, size)) for size in range(players)]
    return [
        sum(
            weight[len(subset)] * (worth[tuple(sorted((*subset, player)))] - without)
            for subset, without in worth.items()
            if player not in subset
        )
        for player in range(players)
    ]


def _subsets(players: int) -> list[tuple[int, ...]]:
    return [subset for size in range(players + 1) for subset in combinations(range(players), size)]


def of_folder(trained: Path) -> Ledger:
    """Draw up the ledger of a complete training.

    Raises:
        BadInput: the folder is not a complete training, or its data have changed.
        ModelUnavailable: a file of it is missing or damaged.
    """
    manifest = folder.manifest(trained)
    model = Model(manifest, lambda digest: folder.artifact(trained, digest), DEPLOYED)
    return draw_up(model, reload.load(manifest))


def draw_up(model: Model, test: Split) -> Ledger:
    """Run every network on every test row once, and every subset of levels on the recorded outputs.

    In a subset, thresholds stay and its last level always answers; the empty set answers with the label prior. Where
    the level before experts is missing the prior stands for it; where experts are missing, the posterior before them
    stays.
    """
    labels, manifest = test.labels, model.manifest
    recording = record(model, test)
    cascade = replace(recording.cascade, abstention=None)
    recording = replace(recording, cascade=cascade)
    worth = {subset: _worth(manifest, recording, subset) for subset in _subsets(len(cascade.levels))}
    prior = worth[()]
    loss_reductions = shapley(lambda subset: prior.loss - worth[subset].loss, len(cascade.levels))
    accuracy_gains = shapley(lambda subset: worth[subset].accuracy - prior.accuracy, len(cascade.levels))
    predictions = cascade.answer(recording.numbers)
    row_losses = losses(predictions.probabilities, labels)
    attributed = _attributed(predictions, labels, cascade)
    times = _times(model, test.inputs)
    levels = tuple(
        LevelEntry(
            name=level.name,
            loss_reduction=loss_reductions[number],
            accuracy_gain=accuracy_gains[number],
            remaining_loss=float(row_losses[predictions.exit_level == number].sum() / len(labels)),
            errors=int((attributed == number).sum()),
            share=predictions.share(number),
            time_us=times[number],
        )
        for number, level in enumerate(manifest.levels)
    )
    routing, groups = _chain(cascade, predictions, labels)
    ledger = Ledger(
        rows=len(labels),
        prior_loss=prior.loss,
        loss=float(row_losses.mean()),
        prior_accuracy=prior.accuracy,
        accuracy=float((predictions.label == labels).mean()),
        levels=levels,
        routing_loss=routing,
        groups=groups,
    )
    return msgspec.structs.replace(ledger, words=tuple(_sentences(ledger)))


@dataclass(frozen=True)
class _Worth:
    """Loss and accuracy of some levels without the others."""

    loss: float
    accuracy: float


def _worth(manifest: Manifest, recording: Recording, subset: Sequence[int]) -> _Worth:
    cascade, labels = recording.cascade, recording.labels
    if subset:
        part = cascade.with_levels([cascade.levels[number] for number in subset])
        predictions = part.answer(recording.numbers)
        probabilities, predicted = predictions.probabilities, predictions.label
    else:
        probabilities = np.tile(np.asarray(manifest.prior, np.float32), (len(labels), 1))
        predicted = probabilities.argmax(axis=1)
    return _Worth(nll(probabilities, labels), float((predicted == labels).mean()))


def _attributed(predictions: Predictions, labels: Labels, cascade: Cascade[RecordedNetwork]) -> NDArray[np.intp]:
    """Return the level that each wrong row is attributed to, -1 for correct rows, `(rows,)`."""
    attributed = np.where(predictions.label == labels, -1, predictions.exit_level).astype(np.intp)
    for number, level in enumerate(cascade.levels):
        if isinstance(level, Experts):
            group_of = cascade.hierarchy.group_of
            wrong_group = group_of[predictions.label] != group_of[labels]
            before = reversed(range(number))
            router = next((k for k in before if not isinstance(cascade.levels[k], Experts)), number)
            attributed[(attributed == number) & wrong_group] = router
    return attributed


def _chain(
    cascade: Cascade[RecordedNetwork], predictions: Predictions, labels: Labels
) -> tuple[float | None, tuple[GroupEntry, ...]]:
    """Split the loss by the chain rule: `-ln p(label) = -ln p(group) - ln p(label | group)`.

    A group's part is called its expert's where the level of experts answered most of the group's rows.
    """
    hierarchy, posterior = cascade.hierarchy, predictions.probabilities
    if not hierarchy.groups:
        return None, ()
    group = hierarchy.group_of[labels]
    routing = losses(hierarchy.mass(posterior), group)
    within = losses(posterior, labels) - routing
    levels_of_experts = [level for level in cascade.levels if isinstance(level, Experts)]
    by_experts = np.array([isinstance(level, Experts) for level in cascade.levels])[predictions.exit_level]
    experts = {name for level in levels_of_experts for name in level.experts}
    groups = tuple(
        GroupEntry(
            name=name,
            expert=name in experts and bool(2 * by_experts[group == number].sum() > (group == number).sum()),
            remaining_loss=float(within[group == number].sum() / len(labels)),
        )
        for number, name in enumerate(hierarchy.groups)
    )
    return float(routing.mean()), groups


def _times(model: Model, inputs: Floats) -> list[float]:
    cascade = Predictor(model.cascade.definition, model.network, clock_s)
    calls = [[use.time_us / len(inputs) for use in cascade.answer(inputs, full=False)[1]] for _ in range(ROUNDS)]
    return [statistics.median(level) for level in zip(*calls, strict=True)]


def _sentences(ledger: Ledger) -> list[str]:
    """Summarise the ledger in sentences."""
    reduction = ledger.prior_loss - ledger.loss
    sentences = [
        f"the levels take the loss from {ledger.prior_loss:.3f} nats (the label prior) to {ledger.loss:.3f}; "
        + ", ".join(f"{level.name} {_percent(level.loss_reduction, reduction)}" for level in ledger.levels)
        + " of that"
    ]
    parts = {f"rows that {level.name} answered": level.remaining_loss for level in ledger.levels}
    where, most = max(parts.items(), key=lambda part: part[1])
    sentences.append(f"{_percent(most, ledger.loss)} of the remaining loss is in {where}")
    if ledger.routing_loss is not None:
        inside = {
            f"the {group.name} expert" if group.expert else f"inside {group.name}": group.remaining_loss
            for group in ledger.groups
        }
        where, most = max({"the choice of the group": ledger.routing_loss, **inside}.items(), key=lambda part: part[1])
        sentences.append(f"{_percent(most, ledger.loss)} of the remaining loss is {where}")
    return sentences


def _percent(part: float, whole: float) -> str:
    return f"{100 * part / whole:.0f} %" if whole else "0 %"
