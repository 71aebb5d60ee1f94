"""Time of each network of a model, alone and on one thread: what the order of thresholds is by."""

import statistics
import time
from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from training.replay.recording import LevelTimes
from weir.engine.fusion import Word
from weir.runtime.model import Model

Floats = NDArray[np.float32]
Name = TypeVar("Name", bound=Hashable)

ROUNDS = 5
"""calls that a median is taken over"""
_ROWS = 500


def times(model: Model, images: Floats) -> LevelTimes:
    """Measure every level of a model alone, in µs a row, as `side_by_side` does."""
    return times_of([model], images)[0]


def times_of(models: Sequence[Model], images: Floats) -> list[LevelTimes]:
    """Measure every level of several models in one run, so that their times can be compared."""
    steps = [model.steps(cascade=True) for model in models]
    words: dict[tuple[int, int, int], Word] = {}
    for which, levels in enumerate(steps):
        for number, step in enumerate(levels):
            if step.word is not None:
                words[which, number, -1] = step.word
            words |= {(which, number, group): expert for group, expert in step.experts.items()}
    taken = side_by_side(words, images)

    def of(which: int, number: int) -> float | Mapping[int, float]:
        experts = steps[which][number].experts
        return {group: taken[which, number, group] for group in experts} if experts else taken[which, number, -1]

    return [[of(which, number) for number in range(len(levels))] for which, levels in enumerate(steps)]


def side_by_side(words: Mapping[Name, Callable[[Floats], object]], images: Floats) -> dict[Name, float]:
    """Measure calls that alternate, on at most 500 of the rows: the median time per row of 5 calls each, in µs."""
    images = images[:_ROWS]
    found: dict[Name, list[float]] = {name: [] for name in words}
    for word in words.values():  # loads the network, untimed
        word(images[:1])
    for _ in range(ROUNDS):
        for name, word in words.items():
            start = time.perf_counter()
            word(images)
            found[name].append((time.perf_counter() - start) * 1e6 / len(images))
    return {name: statistics.median(taken) for name, taken in found.items()}
