"""Ladders that are no good: what is wrong with them is said before anything is promised."""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from training.replay.recording import LevelTimes, Recording
from weir.catalog.manifest import Manifest
from weir.errors import BadInput


def check(manifest: Manifest, rows: Recording) -> None:
    """Refuse a ladder whose levels disagree on the order of the labels.

    That is when some labels are each called the next of them, in a circle, for more than half of their rows, by more
    than two standard errors: no network learns that, but one whose outputs stand in another order does it.

    Raises:
        BadInput: such a level was found.
    """
    names = [level.name for level in manifest.levels]
    for name, said in zip((*names, "end-to-end"), (*rows.said, rows.end_to_end.argmax(axis=1)), strict=True):
        circle = _circle(said, rows.labels, len(manifest.labels))
        if circle:
            told = ", ".join(f"{manifest.labels[label]} called {manifest.labels[called]}" for label, called in circle)
            raise BadInput(f"levels agree on the order of the labels; on validation rows {name} does not", told)


def warnings(manifest: Manifest, rows: Recording, times: LevelTimes) -> list[str]:
    """Tell what makes levels useless, and what comes of it."""
    names = [level.name for level in manifest.levels]
    right = 1 - rows.wrong.mean(axis=1)
    taken = rows.costs_us(times).mean(axis=1)
    told = []
    for number in range(1, len(names)):
        if manifest.levels[number].kind != "router" and right[number] < right[number - 1]:
            told.append(
                f"level {names[number]} is right on {100 * right[number]:.1f} % of validation rows, the level before "
                f"it on {100 * right[number - 1]:.1f} %: rows that escalate to it get worse answers"
            )
        dearer = [name for name, time in zip(names[:number], taken[:number], strict=True) if time >= taken[number]]
        if manifest.levels[number].kind != "experts" and dearer:
            told.append(
                f"level {names[number]} takes no more time than {', '.join(dearer)} before it: what is sent on past it "
                "saves nothing"
            )
    return told


def _circle(said: NDArray[np.intp], labels: NDArray[np.int64], count: int) -> list[tuple[int, int]]:
    called = _called(said, labels, count)
    for start in called:
        way, label = [], start
        while label in called and label not in way:
            way.append(label)
            label = called[label]
        if label == start and len(way) > 1:
            return [(one, called[one]) for one in way]
    return []


def _called(said: NDArray[np.intp], labels: NDArray[np.int64], count: int) -> dict[int, int]:
    """Find what most rows of a label are called, where there is one word for most and not by chance: label -> label."""
    found = {}
    for label in range(count):
        votes: Sequence[int] = np.bincount(said[labels == label], minlength=count).tolist()
        if 2 * max(votes) - sum(votes) > 2 * math.sqrt(sum(votes)):  # the standard error of an even chance, twice
            found[label] = votes.index(max(votes))
    return found
