"""Recordings of levels that were never trained: their probabilities are drawn."""

from collections.abc import Sequence
from typing import Literal

import numpy as np

from training.certifying.final_posterior import FinalPredictions
from training.replay.recording import RecordedNetwork, Recording
from weir.catalog.levels import Classifier
from weir.catalog.promises import Abstention
from weir.engine.arrays import LEAST_PROBABILITY, Floats, Labels
from weir.engine.cascade import Cascade
from weir.engine.confidence import softmax
from weir.engine.hierarchy import NO_GROUPS, Hierarchy
from weir.engine.predictions import Predictions

PAIRS = Hierarchy(("low", "high"), ((0, 1), (2, 3)), (0.25,) * 4)
"""two groups of two labels"""
BLANK = Abstention(max_error=0.05, delta=0.05, threshold=0, rows=0, answered=0, wrong=0, p_value=1)
"""a rule of which tests set the thresholds; it answers every row until then"""


def probabilities(random: np.random.Generator, labels: Labels, skill: float, outputs: int = 4) -> Floats:
    """Draw a network's probabilities, `(rows, outputs)`; the more skill, the more accurate and the more confident."""
    logits = random.normal(size=(len(labels), outputs)).astype(np.float32)
    logits[np.arange(len(labels)), labels] += skill
    return softmax(logits)


def network(recorded: Floats) -> RecordedNetwork:
    """Record a network whose probabilities at temperature 1 are given, `(rows, outputs)`."""
    return RecordedNetwork(np.log(np.maximum(recorded, np.float32(LEAST_PROBABILITY))))


def classifier(
    recorded: Floats, name: str = "level", *, fusion: Literal["replace", "pool"] = "replace"
) -> Classifier[RecordedNetwork]:
    """Make a level of its probabilities `(rows, labels)`."""
    return Classifier(name=name, network=network(recorded), fusion=fusion, threshold=None)


def recording(levels: Sequence[Floats], labels: Labels, hierarchy: Hierarchy = NO_GROUPS) -> Recording:
    """Record levels by their probabilities; each replaces the one before, and the last is the end-to-end model."""
    named = (classifier(recorded, str(number)) for number, recorded in enumerate(levels))
    return Recording(Cascade(tuple(named), hierarchy), levels[-1], labels)


def drawn(
    seed: int, skills: Sequence[float], rows: int = 80, outputs: int = 4, hierarchy: Hierarchy = NO_GROUPS
) -> Recording:
    """Draw levels of given skills over the same rows."""
    random = np.random.default_rng(seed)
    labels = random.integers(0, outputs, rows)
    levels = [probabilities(random, labels, skill, outputs) for skill in skills]
    return recording(levels, labels, hierarchy)


def paired(seed: int, rows: int, *, of_group: float = 1.0) -> Recording:
    """Draw a cheap and a good level that confuse the labels of a pair more often than the pairs."""
    random = np.random.default_rng(seed)
    labels = random.integers(0, 4, rows)

    def level(skill: float) -> Floats:
        logits = random.normal(size=(rows, 4)).astype(np.float32)
        logits[np.arange(rows), labels] += skill
        logits[PAIRS.group_of[labels][:, None] == PAIRS.group_of] += of_group
        return softmax(logits)

    return recording([level(1.0), level(2.0)], labels, PAIRS)


def final_predictions(posterior: Floats, labels: Labels) -> FinalPredictions:
    """Make the predictions of a cascade of one level, of its posterior `(rows, labels)`."""
    exits = np.zeros(len(posterior), np.int32)
    return FinalPredictions(Predictions(posterior, posterior.argmax(axis=1), posterior.max(axis=1), exits, 1), labels)
