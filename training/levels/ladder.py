"""The levels of a model while they are being made, with the predictions of their networks on the validation rows."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import assert_never

import msgspec
import numpy as np

from training.fitting.calibration import nll
from training.fitting.fusing import pool_weights
from training.levels.network import TrainableNetwork
from training.replay.recording import LevelTimes, RecordedNetwork, Recording
from training.replay.thresholds import cheapest
from training.replay.timing import EQUAL
from training.task import SettledPromise
from weir.catalog.levels import Classifier, Expert, Experts, Level, Router
from weir.engine.arrays import LEAST_PROBABILITY, Floats, Labels
from weir.engine.cascade import Cascade
from weir.engine.confidence import softmax
from weir.engine.hierarchy import Hierarchy

TrainableLevel = Level[TrainableNetwork]

_MAX_TIME_SHARE = 0.99
"""of the other ladder's time, for a ladder to count as faster"""
_LOSS_TIE = 1e-4
"""nats up to which losses tie, so that rounded weights and temperatures do not decide"""


@dataclass(frozen=True)
class ExpectedPerformance:
    """Time and loss of a ladder on validation rows. They promise nothing for other rows; they compare ladders."""

    time_us: float
    """microseconds per row under the cheapest thresholds that keep the limit on these rows; infinite when none do"""
    loss: float
    """negative log-likelihood where every row reaches the last level, in nats"""
    level_losses: tuple[float, ...]
    """negative log-likelihood of each level's posterior on all rows, in nats"""

    def better_than(self, other: "ExpectedPerformance") -> bool:
        """Tell whether it cuts the time by over 1 %; or does not raise it by as much and lowers the final loss.

        Times within 1 % tie, so that noise in the times of the levels does not decide. On a tie in the final loss the
        summed loss of the levels decides.
        """
        if self.time_us < _MAX_TIME_SHARE * other.time_us:
            return True
        if _MAX_TIME_SHARE * self.time_us > other.time_us:
            return False
        if abs(self.loss - other.loss) > _LOSS_TIE:
            return self.loss < other.loss
        comparable = len(self.level_losses) == len(other.level_losses)
        return comparable and sum(self.level_losses) < sum(other.level_losses) - _LOSS_TIE

    def faster_than(self, other: "ExpectedPerformance") -> bool:
        """Tell whether it cuts the time by more than what counts as equal between networks that were timed apart."""
        return self.time_us * EQUAL < other.time_us


@dataclass(frozen=True)
class Ladder:
    """A cascade of trainable networks, and the end-to-end model it is measured against."""

    cascade: Cascade[TrainableNetwork]
    end_to_end: TrainableNetwork

    @property
    def levels(self) -> tuple[TrainableLevel, ...]:
        """The levels, cheapest first."""
        return self.cascade.levels

    @property
    def hierarchy(self) -> Hierarchy:
        """The groups of the labels, if there are any."""
        return self.cascade.hierarchy

    @property
    def labels(self) -> Labels:
        """The correct labels of the validation rows."""
        return self.end_to_end.target.validation.labels

    @property
    def times(self) -> LevelTimes:
        """Time per row of each level."""
        return [_time_us(level) for level in self.levels]

    @cached_property
    def recording(self) -> Recording:
        """The outputs of every level on the validation rows."""
        cascade = self.cascade.map(lambda network: RecordedNetwork(network.predictions.logits))
        return Recording(cascade, self.end_to_end.predictions.probabilities, self.labels)

    def expected(self, promise: SettledPromise) -> ExpectedPerformance:
        """Compute time and loss on the validation rows, under the limit of a promise; once for each promise."""
        if promise not in self._expected:
            self._expected[promise] = self._evaluated(promise)
        return self._expected[promise]

    @cached_property
    def _expected(self) -> dict[SettledPromise, ExpectedPerformance]:
        return {}

    def _evaluated(self, promise: SettledPromise) -> ExpectedPerformance:
        recording = self.recording
        thresholds = cheapest(recording, self.times, promise.max_loss, promise.against)
        level_losses = tuple(nll(posterior, recording.labels) for posterior in recording.posteriors)
        return ExpectedPerformance(
            time_us=thresholds.time_us if thresholds else float("inf"),
            loss=level_losses[-1],
            level_losses=level_losses,
        )

    def with_levels(self, levels: Sequence[TrainableLevel]) -> "Ladder":
        """Put other levels in the place of these."""
        return replace(self, cascade=self.cascade.with_levels(levels))

    def with_level(self, number: int, level: TrainableLevel) -> "Ladder":
        """Put another level in the place of one."""
        return self.with_levels([*self.levels[:number], level, *self.levels[number + 1 :]])

    def with_hierarchy(self, hierarchy: Hierarchy) -> "Ladder":
        """Group the labels."""
        return replace(self, cascade=replace(self.cascade, hierarchy=hierarchy))

    def with_networks(self, changed: Mapping[int, TrainableNetwork]) -> "Ladder":
        """Put changed networks in the place of those they came from; `changed` is by the identity of these.

        Temperatures of experts belong to the level and stay; `refitted` learns them anew.
        """
        levels = [_calibrated(level.map(lambda network: changed[id(network)])) for level in self.levels]
        return replace(self.with_levels(levels), end_to_end=changed[id(self.end_to_end)])

    def refitted(self) -> "Ladder":
        """Learn the weights of pools and of experts anew, for the predictions that the networks make now."""
        ladder = self
        for number, level in enumerate(self.levels):
            if isinstance(level, Experts):
                ladder = ladder.with_level(number, with_expert_weights(ladder, number, level))
            elif level.fusion == "pool":
                ladder = ladder.with_level(number, with_pool_weights(ladder, number, level))
        return ladder


def with_pool_weights(
    ladder: Ladder, number: int, level: Classifier[TrainableNetwork] | Router[TrainableNetwork]
) -> TrainableLevel:
    """Pool a level with the levels before its place, with weights learned on validation rows."""
    probabilities = level.network.predictions.probabilities
    if isinstance(level, Router):
        probabilities = ladder.hierarchy.spread(probabilities)
    before = ladder.recording.posteriors[number - 1]
    weights = pool_weights(before, probabilities, ladder.labels).pair
    return msgspec.structs.replace(level, fusion="pool", weights=weights)


def with_expert_weights(ladder: Ladder, number: int, level: Experts[TrainableNetwork]) -> Experts[TrainableNetwork]:
    """Learn each expert's temperature, and the weight of the level before it, on its group's validation rows.

    Args:
        ladder: whose levels before `number` the experts build on.
        number: the place of the level of experts.
        level: the experts.
    """
    hierarchy = ladder.hierarchy
    before = ladder.recording.posteriors[number - 1] if number else hierarchy.prior_rows(len(ladder.labels))
    experts = {
        group: _with_fitted_weights(expert, before, ladder.labels, hierarchy.members_of(group))
        for group, expert in level.experts.items()
    }
    return msgspec.structs.replace(level, experts=experts)


def conditional(posterior: Floats, members: Sequence[int]) -> Floats:
    """Return `p(label | group)` of a group's labels, `(rows, members)`, given a posterior `(rows, labels)`."""
    joint = posterior[:, list(members)] + np.float32(LEAST_PROBABILITY)
    shares: Floats = joint / joint.sum(axis=1, keepdims=True)
    return shares


def _with_fitted_weights(
    expert: Expert[TrainableNetwork], before: Floats, labels: Labels, members: Sequence[int]
) -> Expert[TrainableNetwork]:
    rows = np.flatnonzero(np.isin(labels, members))
    targets = np.searchsorted(members, labels[rows])
    own = softmax(expert.network.predictions.logits[rows])
    weights = pool_weights(conditional(before[rows], members), own, targets)
    return msgspec.structs.replace(expert, temperature=round(1 / weights.own, 4), before_weight=weights.before)


def _calibrated(level: TrainableLevel) -> TrainableLevel:
    """Give a level the temperature of its network; experts keep theirs."""
    match level:
        case Classifier() | Router():
            return msgspec.structs.replace(level, temperature=level.network.predictions.temperature)
        case Experts():
            return level
        case _:
            assert_never(level)


def _time_us(level: TrainableLevel) -> float | Mapping[str, float]:
    match level:
        case Classifier() | Router():
            return level.network.predictions.time_us
        case Experts():
            return {group: expert.network.predictions.time_us for group, expert in level.experts.items()}
        case _:
            assert_never(level)
