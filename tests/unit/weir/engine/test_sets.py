"""weir.engine.sets."""

import numpy as np

from weir.catalog.promises import Quantile
from weir.engine.sets import sets

QUANTILE = Quantile(alpha=0.1, least=0.3, least_per_label=(0.5, 0.0, 0.35))
POSTERIOR = np.array([[0.4, 0.25, 0.35], [0.9, 0.05, 0.05], [0.3, 0.3, 0.4]], np.float32)


def test_labels_that_are_probable_enough_are_in() -> None:
    """A probability that equals the limit is enough."""
    assert sets(POSTERIOR, QUANTILE).tolist() == [[True, False, True], [True, False, False], [True, True, True]]


def test_each_label_may_have_its_own_limit() -> None:
    """A limit of zero always lets a label in."""
    members = sets(POSTERIOR, QUANTILE, per_label=True)
    assert members.tolist() == [[True, True, True], [True, True, False], [False, True, True]]


def test_no_set_is_empty() -> None:
    """The most probable label is in, however low its probability."""
    assert sets(POSTERIOR, Quantile(alpha=0.5, least=0.95)).sum(axis=1).tolist() == [1, 1, 1]
