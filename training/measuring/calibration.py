"""How far the probabilities of a finished model are from true, before calibration and after, on its test split."""

from collections.abc import Callable, Sequence

import msgspec
import numpy as np
from numpy.typing import NDArray

from training.data.split import Split
from training.measuring.contenders import CASCADE, END_TO_END, uncalibrated
from training.measuring.reliability import Bin, diagram, ece, floor
from training.replay.recording import Recording, record
from weir.catalog.manifest import Manifest
from weir.engine.cascade import tempered
from weir.runtime.interpreter import RUNTIMES
from weir.runtime.model import Model

Floats = NDArray[np.float32]


class Reading(msgspec.Struct, frozen=True, kw_only=True):
    """Of the confidences of one side."""

    before: float
    """expected calibration error in 15 bins with every temperature 1, 0 to 1"""
    after: float
    """the same with the temperatures that serve"""
    floor: float
    """what a perfectly calibrated predictor of these confidences would show on as many rows"""
    diagram_before: tuple[Bin, ...]
    diagram_after: tuple[Bin, ...]


def readings(manifest: Manifest, fetch: Callable[[str], bytes], test: Split) -> dict[str, Reading]:
    """Read the end-to-end model, the levels by their numbers, and the cascade's last word.

    A level's confidence is that of its posterior, built on the levels before it. The cascade's rows leave in both
    cases where they leave with the temperatures that serve. Raises `ModelUnavailable`.
    """
    before, after = (record(Model(one, fetch, RUNTIMES[0]), test) for one in (uncalibrated(manifest), manifest))
    found = {END_TO_END: _reading(before.end_to_end, after.end_to_end, test.labels)}
    for number in range(len(manifest.levels)):
        found[str(number)] = _reading(before.posteriors[number], after.posteriors[number], test.labels)
    exits = after.exits([level.threshold for level in manifest.levels])
    found[CASCADE] = _reading(_left(before, exits), _fused(manifest, after), test.labels)
    return found


def panels(manifest: Manifest, found: dict[str, Reading]) -> dict[str, tuple[Sequence[Bin], Sequence[Bin]]]:
    """Name the diagrams of readings for people."""
    names = {END_TO_END: "end-to-end", CASCADE: "cascade"}
    names |= {str(number): f"level {number}: {level.name}" for number, level in enumerate(manifest.levels)}
    return {names[side]: (one.diagram_before, one.diagram_after) for side, one in found.items()}


def _left(rows: Recording, exits: NDArray[np.int32]) -> Floats:
    posterior: Floats = rows.posteriors[exits, np.arange(len(exits))]
    return posterior


def _fused(manifest: Manifest, rows: Recording) -> Floats:
    answers = rows.answers([level.threshold for level in manifest.levels])
    return tempered(answers, manifest.fused_temperature, [level.fusion for level in manifest.levels]).probabilities


def _reading(before: Floats, after: Floats, labels: NDArray[np.int64]) -> Reading:
    sides = [(one.max(axis=1), one.argmax(axis=1) == labels) for one in (before, after)]
    return Reading(
        before=ece(*sides[0]),
        after=ece(*sides[1]),
        floor=floor(sides[1][0]),
        diagram_before=diagram(*sides[0]),
        diagram_after=diagram(*sides[1]),
    )
