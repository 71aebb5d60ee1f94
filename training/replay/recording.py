"""Recorded outputs of levels: the engine runs on them, so thresholds are evaluated without running a network."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from training.data.splits.split import Split
from weir.catalog.levels import Experts, N
from weir.engine.arrays import Floats, Labels
from weir.engine.cascade import Cascade, Threshold, exit_levels, levels_run
from weir.engine.confidence import confidence, label
from weir.engine.predictions import Predictions
from weir.runtime.model import Model

LevelTimes = Sequence[float | Mapping[str, float]]
"""microseconds per row of each level; of a level of experts: group -> microseconds"""


@dataclass(frozen=True)
class RecordedNetwork:
    """A network's logits on all rows; the engine runs it on row numbers."""

    logits: Floats
    """of every row, `(rows, outputs)`"""

    def __call__(self, rows: NDArray[Any]) -> Floats:
        """Return the logits of the rows with these numbers."""
        return self.logits[rows.astype(np.intp)]

    def rows(self, numbers: NDArray[np.intp]) -> "RecordedNetwork":
        """Select rows by number; repeats are allowed."""
        return RecordedNetwork(self.logits[numbers])


@dataclass(frozen=True)
class Recording:
    """The outputs of every level on the same rows."""

    cascade: Cascade[RecordedNetwork]
    """its thresholds do not matter"""
    end_to_end: Floats
    """posterior of the end-to-end model, `(rows, labels)`"""
    labels: Labels
    """the correct label of each row, `(rows,)`"""

    @property
    def numbers(self) -> Floats:
        """The numbers of the rows, on which the engine runs recorded networks."""
        return _numbers(self.labels)

    def rows(self, numbers: NDArray[np.intp]) -> "Recording":
        """Select rows by number; repeats are allowed."""
        cascade = self.cascade.map(lambda network: network.rows(numbers))
        return Recording(cascade, self.end_to_end[numbers], self.labels[numbers])

    @cached_property
    def posteriors(self) -> Floats:
        """Posterior of every row at every level, `(levels, rows, labels)`.

        A level's posterior is the same whatever the thresholds, for a level on which others build is always run.
        """
        prefixes = range(1, len(self.cascade.levels) + 1)
        return np.stack([escalating(self.cascade, end).answer(self.numbers).probabilities for end in prefixes])

    @cached_property
    def confidences(self) -> Floats:
        """Confidence of every level on every row, `(levels, rows)`."""
        return confidence(self.posteriors)

    @cached_property
    def predicted(self) -> NDArray[np.intp]:
        """Label that every level gives every row, `(levels, rows)`."""
        return label(self.posteriors)

    @cached_property
    def errors(self) -> NDArray[np.bool_]:
        """Whether every level is wrong on every row, `(levels, rows)`."""
        errors: NDArray[np.bool_] = self.predicted != self.labels
        return errors

    @cached_property
    def end_to_end_correct(self) -> NDArray[np.bool_]:
        """Whether the end-to-end model is correct on each row, `(rows,)`."""
        correct: NDArray[np.bool_] = self.end_to_end.argmax(axis=1) == self.labels
        return correct

    def exits(self, thresholds: Sequence[Threshold]) -> NDArray[np.int32]:
        """Return the level at which each row exits under given thresholds, `(rows,)`."""
        return exit_levels(self.confidences, thresholds)

    def predictions(self, thresholds: Sequence[Threshold], fused_temperature: float = 1.0) -> Predictions:
        """Return what the engine answers under given thresholds; nothing abstains."""
        cascade = self.cascade.with_thresholds(thresholds)
        return replace(cascade, fused_temperature=fused_temperature, abstention=None).answer(self.numbers)

    def costs_us(self, times: LevelTimes) -> NDArray[np.float64]:
        """Return the microseconds that each level takes for each row that reaches it, `(levels, rows)`.

        An expert takes time only for the rows that it runs on.
        """
        return np.stack([self._cost(number, time) for number, time in enumerate(times)])

    def spent_us(self, costs: NDArray[np.float64], thresholds: Sequence[Threshold], exits: NDArray[np.int32]) -> float:
        """Return the mean microseconds of a row that exits where `exits` says; a level that is not run takes none."""
        runs = levels_run(self.cascade.levels, thresholds)
        return float(sum((costs[number] * (exits >= number)).sum() for number in runs) / len(self.labels))

    def _cost(self, number: int, time: float | Mapping[str, float]) -> NDArray[np.float64]:
        count = len(self.labels)
        if not isinstance(time, Mapping):
            return np.full(count, time, np.float64)
        counted = escalating(self.cascade, number + 1).map(lambda network: _Counted(network, count))
        full = any(later.fusion != "replace" for later in self.cascade.levels[number + 1 :])
        counted.answer(self.numbers, full=full)
        level, costs = counted.levels[-1], np.zeros(count)
        if isinstance(level, Experts):
            costs += np.sum([time[group] * expert.network.rows for group, expert in level.experts.items()], axis=0)
        return costs


def escalating(cascade: Cascade[N], end: int) -> Cascade[N]:
    """Take the first `end` levels, so that every row reaches the last of them, and none abstains."""
    first = cascade.with_levels(cascade.levels[:end]).with_thresholds([None] * end)
    return replace(first, fused_temperature=1.0, abstention=None)


class _Counted:
    """A network that counts how often it runs on each row."""

    def __init__(self, network: RecordedNetwork, count: int) -> None:
        self._network, self.rows = network, np.zeros(count)

    def __call__(self, rows: NDArray[Any]) -> Floats:
        self.rows[rows.astype(np.intp)] += 1
        return self._network(rows)


def record(model: Model, split: Split) -> Recording:
    """Run every network of a model once on every row. Raises `ModelUnavailable`."""
    return recording_of(model, run_networks(model, split.inputs), split.labels)


def run_networks(model: Model, inputs: Floats) -> dict[str, RecordedNetwork]:
    """Run every network of a model on every row; return their logits by the digest of the artifact.

    Raises:
        ModelUnavailable: an artifact is damaged, or the interpreter refuses it.
    """
    artifacts = model.manifest.artifacts.items()
    return {digest: RecordedNetwork(model.network(artifact).logits(inputs)) for digest, artifact in artifacts}


def recording_of(model: Model, networks: Mapping[str, RecordedNetwork], labels: Labels) -> Recording:
    """Combine what the networks of a model gave as the model does, whose temperatures and fusions count."""
    cascade, end_to_end = (
        predictor.definition.map(lambda artifact: networks[artifact.digest])
        for predictor in (model.cascade, model.end_to_end)
    )
    return Recording(cascade, end_to_end.answer(_numbers(labels)).probabilities, labels)


def _numbers(labels: Labels) -> Floats:
    return np.arange(len(labels), dtype=np.float32)
