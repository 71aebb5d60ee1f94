"""Certify on draws of rows: which threshold vector passes, and what it does to the whole population."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from training.certifying.binomial import max_losses
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

    @classmethod
    def fixed_on(cls, population: Recording, times: LevelTimes, validation: Numbers, against: Against) -> "Order":
        """Put threshold vectors in the order that `sequence` gives on drawn validation rows."""
        vectors = [one.values for one in sequence(population.rows(validation), times, against)]
        costs = population.costs_us(times)
        spent = [population.spent_us(costs, values, population.exits(values)) for values in vectors]
        return cls(np.stack([lost(population, values, against) for values in vectors]), spent / costs[-1].mean())

    def certified(self, drawn: Numbers, limit: float, delta: float) -> "Result":
        """Test the vectors in turn on drawn certification rows, and keep the last that passes before one fails."""
        return self._result(last_passed(self.losses[:, drawn].sum(axis=1), len(drawn), limit, delta), limit)

    def naive(self, drawn: Numbers, limit: float) -> "Result":
        """Keep the last vector whose loss on the drawn rows is within the limit, without a test."""
        return self._result(last_within(self.losses[:, drawn].sum(axis=1), len(drawn), limit), limit)

    def _result(self, chosen: int, limit: float) -> "Result":
        if chosen < 0:
            return Result(certified=False, broken=False, time_ratio=1.0)
        broken = float(self.losses[chosen].mean()) > limit
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
