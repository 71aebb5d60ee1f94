"""What networks of a table know of its columns: fitted on training rows, and kept in the network as weights."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.tree import DecisionTreeClassifier

from training.modalities.modality import LabelledRows
from training.modalities.table import places
from weir.catalog.inputs import Table
from weir.engine.arrays import Floats, Labels
from weir.errors import BadInput

_LEAVES = 32
"""of the tree that divides a column, at most"""
_LEAST_ROWS = 8
"""of a leaf, at least"""
_LEAF_SHARE = 500
"""or one part in so many of the rows"""

Places = tuple[int, ...]


@dataclass(frozen=True)
class Statistics:
    """Numbers of a row by their places in it, and what each is compared with; one value each unless said otherwise."""

    numbers: Places
    """of those that vary"""
    median: Floats
    inverse_scale: Floats
    """1 / IQR; where the IQR is 0, 2 / (maximum - minimum)"""
    optional: bool
    """whether any of `numbers` may be missing; if none may, rows with a gap are refused before they get to a network"""
    masked: Places
    """which of `numbers` are missing in some rows"""
    bins: Places
    """which of `numbers` each bin of the piecewise-linear encoding divides"""
    low: Floats
    """lower edge of each bin"""
    width: Floats
    codes: Places
    """of the category of each one-hot unit"""
    code: Floats
    """that each unit is 1 for; only codes that training rows have get a unit, so that none is left untrained"""

    @property
    def undivided(self) -> "Statistics":
        """The same without bins."""
        none = np.zeros(0, np.float32)
        return replace(self, bins=(), low=none, width=none)


def fit(table: Table, columns: Sequence[str], train: LabelledRows) -> Statistics:
    """Fit statistics of the training rows `(rows, values)`, of the named columns; none named: of all.

    Raises:
        BadInput: none of these columns has two values.
    """
    rows, labels, categories = train.inputs, train.labels, places.of_categories(table, columns)
    varying = [place for place in places.of_numbers(table, columns) if len(np.unique(_present(rows[:, place]))) > 1]
    edges = [_edges(rows[:, place], labels) for place in varying]
    units = [(place, code) for place in categories for code in np.unique(rows[:, place]).tolist()]
    if not varying and len(units) == len(categories):
        names = ", ".join(columns or [column.name for column in table.columns])
        raise BadInput("some column that a network reads has two values", f"each of {names} has one in all rows")
    return Statistics(
        numbers=tuple(varying),
        median=_floats([np.median(_present(rows[:, place])) for place in varying]),
        inverse_scale=_floats([1 / _scale(_present(rows[:, place])) for place in varying]),
        optional=any(
            column.optional and place in varying
            for column, where in places.places(table)
            for place in range(where.start, where.stop)
        ),
        masked=tuple(number for number, place in enumerate(varying) if np.isnan(rows[:, place]).any()),
        bins=tuple(number for number, each in enumerate(edges) for _ in each[1:]),
        low=_floats(value for each in edges for value in each[:-1]),
        width=_floats(value for each in edges for value in np.diff(each)),
        codes=tuple(place for place, _ in units),
        code=_floats(code for _, code in units),
    )


def _present(values: Floats) -> Floats:
    present: Floats = values[~np.isnan(values)]
    return present


def _scale(values: Floats) -> float:
    """Return the interquartile range, or half of the whole range where that is 0."""
    low, high = np.quantile(values.astype(np.float64), (0.25, 0.75))
    return float(high - low) or float(values.max().astype(np.float64) - values.min()) / 2


def _edges(values: Floats, labels: Labels) -> NDArray[np.float32]:
    """Divide a column where a small tree does, between its minimum and its maximum: ascending, at least two.

    Target-aware bins: Gorishniy, Rubachev & Babenko 2022, arXiv 2203.05556.
    """
    present = ~np.isnan(values)
    own, leaf = values[present], max(_LEAST_ROWS, len(values) // _LEAF_SHARE)
    tree = DecisionTreeClassifier(max_leaf_nodes=_LEAVES, min_samples_leaf=leaf, random_state=0)
    inner = tree.fit(own[:, None], labels[present]).tree_
    thresholds = inner.threshold[inner.feature >= 0].astype(np.float32)
    edges: NDArray[np.float32] = np.unique(np.concatenate([thresholds, [own.min(), own.max()]]).astype(np.float32))
    return edges


def _floats(values: Iterable[float | np.floating[Any]]) -> Floats:
    return np.array(list(values), np.float32)
