"""The promise `max_loss_per_label`: the limit of lost rows for each label by itself, under the same thresholds.

A threshold vector passes when the rows of all labels and of each label pass their tests, each at the whole of delta (an
intersection-union test: Berger 1982). Vectors are tested in a fixed order until one fails, so a kept vector breaks some
limit only if the first vector that breaks one has passed; for that, the test of the broken limit must have passed,
which has a chance of at most delta. So all limits hold together with a confidence of 1 - delta, however many labels
there are.

All of it is meant given the number of certification rows of each label, which a stratified split fixes. The rows of one
label are then independent trials of one chance. All rows are trials of different chances, of which the binomial test
holds as well (Hoeffding 1956, doi 10.1214/aoms/1177728178).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from training.certifying.binomial import max_losses, p_value, rows_needed
from training.certifying.limits import label_limit
from training.replay.recording import Recording
from training.task import SettledPromise
from weir.catalog.promises import Against, LabelLosses, LabelPromise

Flags = NDArray[np.bool_]
Counts = NDArray[np.intp]


@dataclass(frozen=True)
class LabelTests:
    """One binomial test for each label; labels with too few rows have none, and fail none."""

    names: Sequence[str]
    max_loss: float
    delta: float
    label_of: NDArray[np.intp]
    """number of the label that each row counts for, `(rows,)`"""
    rows: Counts
    """certification rows of each label, `(labels,)`"""
    allowed: Counts
    """most losses with which a label passes, `(labels,)`; -1 where its rows are too few"""

    @classmethod
    def of(cls, label_of: NDArray[np.intp], names: Sequence[str], max_loss: float, delta: float) -> "LabelTests":
        """Plan the tests by the number of rows of each label, before anything is tested."""
        rows = np.bincount(label_of, minlength=len(names))
        most = {count: max_losses(count, max_loss, delta) for count in set(rows.tolist())}
        return cls(names, max_loss, delta, label_of, rows, np.array([most[count] for count in rows.tolist()]))

    @property
    def tested(self) -> Flags:
        """Which labels have rows enough, `(labels,)`."""
        enough: Flags = self.allowed >= 0
        return enough

    def losses(self, lost: Flags) -> Counts:
        """Count the lost rows of each label: `(labels,)` of `(rows,)`."""
        return np.bincount(self.label_of[lost], minlength=len(self.names))

    def failing(self, lost: Flags) -> list[int]:
        """Return the numbers of the labels whose tests fail."""
        numbers: list[int] = np.flatnonzero(self.tested & (self.losses(lost) > self.allowed)).tolist()
        return numbers

    def promise(self, lost: Flags) -> LabelPromise:
        """Return what is promised when no test fails."""
        losses = self.losses(lost)
        labels = [
            LabelLosses(
                label=self.names[label],
                rows=int(self.rows[label]),
                losses=int(losses[label]),
                max_losses=int(self.allowed[label]),
                p_value=p_value(int(losses[label]), int(self.rows[label]), self.max_loss),
            )
            for label in np.flatnonzero(self.tested).tolist()
        ]
        too_few = {self.names[label]: int(self.rows[label]) for label in np.flatnonzero(~self.tested).tolist()}
        needed = rows_needed(self.max_loss, self.delta)
        return LabelPromise(max_loss=self.max_loss, labels=tuple(labels), rows_needed=needed, too_few=too_few)


def label_tests(rows: Recording, names: Sequence[str], promise: SettledPromise) -> LabelTests | None:
    """Plan the tests of a promise on certification rows; None where it promises nothing for labels."""
    if promise.max_loss_per_label is None:
        return None
    numbers = label_of(rows, promise.against)
    counts = np.bincount(numbers, minlength=len(names)).tolist()
    return LabelTests.of(numbers, names, label_limit(promise, counts), promise.delta)


def label_of(rows: Recording, against: Against) -> NDArray[np.intp]:
    """Return the number of the label that each row counts for, `(rows,)`: its own; of agreement, the last level's."""
    return rows.predicted[-1] if against == "agreement" else rows.labels.astype(np.intp)
