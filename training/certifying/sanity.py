"""Sanity checks of levels, before anything is certified on them."""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from training.replay.recording import LevelTimes, Recording
from weir.catalog.levels import Experts, Router
from weir.catalog.manifest import Manifest
from weir.engine.arrays import Labels
from weir.errors import BadInput


def check(manifest: Manifest, rows: Recording) -> None:
    """Refuse a level whose outputs are permuted: they are in another order than the labels.

    It shows as a cycle of labels, each predicted as the next for over half of its rows, by more than two standard
    errors. No network learns that.

    Raises:
        BadInput: the outputs of a level are permuted.
    """
    names = [level.name for level in manifest.levels]
    predictions = (*rows.predicted, rows.end_to_end.argmax(axis=1))
    for name, predicted in zip((*names, "end-to-end"), predictions, strict=True):
        cycle = _cycle(predicted, rows.labels, len(manifest.labels))
        if cycle:
            pairs = ", ".join(
                f"{manifest.labels[label]} predicted as {manifest.labels[other]}" for label, other in cycle
            )
            raise BadInput(f"levels agree on the order of the labels; on validation rows {name} does not", pairs)


def warnings(manifest: Manifest, rows: Recording, times: LevelTimes) -> list[str]:
    """List levels less accurate than the one before them, and levels that take no more time than an earlier one."""
    names = [level.name for level in manifest.levels]
    accuracies = 1 - rows.errors.mean(axis=1)
    costs = rows.costs_us(times).mean(axis=1)
    lines = []
    for number in range(1, len(names)):
        if not isinstance(manifest.levels[number], Router) and accuracies[number] < accuracies[number - 1]:
            lines.append(
                f"level {names[number]} is correct on {100 * accuracies[number]:.1f} % of validation rows, the level "
                f"before it on {100 * accuracies[number - 1]:.1f} %: rows that escalate to it get worse answers"
            )
        dearer = [name for name, cost in zip(names[:number], costs[:number], strict=True) if cost >= costs[number]]
        if not isinstance(manifest.levels[number], Experts) and dearer:
            lines.append(
                f"level {names[number]} takes no more time than {', '.join(dearer)} before it: an exit before it saves "
                "nothing"
            )
    return lines


def _cycle(predicted: NDArray[np.intp], labels: Labels, count: int) -> list[tuple[int, int]]:
    usual = _usual_predictions(predicted, labels, count)
    for start in usual:
        chain, label = [], start
        while label in usual and label not in chain:
            chain.append(label)
            label = usual[label]
        if label == start and len(chain) > 1:
            return [(one, usual[one]) for one in chain]
    return []


def _usual_predictions(predicted: NDArray[np.intp], labels: Labels, count: int) -> dict[int, int]:
    """Map each label to the label that most of its rows are predicted as, where that is most and not by chance."""
    usual = {}
    for label in range(count):
        votes: Sequence[int] = np.bincount(predicted[labels == label], minlength=count).tolist()
        if 2 * max(votes) - sum(votes) > 2 * math.sqrt(sum(votes)):  # the standard error of an even chance, twice
            usual[label] = votes.index(max(votes))
    return usual
