"""How a level's probabilities meet the posterior of the levels before it."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from weir.manifest import Fusion

Floats = NDArray[np.float32]


def replace(before: Floats | None, level: Floats) -> Floats:  # noqa: ARG001 (every fusion takes both)
    """This level's word alone."""
    return level


FUSIONS: dict[Fusion, Callable[[Floats | None, Floats], Floats]] = {"replace": replace}
"""name in the manifest -> (posterior so far or None `(rows, labels)`, this level's `(rows, labels)`) -> posterior"""
