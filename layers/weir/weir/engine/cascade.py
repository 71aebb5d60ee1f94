"""The engine: levels answer a batch of rows in turn, each only the rows that no earlier level answered.

An end-to-end model is a cascade of one level, so the same engine runs both. Training, certification, the ledger and
the functions all run `Cascade.answer`; its exit rule, `exits`, is the only one. (Joint training needs a gradient, so
`training.learning.joint` softens it.)
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Generic

import msgspec
import numpy as np
from numpy.typing import NDArray

from weir.catalog.levels import Classifier, Experts, Level, M, N
from weir.catalog.manifest import Artifact, Manifest
from weir.catalog.promises import Abstention
from weir.engine import fusion
from weir.engine.abstention import decide
from weir.engine.arrays import Floats
from weir.engine.confidence import confidence, label
from weir.engine.hierarchy import NO_GROUPS, Hierarchy
from weir.engine.levels import F, posterior
from weir.engine.predictions import Predictions

Threshold = float | None
"""confidence from which rows exit at a level; None where no row does"""


def exits(confidences: Floats, limits: Floats | np.float32) -> NDArray[np.bool_]:
    """Tell which rows exit: those whose confidence is at least the limit; NaN never is.

    The arrays broadcast; `limits` are made of thresholds by `limits_of`.
    """
    leaves: NDArray[np.bool_] = confidences >= limits
    return leaves


def limit_of(threshold: Threshold) -> np.float32:
    """Convert a threshold to a limit of `exits`: infinite where no row exits."""
    return np.float32(np.inf if threshold is None else threshold)


def limits_of(thresholds: Sequence[Threshold]) -> Floats:
    """Convert thresholds to limits of `exits`, `(levels,)`; at the last level every row exits."""
    return np.array([*(limit_of(one) for one in thresholds[:-1]), -np.inf], np.float32)


def exit_levels(confidences: Floats, thresholds: Sequence[Threshold]) -> NDArray[np.int32]:
    """Return the level at which each row exits, `(rows,)`, given every level's confidence, `(levels, rows)`."""
    leaves = exits(confidences, limits_of(thresholds)[:, None])
    leaves[-1] = True
    levels: NDArray[np.int32] = leaves.argmax(axis=0).astype(np.int32)
    return levels


def levels_run(levels: Sequence[Level[N]], thresholds: Sequence[Threshold]) -> list[int]:
    """List the levels that must run, in turn.

    They are the last, those at which rows can exit, and those with whose posterior a later one of them is fused.
    """
    runs = [len(levels) - 1]
    for number in reversed(range(len(levels) - 1)):
        threshold = thresholds[number]
        rows_can_exit = threshold is not None and threshold <= 1
        if rows_can_exit or (runs[0] == number + 1 and levels[number + 1].fusion != "replace"):
            runs.insert(0, number)
    return runs


@dataclass(frozen=True)
class Cascade(Generic[N]):
    """Levels in turn, generic in what stands for a network: an artifact, a loaded network, recorded logits."""

    levels: tuple[Level[N], ...]
    hierarchy: Hierarchy = NO_GROUPS
    fused_temperature: float = 1.0
    """calibrates the posterior at the exit, where `replace` or `pool` made it"""
    abstention: Abstention | None = None

    @property
    def thresholds(self) -> tuple[Threshold, ...]:
        """The threshold of each level."""
        return tuple(level.threshold for level in self.levels)

    @property
    def networks(self) -> list[N]:
        """Every network, level by level."""
        return [network for level in self.levels for network in level.networks]

    @cached_property
    def runs(self) -> list[int]:
        """The levels that are run when rows reach them."""
        return levels_run(self.levels, self.thresholds)

    @cached_property
    def limits(self) -> Floats:
        """The thresholds as limits of `exits`, `(levels,)`."""
        return limits_of(self.thresholds)

    @cached_property
    def fused(self) -> NDArray[np.bool_]:
        """Which levels `replace` or `pool`, so that the fused temperature applies, `(levels,)`."""
        return np.array([level.fusion != "refine" for level in self.levels])

    def map(self, change: Callable[[N], M]) -> "Cascade[M]":
        """Apply a function to every network."""
        return self.with_levels([level.map(change) for level in self.levels])

    def with_levels(self, levels: Sequence[Level[M]]) -> "Cascade[M]":
        """Put other levels in the place of these."""
        return Cascade(tuple(levels), self.hierarchy, self.fused_temperature, self.abstention)

    def with_thresholds(self, thresholds: Sequence[Threshold]) -> "Cascade[N]":
        """Set the threshold of each level."""
        pairs = zip(self.levels, thresholds, strict=True)
        return replace(self, levels=tuple(msgspec.structs.replace(level, threshold=one) for level, one in pairs))

    def answer(self: "Cascade[F]", rows: NDArray[Any], *, trace: bool = False, full: bool = True) -> Predictions:
        """Answer rows `(n, …)`, n at least 1: a row exits at the first level that is confident enough.

        A level at which no row can exit, and whose posterior no later level uses, is not run. A row on which the
        networks overflow has the confidence NaN.

        Args:
            rows: what the networks read.
            trace: keep the confidence of each level on each row.
            full: compute the whole posterior, not only its largest probability.
        """
        # only rows of the last level abstain, and the group of one is read off its whole posterior
        full = full or (self.abstention is not None and isinstance(self.levels[-1], Experts))
        predictions = self._calibrated(_Run(self, rows, trace=trace).predictions(full=full))
        if self.abstention is None and not self.hierarchy.groups:
            return predictions
        return replace(predictions, abstentions=decide(predictions, self.abstention, self.hierarchy))

    def _calibrated(self, predictions: Predictions) -> Predictions:
        """Apply the fused temperature, `q ∝ posterior ** (1 / T)`, but after `refine`; labels stay what they are."""
        if self.fused_temperature == 1:
            return predictions
        rows = np.flatnonzero(self.fused[predictions.exit_level])
        if not len(rows):
            return predictions
        probabilities = predictions.probabilities.copy()
        probabilities[rows] = fusion.power(probabilities[rows], 1 / self.fused_temperature)
        return replace(predictions, probabilities=probabilities, confidence=confidence(probabilities))


def cascade_of(manifest: Manifest) -> Cascade[Artifact]:
    """Describe the cascade of a version."""
    hierarchy = NO_GROUPS
    if manifest.groups:
        hierarchy = Hierarchy.named(manifest.groups, manifest.labels, manifest.prior)
    return Cascade(manifest.levels, hierarchy, manifest.fused_temperature, manifest.abstention)


def end_to_end_cascade(manifest: Manifest) -> Cascade[Artifact]:
    """Describe the end-to-end model of a version, as a cascade of one level."""
    model = manifest.end_to_end
    return single(Classifier(name="end-to-end", network=model.artifact, temperature=model.temperature, threshold=0.0))


def single(level: Level[N]) -> Cascade[N]:
    """Make a cascade of one level."""
    return Cascade((level,))


class _Run(Generic[F]):
    """One batch on its way through the levels."""

    def __init__(self, cascade: Cascade[F], rows: NDArray[Any], *, trace: bool) -> None:
        self._cascade, self._rows = cascade, rows
        levels = len(cascade.levels)
        self._exit_level = np.full(len(rows), levels - 1, np.int32)
        self._answered = np.empty((len(rows), 0), np.float32)
        self._trace = np.full((len(rows), levels if trace else 0), np.nan, np.float32)

    def predictions(self, *, full: bool) -> Predictions:
        """Run the levels until no row is open."""
        cascade, open_rows = self._cascade, np.arange(len(self._rows))
        before: Floats | None = None
        for number in cascade.runs:
            all_open = len(open_rows) == len(self._rows)
            rows = self._rows if all_open else self._rows[open_rows]
            full_here = full or any(level.fusion != "replace" for level in cascade.levels[number + 1 :])
            before = posterior(cascade.levels[number], before, rows, cascade.hierarchy, full=full_here)
            confidences = confidence(before)
            if self._trace.size:
                self._trace[open_rows, number] = confidences
            stays = ~exits(confidences, cascade.limits[number])
            if number == len(cascade.levels) - 1:
                stays[:] = False
            if all_open and not stays.any():  # one level answers everybody
                self._exit_level[:] = number
                return self._made(before, confidences)
            if all_open:  # no row has exited yet: rows that stay are overwritten later
                self._answered = before.copy()
            else:
                self._answered[open_rows] = before
            self._exit_level[open_rows[~stays]] = number
            open_rows, before = open_rows[stays], before[stays]
            if not len(open_rows):
                break
        return self._made(self._answered, confidence(self._answered))

    def _made(self, probabilities: Floats, confidences: Floats) -> Predictions:
        levels = len(self._cascade.levels)
        return Predictions(probabilities, label(probabilities), confidences, self._exit_level, levels, self._trace)
