"""Gradient boosting, from which networks of a table can learn."""

from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import version

import numpy as np
from sklearn.ensemble import HistGradientBoostingClassifier
from threadpoolctl import threadpool_limits

from training.modalities.modality import LabelledRows
from training.modalities.table import places
from weir.catalog.inputs import Table
from weir.engine.arrays import Floats, Labels

_FEWEST_ROWS = 2
"""of a label: some of its rows may choose where boosting stops"""
_MOST_LABELS = 30
"""there is a tree for every label in each of 100 iterations, and networks ask all trees about every view"""
_MOST_CODES = 255
"""of a category: one with more is read as a number"""
_LEAST = 1e-4
"""probability of a label"""


@dataclass(frozen=True)
class Boosting:
    """scikit-learn's histogram gradient boosting with its defaults; it has categories as such, and NaN as no value."""

    table: Table
    name: str = "gradient boosting"

    @property
    def made_of(self) -> list[object]:
        """What determines its answers, besides the rows and the seed."""
        return [self.name, version("scikit-learn"), _MOST_CODES, _LEAST]

    def refusal(self, labels: Labels) -> str:
        """Say why it is not fitted on rows of these labels `(rows,)`; empty if it can be."""
        counts = np.bincount(labels)
        if len(counts) > _MOST_LABELS:
            return f"it takes too long with more than {_MOST_LABELS} labels, of which there are {len(counts)}"
        if counts.min() < _FEWEST_ROWS:
            return f"it needs {_FEWEST_ROWS} training rows of every label, and one has {counts.min()}"
        return ""

    def fitted(self, train: LabelledRows, seed: int, *, balanced: bool) -> Callable[[Floats], Floats]:
        """Fit it on rows, and return what gives the log-probabilities `(n, labels)` of other rows.

        Args:
            train: rows and their labels; `refusal` says nothing of these.
            seed: of the rows that choose where boosting stops.
            balanced: every label counts alike, however many rows it has.
        """
        model = HistGradientBoostingClassifier(
            categorical_features=self._categories(train.inputs) or None,
            class_weight="balanced" if balanced else None,
            random_state=seed,
        )
        with _one_thread():
            model.fit(train.inputs, train.labels)

        def logs(rows: Floats) -> Floats:
            with _one_thread():
                probabilities = np.maximum(model.predict_proba(rows), _LEAST)
            normalised: Floats = (probabilities / probabilities.sum(axis=1, keepdims=True)).astype(np.float32)
            return np.log(normalised)

        return logs

    def _categories(self, rows: Floats) -> list[int]:
        """Choose the places that are read as categories."""
        codes = places.of_categories(self.table)
        return [place for place in codes if len(np.unique(rows[:, place])) <= _MOST_CODES]


def _one_thread() -> threadpool_limits:
    """Compute with one thread: on a busy machine, threads that wait for each other take many times as long."""
    return threadpool_limits(1, user_api="openmp")
