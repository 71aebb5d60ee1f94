"""Prediction sets: the labels that a row may have."""

import numpy as np
from numpy.typing import NDArray

from weir.catalog.promises import Quantile
from weir.engine.arrays import Floats


def sets(posterior: Floats, quantile: Quantile, *, per_label: bool = False) -> NDArray[np.bool_]:
    """Return which labels are in each row's set `(n, labels)`: those probable enough, and always the most probable.

    The score is 1 - p(label): Sadinle, Lei & Wasserman 2019, arXiv 1609.00451 ("least ambiguous sets"). A label that
    is added can only raise the coverage.
    """
    least = quantile.least_per_label if per_label else quantile.least
    members: NDArray[np.bool_] = posterior >= np.asarray(least, np.float32)
    members[np.arange(len(posterior)), posterior.argmax(axis=1)] = True
    return members
