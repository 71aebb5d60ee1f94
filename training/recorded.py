"""What a network said of rows, written down: the engine runs on it as on the network."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Recorded:
    """A word of a level whose rows are the numbers of rows."""

    probabilities: Floats
    """of every row, `(rows, outputs)`"""

    def __call__(self, rows: Floats) -> Floats:
        """Give what was said of these rows."""
        return self.probabilities[rows.astype(np.intp)]


def numbered(count: int) -> Floats:
    """Number the rows, for the engine to ask by."""
    return np.arange(count, dtype=np.float32)
