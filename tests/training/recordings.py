"""Recordings of levels that were never trained: what they say is drawn."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from training.replay.recording import Recorded, Recording
from weir.engine.cascade import Step
from weir.engine.confidence import softmax
from weir.engine.hierarchy import Hierarchy

Floats = NDArray[np.float32]
Labels = NDArray[np.int64]


def word(random: np.random.Generator, labels: Labels, skill: float, outputs: int = 4) -> Floats:
    """Draw what a network says, `(rows, outputs)`; the more skill, the more often and the more surely it is right."""
    logits = random.normal(size=(len(labels), outputs)).astype(np.float32)
    logits[np.arange(len(labels)), labels] += skill
    return softmax(logits)


def of_words(words: Sequence[Floats], labels: Labels, hierarchy: Hierarchy | None = None) -> Recording:
    """Record levels each of which replaces the one before; the last is the end-to-end model."""
    return Recording(tuple(Step(Recorded(one)) for one in words), words[-1], labels, hierarchy)


def drawn(
    seed: int, skills: Sequence[float], rows: int = 80, outputs: int = 4, hierarchy: Hierarchy | None = None
) -> Recording:
    """Draw levels of given skills over the same rows."""
    random = np.random.default_rng(seed)
    labels = random.integers(0, outputs, rows)
    return of_words([word(random, labels, skill, outputs) for skill in skills], labels, hierarchy)
