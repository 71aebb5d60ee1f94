"""Time per row of each network of a model, alone and on one thread; it decides the order of threshold vectors."""

import statistics
import time
from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import TypeVar

from training.replay.recording import LevelTimes
from weir.catalog.levels import Experts
from weir.catalog.manifest import Artifact
from weir.engine.arrays import Floats
from weir.runtime.model import Model

Name = TypeVar("Name", bound=Hashable)

ROUNDS = 5
"""calls that a median is taken over"""
_ROWS = 500


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
        return measured[number, artifact.digest]

    return [
        [
            {group: time_of(number, expert.network) for group, expert in level.experts.items()}
            if isinstance(level, Experts)
            else time_of(number, level.network)
            for level in cascade.levels
        ]
        for number, cascade in enumerate(cascades)
    ]


def side_by_side(networks: Mapping[Name, Callable[[Floats], object]], inputs: Floats) -> dict[Name, float]:
    """Measure calls that alternate, on at most 500 of the rows: the median time per row of 5 calls each, in µs."""
    inputs = inputs[:_ROWS]
    measured: dict[Name, list[float]] = {name: [] for name in networks}
    for network in networks.values():  # loads the network, untimed
        network(inputs[:1])
    for _ in range(ROUNDS):
        for name, network in networks.items():
            start = time.perf_counter()
            network(inputs)
            measured[name].append((time.perf_counter() - start) * 1e6 / len(inputs))
    return {name: statistics.median(times) for name, times in measured.items()}
