"""From logits to probabilities, and to the confidence and label of each row."""

import numpy as np
from numpy.typing import NDArray

from weir.engine.arrays import Floats


def softmax(logits: Floats, temperature: float = 1.0) -> Floats:
    """Turn logits `(rows, labels)` into probabilities: `softmax(logits / temperature)` along the last axis.

    The temperature (above 0) calibrates: Guo et al. 2017, arXiv 1706.04599.
    """
    scaled = logits * np.float32(1 / temperature)
    scaled -= scaled.max(axis=-1, keepdims=True)
    np.exp(scaled, out=scaled)
    scaled /= scaled.sum(axis=-1, keepdims=True)
    return scaled


def confidence(posterior: Floats) -> Floats:
    """Return the confidence of each row `(rows,)`: its largest probability."""
    largest: Floats = posterior.max(axis=-1)
    return largest


def label(posterior: Floats) -> NDArray[np.intp]:
    """Return the index of each row's most probable label `(rows,)`; ties go to the lowest index."""
    best: NDArray[np.intp] = posterior.argmax(axis=-1)
    return best
