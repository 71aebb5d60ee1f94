"""Which rows get a label, which a group, and which nothing."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from weir.hierarchy import Hierarchy
from weir.promises import Abstention

Floats = NDArray[np.float32]

NO_GROUP = -1


@dataclass(frozen=True)
class Given:
    """How much each of n rows is told."""

    abstains: NDArray[np.bool_]
    """the row gets no label, `(n,)`"""
    group: NDArray[np.intp]
    """number of the row's group, -1 for none, `(n,)`"""
    group_confidence: Floats
    """probability of the most probable group, `(n,)`; NaN where the row has a label, or the model no groups"""
    best_group: NDArray[np.intp]
    """number of the group of each row's most probable label, whether it is given or not; -1 without groups, `(n,)`"""


@dataclass(frozen=True)
class Answered:
    """What n rows were answered, before anybody abstains."""

    label: NDArray[np.intp]
    """`(n,)`"""
    confidence: Floats
    """of the label, `(n,)`"""
    posterior: Floats
    """`(n, labels)`"""
    at_end: NDArray[np.bool_]
    """whether the last level answered the row, `(n,)`"""


def give(answered: Answered, rule: Abstention | None, hierarchy: Hierarchy | None) -> Given:
    """Let rows that reached the last level abstain when they are not sure enough.

    A row with a label has that label's group. An abstaining row has its most probable group when that is sure enough,
    ties to the lowest number.

    Args:
        answered: the rows.
        rule: when to abstain; None: never.
        hierarchy: the model's groups, if it has any.
    """
    label, rows = answered.label, len(answered.label)
    abstains = answered.at_end & ~(answered.confidence >= rule.threshold) if rule else np.zeros(rows, bool)
    best = np.full(rows, NO_GROUP, np.intp) if hierarchy is None else hierarchy.group_of[label]
    group, sure = best.copy(), np.full(rows, np.nan, np.float32)
    if hierarchy is not None:
        mass = hierarchy.mass(answered.posterior[abstains])
        sure[abstains], group[abstains] = mass.max(axis=1), mass.argmax(axis=1)
        least = rule.group_threshold if rule else None
        group[abstains & ~(sure >= least) if least is not None else abstains] = NO_GROUP
    return Given(abstains, group, sure, best)
