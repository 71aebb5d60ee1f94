"""CPU time per row of each network of a model, alone and on one thread; it decides the order of threshold vectors.

CPU time of the calling thread, because wall time depends on what else the machine does. Networks are called in turn,
round by round, and compared by the ratios within a round, until their order is settled or they tie.
"""

import itertools
import statistics
import time
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

import numpy as np
from scipy.stats import binom

from training.replay.recording import LevelTimes
from weir.catalog.levels import Experts
from weir.catalog.manifest import Artifact
from weir.engine.arrays import Floats
from weir.runtime.model import Model

Name = TypeVar("Name", bound=Hashable)

ROUNDS = 5
"""calls that a median is taken over, at least"""
EQUAL = 1.05
"""times up to this ratio count as equal"""
MAX_ROUNDS = 25
_ROWS = 500
_CONFIDENCE = 0.95

clock_s = time.thread_time
"""CPU time of the calling thread"""


@dataclass(frozen=True)
class Times(Generic[Name]):
    """CPU times of networks in the same rounds, and which of them are distinguishable."""

    rounds: Mapping[Name, Sequence[float]]
    """µs per row of each network in each round"""
    equal: float = EQUAL
    """times up to this ratio count as equal"""

    def median_us(self, name: Name) -> float:
        """Return the median time per row."""
        return statistics.median(self.rounds[name])

    def slower(self, one: Name, other: Name) -> bool:
        """Tell whether one network takes longer than another by more than the ratio that counts as equal.

        It does when the 95 % confidence interval of the median ratio of their times in a round lies above it. Of 5
        rounds, the fewest, the widest interval that there is has 94 %; and whoever measures until it is settled looks
        at several intervals. Both are small beside the ratio that counts as equal.
        """
        return self._interval(one, other)[0] > self.equal

    def tied(self, one: Name, other: Name) -> bool:
        """Tell whether neither of two networks is the slower one."""
        return not (self.slower(one, other) or self.slower(other, one))

    def ordered(self, size: Callable[[Name], tuple[int, int]]) -> list[Name]:
        """Sort networks by time; those that tie with the fastest of those left by size, of which no two are equal."""
        left = sorted(self.rounds, key=self.median_us)
        order: list[Name] = []
        while left:
            fastest = left[0]
            group = [name for name in left if self.tied(name, fastest)]
            order += sorted(group, key=size)
            left = [name for name in left if name not in group]
        return order

    @property
    def ties(self) -> list[tuple[Name, Name]]:
        """The pairs of which neither is slower."""
        return [pair for pair in itertools.combinations(self.rounds, 2) if self.tied(*pair)]

    @property
    def settled(self) -> bool:
        """Whether more rounds would hardly change which networks are slower and which tie."""
        return all(self._settled(one, other) for one, other in itertools.combinations(self.rounds, 2))

    def _settled(self, one: Name, other: Name) -> bool:
        low, high = self._interval(one, other)
        edges = (1 / self.equal, self.equal)
        return not any(low <= edge <= high for edge in edges)

    def _interval(self, one: Name, other: Name) -> tuple[float, float]:
        """Return the distribution-free interval of the median ratio: order statistics, by the sign test."""
        ratios = np.sort(np.divide(self.rounds[one], self.rounds[other]))
        outside = max(0, int(binom.ppf((1 - _CONFIDENCE) / 2, len(ratios), 0.5)) - 1)
        return float(ratios[outside]), float(ratios[-1 - outside])


def times(model: Model, inputs: Floats) -> LevelTimes:
    """Measure every level of a model alone, in µs per row, as `side_by_side` does."""
    return times_of([model], inputs)[0]


def times_of(models: Sequence[Model], inputs: Floats) -> list[LevelTimes]:
    """Measure every level of several models in one run, so that their times can be compared."""
    cascades = [model.cascade.definition for model in models]
    networks = {
        (number, artifact.digest): model.network(artifact).logits
        for number, model in enumerate(models)
        for artifact in cascades[number].networks
    }
    measured = side_by_side(networks, inputs)

    def time_of(number: int, artifact: Artifact) -> float:
        return measured.median_us((number, artifact.digest))

    return [
        [
            {group: time_of(number, expert.network) for group, expert in level.experts.items()}
            if isinstance(level, Experts)
            else time_of(number, level.network)
            for level in cascade.levels
        ]
        for number, cascade in enumerate(cascades)
    ]


def side_by_side(
    networks: Mapping[Name, Callable[[Floats], object]],
    inputs: Floats,
    *,
    equal: float = EQUAL,
    max_rounds: int = MAX_ROUNDS,
) -> Times[Name]:
    """Call networks in turn on at most 500 of the rows, in 5 rounds and then until `Times.settled`."""
    inputs = inputs[:_ROWS]
    rounds: dict[Name, list[float]] = {name: [] for name in networks}
    for network in networks.values():  # loads the network, untimed
        network(inputs[:1])
    measured = Times(rounds, equal)
    for done in range(max_rounds):
        if done >= ROUNDS and measured.settled:
            break
        for name, network in networks.items():
            start = clock_s()
            network(inputs)
            rounds[name].append((clock_s() - start) * 1e6 / len(inputs))
    return measured
