"""Certify on draws of rows: which threshold vector passes, and what it does to the whole population."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from training.certifying.binomial import max_losses
from training.certifying.label_promise import LabelTests, label_of
from training.replay.recording import LevelTimes, Recording
from training.replay.thresholds import lost, sequence
from weir.catalog.promises import Against

Flags = NDArray[np.bool_]
Numbers = NDArray[np.intp]
"""numbers of drawn rows; repeats are allowed"""


@dataclass(frozen=True)
class Order:
    """Threshold vectors in the order of their tests, always escalating first, and what they do to a population."""

    losses: Flags
    """which rows each vector loses, `(vectors, population)`"""
    time_ratios: NDArray[np.float64]
    """expected time per row of each vector over that of the last level alone, `(vectors,)`"""
    label_of: NDArray[np.intp] = field(default_factory=lambda: np.zeros(0, np.intp))
    """label that each row counts for in a promise for each label, `(population,)`"""

    @classmethod
    def fixed_on(cls, population: Recording, times: LevelTimes, validation: Numbers, against: Against) -> "Order":
        """Put threshold vectors in the order that `sequence` gives on drawn validation rows."""
        vectors = [one.values for one in sequence(population.rows(validation), times, against)]
        costs = population.costs_us(times)
        spent = [population.spent_us(costs, values, population.exits(values)) for values in vectors]
        losses = np.stack([lost(population, values, against) for values in vectors])
        return cls(losses, spent / costs[-1].mean(), label_of(population, against))

    def certified(self, drawn: Numbers, limit: float, delta: float, label_limit: float | None = None) -> "Result":
        """Test the vectors in turn on drawn certification rows, and keep the last that passes before one fails.

        With a limit for each label, those with rows enough are tested too.
        """
        counts = self.losses[:, drawn].sum(axis=1)
        if label_limit is None:
            return self._result(last_passed(counts, len(drawn), limit, delta), limit)
        names = [str(label) for label in range(self.label_of.max() + 1)]
        tests = LabelTests.of(self.label_of[drawn], names, label_limit, delta)
        fails = [bool(tests.failing(flags)) for flags in self.losses[:, drawn]]
        chosen = min(last_passed(counts, len(drawn), limit, delta), int(np.argmax([*fails, True])) - 1)
        return self._result(chosen, limit, label_limit, np.flatnonzero(tests.tested))

    def naive(self, drawn: Numbers, limit: float, label_limit: float | None = None) -> "Result":
        """Keep the last vector whose loss on the drawn rows, and on each label's, is within its limit; no test."""
        losses = self.losses[:, drawn]
        chosen = last_within(losses.sum(axis=1), len(drawn), limit)
        if label_limit is None:
            return self._result(chosen, limit)
        labels = np.unique(self.label_of[drawn])
        worst = np.max([losses[:, self.label_of[drawn] == label].mean(axis=1) for label in labels], axis=0)
        within = np.flatnonzero((worst <= label_limit) & (losses.mean(axis=1) <= limit))
        return self._result(int(within[-1]) if len(within) else -1, limit, label_limit, labels)

    def _result(
        self, chosen: int, limit: float, label_limit: float | None = None, labels: Sequence[int] | Numbers = ()
    ) -> "Result":
        if chosen < 0:
            return Result(certified=False, broken=False, time_ratio=1.0)
        flags = self.losses[chosen]
        broken = float(flags.mean()) > limit
        if label_limit is not None:
            broken |= any(float(flags[self.label_of == label].mean()) > label_limit for label in labels)
        return Result(certified=True, broken=broken, time_ratio=float(self.time_ratios[chosen]))


@dataclass(frozen=True)
class Result:
    """What one certification on drawn rows came to."""

    certified: bool
    """whether a vector passed; if none did, nothing is promised and the last level answers every row"""
    broken: bool
    """whether the chosen vector loses more of the whole population than was promised"""
    time_ratio: float
    """expected time per row of the population over that of the last level alone"""

    @property
    def saves(self) -> bool:
        """Whether any time is saved."""
        return self.time_ratio < 1


def last_passed(counts: NDArray[np.intp], rows: int, limit: float, delta: float) -> int:
    """Return the number of the last vector before the first that fails its test; -1 when the first fails.

    Args:
        counts: rows that each vector loses, in the order of the tests.
        rows: how many rows were drawn.
        limit: of the share of lost rows.
        delta: chance that the promise does not hold.
    """
    return int(np.argmax([*(counts > max_losses(rows, limit, delta)), True])) - 1


def last_within(counts: NDArray[np.intp], rows: int, limit: float) -> int:
    """Return the number of the last vector that loses at most a share `limit` of the drawn rows; -1 for none."""
    within = np.flatnonzero(counts <= limit * rows)
    return int(within[-1]) if len(within) else -1


def allowed(delta: float, draws: int) -> float:
    """Return the share of draws in which a promise may break: delta, and three standard errors."""
    return delta + 3 * math.sqrt(delta * (1 - delta) / draws)


def share(flags: Sequence[bool]) -> float:
    """Return the share of flags that are true."""
    return sum(flags) / len(flags)
