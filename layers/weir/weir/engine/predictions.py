"""What a cascade answers a batch of rows."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from weir.engine.arrays import Floats


@dataclass(frozen=True)
class Abstentions:
    """Which of n rows get a label, which a group."""

    abstains: NDArray[np.bool_]
    """the row gets no label, `(n,)`"""
    group: NDArray[np.intp]
    """number of the row's group, -1 for none, `(n,)`"""
    group_confidence: Floats
    """probability of the most probable group, `(n,)`; NaN where the row has a label, or the model no groups"""
    best_group: NDArray[np.intp]
    """number of the group of each row's most probable label, given or not; -1 without groups, `(n,)`"""


@dataclass(frozen=True)
class Predictions:
    """The answers to a batch of n rows."""

    probabilities: Floats
    """posterior of each row at its exit, `(n, labels)`; after `refine` full only when requested"""
    label: NDArray[np.intp]
    """index of the label, `(n,)`"""
    confidence: Floats
    """largest probability, `(n,)`"""
    exit_level: NDArray[np.int32]
    """number of the level that answered, `(n,)`"""
    levels: int
    """how many levels there are"""
    trace: Floats = field(default_factory=lambda: np.empty((0, 0), np.float32))
    """confidence of each level, `(n, levels)`, NaN where a level did not see the row; empty unless requested"""
    abstentions: Abstentions | None = None
    """None where the model has no groups and never abstains"""

    @property
    def at_last_level(self) -> NDArray[np.bool_]:
        """Whether the last level answered, `(n,)`."""
        at_last: NDArray[np.bool_] = self.exit_level == self.levels - 1
        return at_last

    def share(self, level: int) -> float:
        """Return the share of rows that a level answered, 0 to 1."""
        return float((self.exit_level == level).mean())
