"""Rows of numbers that are like each other, mixed at random."""

import numpy as np

from weir.engine.arrays import Floats


def convex(rows: Floats, random: np.random.Generator) -> Floats:
    """Mix each of the rows `(n, …)` with the one before, of which it gets less than half; the first with the last.

    Mixup: Zhang, Cisse, Dauphin & Lopez-Paz 2018, arXiv 1710.09412.
    """
    foreign = random.uniform(0, 0.5, (len(rows), *[1] * (rows.ndim - 1))).astype(np.float32)
    both: Floats = rows + foreign * (np.roll(rows, 1, axis=0) - rows)
    return both
