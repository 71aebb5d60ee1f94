"""What each level is worth: its contribution to the overall loss, and to the errors that remain."""

import math
import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

import msgspec
import numpy as np
from numpy.typing import NDArray

from training import folder
from training.data.split import Split
from training.fitting.calibration import losses, nll
from training.measuring import reload as testsplit
from training.replay.recording import numbered, recorded
from training.replay.timing import ROUNDS
from weir.engine.cascade import Predictions, Step, run, tempered
from weir.engine.hierarchy import Hierarchy
from weir.runtime.interpreter import RUNTIMES
from weir.runtime.model import Model

Floats = NDArray[np.float32]
Labels = NDArray[np.int64]


class LevelEntry(msgspec.Struct, frozen=True, kw_only=True):
    """One level's part."""

    name: str
    loss_reduction: float
    """Shapley value: nats of negative log-likelihood that it takes away, averaged over all orders of joining"""
    accuracy_gain: float
    """Shapley value of accuracy, 0 to 1"""
    remaining_loss: float
    """nats of the cascade's loss that lie in rows which this level answered"""
    errors: int
    """wrong rows that it is to blame for: those it answered; but a wrong group is the fault of the level that routed"""
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
    """Of a cascade on its test split; every part adds up to its whole."""

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


def shapley(value: Callable[[tuple[int, ...]], float], players: int) -> list[float]:
    """Divide `value` of all players among them, exactly (Shapley 1953).

    `phi_i` is the mean, over the sizes of the subsets without i and over those subsets, of what i adds. `value` takes
    ascending tuples of players, and is asked once for each.
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
    model = Model(manifest, lambda digest: folder.artifact(trained, digest), RUNTIMES[0])
    return draw_up(model, testsplit.load(manifest))


def draw_up(model: Model, test: Split) -> Ledger:
    """Run every level on every test row once, and every subset of levels on what they said.

    In a subset, thresholds stay and its last level always answers; the empty set answers with the label prior. Where
    the level before experts is missing the prior stands for it; where experts are missing, the word before them stays.
    """
    labels = test.labels
    steps = [recorded(step, test.inputs) for step in model.steps(cascade=True)]
    worth = {subset: _worth(model, steps, subset, labels) for subset in _subsets(len(steps))}
    prior = worth[()]
    losses_taken = shapley(lambda subset: prior.loss - worth[subset].loss, len(steps))
    accuracy_gained = shapley(lambda subset: worth[subset].accuracy - prior.accuracy, len(steps))
    answers = _answers(model, steps, len(labels))
    of_row = losses(answers.probabilities, labels)
    blamed = _blamed(answers, labels, steps, model.hierarchy)
    times = _times(model, test.inputs)
    levels = tuple(
        LevelEntry(
            name=level.name,
            loss_reduction=losses_taken[number],
            accuracy_gain=accuracy_gained[number],
            remaining_loss=float(of_row[answers.exit_level == number].sum() / len(labels)),
            errors=int((blamed == number).sum()),
            share=answers.share(number),
            time_us=times[number],
        )
        for number, level in enumerate(model.manifest.levels)
    )
    routing, groups = _chain(model, answers, labels)
    ledger = Ledger(
        rows=len(labels),
        prior_loss=prior.loss,
        loss=float(of_row.mean()),
        prior_accuracy=prior.accuracy,
        accuracy=float((answers.label == labels).mean()),
        levels=levels,
        routing_loss=routing,
        groups=groups,
    )
    return msgspec.structs.replace(ledger, words=tuple(_words(ledger)))


@dataclass(frozen=True)
class _Worth:
    """What some levels do without the others."""

    loss: float
    accuracy: float


def _worth(model: Model, steps: Sequence[Step], subset: Sequence[int], labels: Labels) -> _Worth:
    if not subset:
        prior = np.tile(np.asarray(model.manifest.prior, np.float32), (len(labels), 1))
        return _Worth(nll(prior, labels), float((prior.argmax(axis=1) == labels).mean()))
    answers = _answers(model, [steps[number] for number in subset], len(labels))
    return _Worth(nll(answers.probabilities, labels), float((answers.label == labels).mean()))


def _answers(model: Model, steps: Sequence[Step], rows: int) -> Predictions:
    """Run the engine on what some levels said of all rows, calibrated as in serving."""
    answers = run(numbered(rows), steps, model.hierarchy)
    return tempered(answers, model.manifest.fused_temperature, [step.fusion for step in steps])


def _blamed(
    answers: Predictions, labels: Labels, steps: Sequence[Step], hierarchy: Hierarchy | None
) -> NDArray[np.intp]:
    """Name the level to blame for each wrong row, -1 for right ones, `(rows,)`."""
    found = np.where(answers.label == labels, -1, answers.exit_level).astype(np.intp)
    for number, step in enumerate(steps):
        if step.fusion == "refine" and hierarchy is not None:
            strayed = hierarchy.group_of[answers.label] != hierarchy.group_of[labels]
            router = next((k for k in reversed(range(number)) if steps[k].fusion != "refine"), number)
            found[(found == number) & strayed] = router
    return found


def _chain(model: Model, answers: Predictions, labels: Labels) -> tuple[float | None, tuple[GroupEntry, ...]]:
    """Split the loss by the chain rule: `-ln p(label) = -ln p(group) - ln p(label | group)`.

    A group's part is called its expert's where the level of experts answered most of the group's rows.
    """
    posterior = answers.probabilities
    hierarchy = model.hierarchy
    if hierarchy is None:
        return None, ()
    group = hierarchy.group_of[labels]
    routing = losses(hierarchy.mass(posterior), group)
    within = losses(posterior, labels) - routing
    answered = np.asarray([level.kind == "experts" for level in model.manifest.levels])[answers.exit_level]
    experts = {name for level in model.manifest.levels for name in level.experts}
    groups = tuple(
        GroupEntry(
            name=name,
            expert=name in experts and bool(2 * answered[group == number].sum() > (group == number).sum()),
            remaining_loss=float(within[group == number].sum() / len(labels)),
        )
        for number, name in enumerate(hierarchy.groups)
    )
    return float(routing.mean()), groups


def _times(model: Model, images: Floats) -> list[float]:
    calls = [
        [use.time_us / len(images) for use in model.answer(images, cascade=True, whole=False)[1]] for _ in range(ROUNDS)
    ]
    return [statistics.median(level) for level in zip(*calls, strict=True)]


def _words(ledger: Ledger) -> list[str]:
    """Tell the ledger in sentences."""
    gained = ledger.prior_loss - ledger.loss
    told = [
        f"the levels take the loss from {ledger.prior_loss:.3f} nats (the label prior) to {ledger.loss:.3f}; "
        + ", ".join(f"{level.name} {_percent(level.loss_reduction, gained)}" for level in ledger.levels)
        + " of that"
    ]
    parts = {f"rows that {level.name} answered": level.remaining_loss for level in ledger.levels}
    where, most = max(parts.items(), key=lambda part: part[1])
    told.append(f"{_percent(most, ledger.loss)} of the remaining loss is in {where}")
    if ledger.routing_loss is not None:
        inside = {
            f"the {group.name} expert" if group.expert else f"inside {group.name}": group.remaining_loss
            for group in ledger.groups
        }
        where, most = max({"the choice of the group": ledger.routing_loss, **inside}.items(), key=lambda part: part[1])
        told.append(f"{_percent(most, ledger.loss)} of the remaining loss is {where}")
    return told


def _percent(part: float, whole: float) -> str:
    return f"{100 * part / whole:.0f} %" if whole else "0 %"
