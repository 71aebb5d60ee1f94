"""What every level of a model says of some rows, written down once: thresholds are tried on it, not on networks."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from training.data.split import Split
from weir.engine.cascade import ALWAYS_ESCALATE, Predictions, Step, needed, run
from weir.engine.hierarchy import Hierarchy
from weir.runtime.model import Model

Floats = NDArray[np.float32]
LevelTimes = Sequence[float | Mapping[int, float]]
"""microseconds a row of each level; of a level of experts: group number -> microseconds"""


@dataclass(frozen=True)
class Recorded:
    """A network's word on all rows, which the engine asks for by the rows' numbers."""

    probabilities: Floats
    """of every row, `(rows, outputs)`"""

    def __call__(self, rows: Floats) -> Floats:
        """Give what was said of these rows."""
        return self.probabilities[rows.astype(np.intp)]


def numbered(count: int) -> Floats:
    """Number the rows, for the engine to ask by."""
    return np.arange(count, dtype=np.float32)


@dataclass(frozen=True)
class Recording:
    """What every level says of the same rows, in the order of the levels."""

    steps: tuple[Step, ...]
    """their words are `Recorded`; their thresholds count for nothing"""
    end_to_end: Floats
    """posterior of the end-to-end model, `(rows, labels)`"""
    labels: NDArray[np.int64]
    """the right label of each row, `(rows,)`"""
    hierarchy: Hierarchy | None = None

    def rows(self, numbers: NDArray[np.intp]) -> "Recording":
        """Take some of the rows, as often as they are named."""
        return replace(
            self,
            steps=tuple(_taken(step, numbers) for step in self.steps),
            end_to_end=self.end_to_end[numbers],
            labels=self.labels[numbers],
        )

    @cached_property
    def posteriors(self) -> Floats:
        """Posterior of every row at every level that builds on all those before it, `(levels, rows, labels)`.

        A level's posterior is the same whatever the thresholds, for a level that others build on is always run.
        """
        return np.stack([self._at(number, whole=True).probabilities for number in range(len(self.steps))])

    @cached_property
    def confidences(self) -> Floats:
        """How sure every level is of every row, `(levels, rows)`."""
        found: Floats = self.posteriors.max(axis=-1)
        return found

    @cached_property
    def said(self) -> NDArray[np.intp]:
        """Label that every level gives every row, `(levels, rows)`."""
        found: NDArray[np.intp] = self.posteriors.argmax(axis=-1)
        return found

    @cached_property
    def wrong(self) -> NDArray[np.bool_]:
        """Tell which rows every level would get wrong, `(levels, rows)`."""
        found: NDArray[np.bool_] = self.said != self.labels
        return found

    @cached_property
    def end_to_end_right(self) -> NDArray[np.bool_]:
        """Tell which rows the end-to-end model gets right, `(rows,)`."""
        found: NDArray[np.bool_] = self.end_to_end.argmax(axis=1) == self.labels
        return found

    def exits(self, thresholds: Sequence[float]) -> NDArray[np.int32]:
        """Tell at which level each row leaves under given thresholds, `(rows,)`."""
        limits = np.asarray([*thresholds[:-1], -np.inf], np.float32)[:, None]
        leaves = self.confidences >= limits
        leaves[-1] = True
        found: NDArray[np.int32] = leaves.argmax(axis=0).astype(np.int32)
        return found

    def answers(self, thresholds: Sequence[float]) -> Predictions:
        """Tell what the engine answers under given thresholds."""
        exits, each = self.exits(thresholds), np.arange(len(self.labels))
        return Predictions(
            self.posteriors[exits, each], self.said[exits, each], self.confidences[exits, each], exits, len(self.steps)
        )

    def costs_us(self, times: LevelTimes) -> NDArray[np.float64]:
        """Microseconds that each level takes for each row that reaches it, `(levels, rows)`.

        An expert takes time only for the rows that it is asked.
        """
        return np.stack([self._cost(number, taken) for number, taken in enumerate(times)])

    def spent_us(self, costs: NDArray[np.float64], thresholds: Sequence[float], exits: NDArray[np.int32]) -> float:
        """Mean microseconds a row that leaves where `exits` says; a level that is not run takes none."""
        runs = needed(thresholds, [step.fusion for step in self.steps])
        return float(sum((costs[number] * (exits >= number)).sum() for number in runs) / len(self.labels))

    def _cost(self, number: int, taken: float | Mapping[int, float]) -> NDArray[np.float64]:
        count = len(self.labels)
        if not isinstance(taken, Mapping):
            return np.full(count, taken, np.float64)
        asked = {group: _Asked(expert, count) for group, expert in self.steps[number].experts.items()}
        steps = [*self.steps[:number], replace(self.steps[number], experts=asked)]
        whole = any(step.fusion != "replace" for step in self.steps[number + 1 :])
        _run(steps, self, whole=whole)
        found: NDArray[np.float64] = np.sum([taken[group] * one.rows for group, one in asked.items()], axis=0)
        return found

    def _at(self, number: int, *, whole: bool) -> Predictions:
        return _run(self.steps[: number + 1], self, whole=whole)


def _run(steps: Sequence[Step], recording: Recording, *, whole: bool) -> Predictions:
    """Run the engine so that every row reaches the last of these levels."""
    escalating = [replace(step, threshold=ALWAYS_ESCALATE) for step in steps]
    return run(numbered(len(recording.labels)), escalating, recording.hierarchy, whole=whole)


class _Asked:
    """An expert that counts how often it is asked about each row."""

    def __init__(self, word: object, count: int) -> None:
        assert isinstance(word, Recorded), "what is recorded has recorded experts"
        self._word, self.rows = word, np.zeros(count)

    def __call__(self, rows: Floats) -> Floats:
        self.rows[rows.astype(np.intp)] += 1
        return self._word(rows)


def _taken(step: Step, numbers: NDArray[np.intp]) -> Step:
    def of(word: object) -> Recorded:
        assert isinstance(word, Recorded), "what is recorded has recorded words"
        return Recorded(word.probabilities[numbers])

    experts = {group: of(expert) for group, expert in step.experts.items()}
    return replace(step, word=None if step.word is None else of(step.word), experts=experts)


def record(model: Model, split: Split) -> Recording:
    """Ask every level, every expert and the end-to-end model about every row. Raises `ModelUnavailable`."""
    images = split.inputs
    only = model.steps(cascade=False)[0].word
    assert only is not None, "an end-to-end model has a word of its own"
    steps = tuple(recorded(step, images) for step in model.steps(cascade=True))
    return Recording(steps, only(images), split.labels, model.hierarchy)


def recorded(step: Step, images: Floats) -> Step:
    """Write down what a level says of every row."""
    word = None if step.word is None else Recorded(step.word(images))
    experts = {group: Recorded(expert(images)) for group, expert in step.experts.items()}
    return replace(step, word=word, experts=experts)
