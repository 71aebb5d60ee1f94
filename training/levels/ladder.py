"""A ladder of levels while it is being made: networks, what they say of validation rows, how words are fused."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from training.export.quantized import Quantized
from training.fitting.calibration import nll
from training.fitting.fusing import pool_weights
from training.learning.networks import Trained, TrainingTarget
from training.replay.recording import LevelTimes, Recorded, Recording
from training.replay.thresholds import cheapest
from training.task import NetworkSpec, Promise
from weir.catalog.manifest import Fusion, Kind
from weir.engine.cascade import Step
from weir.engine.confidence import softmax
from weir.engine.fusion import Word
from weir.engine.hierarchy import Hierarchy

Floats = NDArray[np.float32]
Labels = NDArray[np.int64]


@dataclass(frozen=True)
class Net:
    """A trained network, and what it says of all validation rows."""

    spec: NetworkSpec
    trained: Trained
    lesson: TrainingTarget
    logits: Floats
    """of the Keras network, or of its artifact once it is quantized, `(rows, outputs)`"""
    temperature: float
    time_us: float
    """microseconds per row of its artifact, or of one that is built alike"""
    quantized: Quantized | None = None

    @property
    def word(self) -> Recorded:
        """Its calibrated probabilities of validation rows, `(rows, outputs)`."""
        return Recorded(softmax(self.logits, self.temperature))

    @property
    def accuracy(self) -> float:
        """Of a network that knows all labels, on validation rows."""
        return float((self.logits.argmax(axis=1) == self.lesson.validation.labels).mean())

    @property
    def loss(self) -> float:
        """Negative log-likelihood of validation rows, calibrated, in nats; of a network that knows all labels."""
        return nll(self.word.probabilities, self.lesson.validation.labels)


@dataclass(frozen=True)
class Rung:
    """One level."""

    name: str
    kind: Kind = "cascade"
    net: Net | None = None
    """the network; experts have one each instead"""
    experts: Mapping[int, Net] = field(default_factory=dict)
    """group number -> expert, which knows the group's labels"""
    before_weights: Mapping[int, float] = field(default_factory=dict)
    """group number -> weight of the level before's word beside the expert's"""
    fusion: Fusion = "replace"
    weights: tuple[float, float] = (1.0, 1.0)

    def step(self, hierarchy: Hierarchy | None) -> Step:
        """Make what the engine runs on validation rows."""
        word: Word | None = None if self.net is None else self.net.word
        if self.kind == "router":
            assert self.net is not None, "a router has a network"
            assert hierarchy is not None, "a ladder with a router has groups"
            word = Recorded(hierarchy.spread(self.net.word.probabilities))
        experts = {group: expert.word for group, expert in self.experts.items()}
        return Step(word, 0.0, self.fusion, self.weights, experts, self.before_weights)

    @property
    def time_us(self) -> float | Mapping[int, float]:
        """Microseconds per row of its network, or of each expert."""
        return self.net.time_us if self.net else {group: expert.time_us for group, expert in self.experts.items()}


@dataclass(frozen=True)
class Outlook:
    """What a ladder comes to on validation rows: no promise, but good enough to compare ladders by."""

    time_us: float
    """microseconds per row of the cheapest thresholds that keep the limit on these rows; infinite when none do"""
    loss: float
    """negative log-likelihood where every row goes to the end, in nats"""
    level_losses: tuple[float, ...]
    """negative log-likelihood of each level's posterior on all rows, in nats"""

    def better_than(self, other: "Outlook") -> bool:
        """Tell whether it is cheaper by over 1 %; or no dearer, and its last word or else its levels of less loss."""
        if self.time_us < _CHEAPER * other.time_us:
            return True
        if self.time_us > other.time_us:
            return False
        if self.loss != other.loss:
            return self.loss < other.loss
        alike = len(self.level_losses) == len(other.level_losses)
        return alike and sum(self.level_losses) < sum(other.level_losses)


_CHEAPER = 0.99


@dataclass(frozen=True)
class Ladder:
    """Levels in turn, and the groups of the labels."""

    rungs: tuple[Rung, ...]
    end_to_end: Net
    hierarchy: Hierarchy | None = None

    @property
    def labels(self) -> Labels:
        """The right labels of the validation rows."""
        return self.end_to_end.lesson.validation.labels

    @property
    def times(self) -> LevelTimes:
        """Time per row of each level."""
        return [rung.time_us for rung in self.rungs]

    @property
    def nets(self) -> list[Net]:
        """Every network, level by level."""
        return [net for rung in self.rungs for net in (*([rung.net] if rung.net else []), *rung.experts.values())]

    @cached_property
    def recording(self) -> Recording:
        """What every level says of the validation rows."""
        steps = tuple(rung.step(self.hierarchy) for rung in self.rungs)
        return Recording(steps, self.end_to_end.word.probabilities, self.labels, self.hierarchy)

    def outlook(self, promise: Promise) -> Outlook:
        """Tell what it comes to under a limit."""
        rows = self.recording
        found = cheapest(rows, self.times, promise.max_loss, promise.against)
        level_losses = tuple(nll(posterior, rows.labels) for posterior in rows.posteriors)
        return Outlook(
            time_us=found.time_us if found else float("inf"),
            loss=level_losses[-1],
            level_losses=level_losses,
        )

    def with_rung(self, number: int, rung: Rung) -> "Ladder":
        """Put another level in the place of one."""
        return replace(self, rungs=(*self.rungs[:number], rung, *self.rungs[number + 1 :]))

    def with_nets(self, changed: Mapping[int, Net]) -> "Ladder":
        """Put changed networks in the place of those they came from; `changed` is by the identity of these."""
        rungs = tuple(
            replace(
                rung,
                net=changed[id(rung.net)] if rung.net else None,
                experts={group: changed[id(expert)] for group, expert in rung.experts.items()},
            )
            for rung in self.rungs
        )
        return replace(self, rungs=rungs, end_to_end=changed[id(self.end_to_end)])

    def refitted(self) -> "Ladder":
        """Learn the weights of pools and of experts anew, for what the networks say now."""
        found = self
        for number, rung in enumerate(self.rungs):
            if rung.fusion == "pool":
                found = found.with_rung(number, pooled(found, number))
            elif rung.fusion == "refine":
                found = found.with_rung(number, weighed(found, number))
        return found


def pooled(ladder: Ladder, number: int) -> Rung:
    """Let a level pool with those before it, with weights learned on validation rows."""
    rung = ladder.rungs[number]
    word = rung.step(ladder.hierarchy).word
    assert isinstance(word, Recorded), "a level that pools has a word of its own"
    before = ladder.recording.posteriors[number - 1]
    return replace(rung, fusion="pool", weights=pool_weights(before, word.probabilities, ladder.labels).pair)


def weighed(ladder: Ladder, number: int) -> Rung:
    """Learn each expert's temperature, and the weight of the level before's word, on its group's validation rows."""
    rung, hierarchy = ladder.rungs[number], ladder.hierarchy
    assert hierarchy is not None, "a ladder with experts has groups"
    before = _before(ladder, number)
    experts, weights = dict(rung.experts), dict(rung.before_weights)
    for group, expert in rung.experts.items():
        experts[group], weights[group] = _weighed(expert, before, ladder.labels, hierarchy.members[group])
    return replace(rung, experts=experts, before_weights=weights)


def _before(ladder: Ladder, number: int) -> Floats:
    """Take the posterior that a level builds on; before the first it is the prior."""
    if number:
        found: Floats = ladder.recording.posteriors[number - 1]
        return found
    assert ladder.hierarchy is not None, "only experts build on the prior"
    return np.tile(np.asarray(ladder.hierarchy.prior, np.float32), (len(ladder.labels), 1))


def conditional(posterior: Floats, members: Sequence[int]) -> Floats:
    """Take `p(label | group)` of a group's labels out of a posterior `(rows, labels)`, giving `(rows, members)`."""
    joint = posterior[:, list(members)] + np.float32(1e-30)
    found: Floats = joint / joint.sum(axis=1, keepdims=True)
    return found


def _weighed(expert: Net, before: Floats, labels: Labels, members: Sequence[int]) -> tuple[Net, float]:
    rows = np.flatnonzero(np.isin(labels, members))
    right = np.searchsorted(members, labels[rows])
    found = pool_weights(conditional(before[rows], members), softmax(expert.logits[rows]), right)
    return replace(expert, temperature=round(1 / found.word, 4)), found.before
