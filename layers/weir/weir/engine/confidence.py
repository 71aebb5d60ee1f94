"""From logits to probabilities, and how sure they are."""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]


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
    """How sure each row is `(rows,)`: its largest probability."""
    largest: Floats = posterior.max(axis=-1)
    return largest


def label(posterior: Floats) -> NDArray[np.intp]:
    """Index of the label each row is given `(rows,)`; ties go to the lowest index."""
    best: NDArray[np.intp] = posterior.argmax(axis=-1)
    return best
