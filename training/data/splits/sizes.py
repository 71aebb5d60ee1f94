"""How many rows each split gets when the task does not say: what the promise needs, and shares within limits."""

import math
import sys
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from training.data.dataset import Dataset
from training.data.rows import RowStore, row_bytes
from training.task import Promise, Sizes
from weir.errors import BadInput

VALIDATION, CERTIFICATION, TEST = 0.10, 0.15, 0.15
"""shares of the rows, of a data set that has none of its own for validation or test"""
_MOST_CERTIFICATION = 0.3
"""share of the rows that certification gets at most, however much its promise needs"""
_FEWEST = 100
"""rows of validation and test, unless that is more than a fifth of all rows"""
_SMALL = 0.2
_AUTO_LIMIT = 0.05
"""the weakest limit that `max_loss = "auto"` promises"""
_ONE_LOST = 1.6
"""times as many rows are needed when one of them may be lost: 4.74 / 2.996 at a delta of 5 %"""
_THRESHOLDS, _OTHERS = 10, 3
"""how certification rows are divided among the thresholds and each further promise (`training.certifying.certify`)"""


@dataclass(frozen=True)
class SettledSizes:
    """Rows of each split but the training's; 0 where the data have a set of their own."""

    validation: int
    certification: int
    test: int


def settled(sizes: Sizes, promise: Promise, data: Dataset, memory: int = sys.maxsize) -> SettledSizes:
    """Settle the sizes that a task leaves open.

    Validation gets 10 % of the rows, certification and test 15 % each. Validation and test have at least 100 rows, or a
    fifth of all where that is fewer. Certification has at least 1.6 times `ln(delta) / ln(1 - max_loss)` rows for the
    thresholds, so that one row may be lost, and as many of each label that is to have a promise of its own, if they are
    at most 30 % of all rows. A set of the data's own takes the place of a share. Where rows are kept in a file, none of
    the three gets more than take a quarter of `memory`, in bytes, for they are held in memory.

    Raises:
        BadInput: a size is given for a set that the data have of their own.
    """
    if data.test_from is not None and sizes.test:
        raise BadInput("sizes.test is 0 when the data have a test set of their own", sizes.test)
    if data.validation_from is not None and sizes.validation:
        raise BadInput("sizes.validation is absent when the data have a validation set of their own", sizes.validation)
    rows = len(data.rows)
    free = rows if data.test_from is None else data.test_from
    free = free if data.validation_from is None else data.validation_from
    most = max(1, memory // 4 // row_bytes(data.rows)) if isinstance(data.rows, RowStore) else rows
    test = min(most, _share(TEST, rows)) if sizes.test is None else sizes.test
    return SettledSizes(
        validation=0 if data.validation_from is not None else sizes.validation or min(most, _share(VALIDATION, rows)),
        certification=sizes.certification or min(most, _certification(promise, free, data.labels[:free])),
        test=0 if data.test_from is not None else test,
    )


def _share(share: float, rows: int) -> int:
    return max(1, round(share * rows), min(_FEWEST, int(_SMALL * rows)))


def _certification(promise: Promise, rows: int, labels: NDArray[np.generic]) -> int:
    others = _OTHERS * ((promise.abstain_above is not None) + bool(promise.alphas))
    share = _THRESHOLDS / (_THRESHOLDS + others)
    most = int(_MOST_CERTIFICATION * rows)
    thresholds = max(_ONE_LOST * _least(promise.max_loss, promise), _for_labels(promise, labels, most * share))
    return max(1, min(max(round(CERTIFICATION * rows), math.ceil(thresholds / share)), most))


def _for_labels(promise: Promise, labels: NDArray[np.generic], most: float) -> float:
    """Return the rows of the thresholds of which each label has enough for its own promise, as far as `most` allow."""
    if promise.max_loss_per_label is None or not len(labels):
        return 0.0
    shares = np.unique(labels, return_counts=True)[1] / len(labels)
    least = (_least(promise.max_loss_per_label, promise) + 1) / shares
    return float(np.minimum(_ONE_LOST * least, most)[least <= most].max(initial=0.0))


def _least(limit: float | str, promise: Promise) -> float:
    """Return the rows that a limit takes when none of them is lost."""
    return math.log(promise.delta) / math.log1p(-(_AUTO_LIMIT if isinstance(limit, str) else limit))
