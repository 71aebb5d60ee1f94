"""The calibration of a finished model on its test split, before and after temperature scaling."""

from collections.abc import Callable

import msgspec
import numpy as np
from numpy.typing import NDArray

from training.data.splits.split import Split
from training.measuring.bins import Bin, diagram
from training.measuring.contenders import CASCADE_KEY, END_TO_END_KEY, uncalibrated
from training.measuring.reliability import ece, floor
from training.replay.recording import Recording, recording_of, run_networks
from weir.catalog.manifest import Manifest
from weir.engine.arrays import Floats, Labels
from weir.runtime.interpreter import DEPLOYED
from weir.runtime.model import Model


class CalibrationResult(msgspec.Struct, frozen=True, kw_only=True):
    """The calibration of one contender's confidences."""

    before: float
    """expected calibration error in 15 bins with every temperature 1, 0 to 1"""
    after: float
    """the same with the temperatures that serve"""
    floor: float
    """the error of a perfectly calibrated predictor of these confidences on as many rows"""
    diagram_before: tuple[Bin, ...]
    """the rows in bins of nearly equal numbers of rows, with every temperature 1"""
    diagram_after: tuple[Bin, ...]
    """the same with the temperatures that serve"""


def calibration(manifest: Manifest, fetch: Callable[[str], bytes], test: Split) -> dict[str, CalibrationResult]:
    """Measure the end-to-end model, the levels by their numbers, and the cascade's final posterior.

    A level's confidence is that of its posterior, built on the levels before it. For the cascade, a row exits at the
    same level before and after: the level at which it exits with the temperatures that serve.

    Raises:
        ModelUnavailable: a network can't be loaded.
    """
    model, plain = (Model(one, fetch, DEPLOYED) for one in (manifest, uncalibrated(manifest)))
    networks = run_networks(model, test.inputs)
    before, after = (recording_of(one, networks, test.labels) for one in (plain, model))
    results = {END_TO_END_KEY: _result(before.end_to_end, after.end_to_end, test.labels)}
    for number in range(len(manifest.levels)):
        results[str(number)] = _result(before.posteriors[number], after.posteriors[number], test.labels)
    thresholds = [level.threshold for level in manifest.levels]
    final = after.predictions(thresholds, manifest.fused_temperature).probabilities
    results[CASCADE_KEY] = _result(_at_exits(before, after.exits(thresholds)), final, test.labels)
    return results


def panels(manifest: Manifest, results: dict[str, CalibrationResult]) -> dict[str, CalibrationResult]:
    """Name results for people."""
    names = {END_TO_END_KEY: "end-to-end", CASCADE_KEY: "cascade"}
    names |= {str(number): f"level {number}: {level.name}" for number, level in enumerate(manifest.levels)}
    return {names[contender]: result for contender, result in results.items()}


def _at_exits(rows: Recording, exits: NDArray[np.int32]) -> Floats:
    posterior: Floats = rows.posteriors[exits, np.arange(len(exits))]
    return posterior


def _result(before: Floats, after: Floats, labels: Labels) -> CalibrationResult:
    raw, calibrated = ((one.max(axis=1), one.argmax(axis=1) == labels) for one in (before, after))
    return CalibrationResult(
        before=ece(*raw),
        after=ece(*calibrated),
        floor=floor(calibrated[0]),
        diagram_before=diagram(*raw),
        diagram_after=diagram(*calibrated),
    )
