"""Certification gives what it gave before levels had one shape, on the same recordings and times.

The files of `recorded` were written by the code before: the logits of each artifact on validation and certification
rows, a manifest of schema 1.3, times, a promise, and what was certified.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from numpy.typing import NDArray

from training.certifying.certify import CertifiedPromises, certify
from training.replay.recording import LevelTimes, RecordedNetwork, Recording
from training.task import Promise
from weir.catalog.manifest import Artifact, Manifest, decode
from weir.catalog.promises import Abstention, Certificate, PredictionSets
from weir.engine.cascade import cascade_of, end_to_end_cascade

RECORDED = Path(__file__).with_name("recorded")


class Case(msgspec.Struct, frozen=True):
    """What certification read, and what the code before certified."""

    promise: Promise
    seed: int
    times: list[float | dict[str, float]]
    """of a level of experts: the number of the group -> microseconds"""
    expected: dict[str, Any]


def _recording(manifest: Manifest, arrays: dict[str, NDArray[Any]], part: str) -> Recording:
    def network(artifact: Artifact) -> RecordedNetwork:
        return RecordedNetwork(arrays[f"{part}_{artifact.digest}"].astype(np.float32))

    labels = arrays[f"{part}_labels"].astype(np.int64)
    end_to_end = end_to_end_cascade(manifest).map(network).answer(np.arange(len(labels), dtype=np.float32))
    return Recording(cascade_of(manifest).map(network), end_to_end.probabilities, labels)


def _times(manifest: Manifest, times: list[float | dict[str, float]]) -> LevelTimes:
    """Name the groups, which the code before numbered."""
    groups = tuple(manifest.groups)
    return [
        {groups[int(number)]: time_us for number, time_us in time.items()} if isinstance(time, dict) else time
        for time in times
    ]


def _certified(case: Case, recorded: str) -> CertifiedPromises:
    manifest = decode((RECORDED / f"{recorded}-manifest.json").read_bytes())
    with np.load(RECORDED / f"{recorded}.npz") as file:
        arrays = dict(file)
    validation, certification = (_recording(manifest, arrays, part) for part in ("validation", "certification"))
    times = _times(manifest, case.times)
    return certify(validation, certification, times, case.promise, ("digest", case.seed))


@pytest.mark.parametrize(
    ("name", "recorded"),
    [
        ("digits", "digits"),
        ("layered", "layered"),
        ("routed", "routed"),
        ("routed-unkept", "routed"),
        ("routed-few", "routed"),
    ],
)
def test_certification_is_unchanged(name: str, recorded: str) -> None:
    """Thresholds, certificate, fused temperature, abstention, sets and warnings are those of the code before.

    Counts are equal, floats to a millionth of their size. Where no row exits, the code before wrote 2.0.
    """
    case = msgspec.json.decode((RECORDED / f"{name}.json").read_bytes(), type=Case)
    promises, expected = _certified(case, recorded), case.expected
    certified, before = promises.thresholds, expected["certified"]
    thresholds = certified.chosen
    assert [2.0 if value is None else value for value in thresholds.values] == before["thresholds"]["values"]
    assert _close(
        (thresholds.loss, thresholds.time_us), (before["thresholds"]["loss"], before["thresholds"]["time_us"])
    )
    assert (certified.rows, certified.uncertifiable) == (before["rows"], before["broken"])
    assert certified.absent_because == before["absent_because"]
    _assert_same(certified.certificate, before["certificate"])
    _assert_same(promises.abstention, expected["abstention"])
    _assert_same_sets(promises.sets, expected["sets"])
    assert _close(promises.fused_temperature, expected["fused_temperature"])
    assert [_fact(warning) for warning in promises.warnings] == [_fact(warning) for warning in expected["warnings"]]


def _close(one: float | Sequence[float], other: float | Sequence[float]) -> bool:
    return bool(one == pytest.approx(other, rel=1e-6))


def _assert_same(made: Certificate | Abstention | None, expected: dict[str, Any] | None) -> None:
    """Compare every field but the time of day."""
    assert (made is None) == (expected is None)
    if made is None or expected is None:
        return
    fields = msgspec.to_builtins(made)
    fields.pop("certified_at", None)
    assert set(fields) == set(expected)
    assert _close(fields.pop("p_value"), expected.pop("p_value"))
    assert fields == expected


def _assert_same_sets(made: PredictionSets | None, expected: dict[str, Any] | None) -> None:
    assert (made is None) == (expected is None)
    if made is None or expected is None:
        return
    assert made.rows == expected["rows"]
    for quantile, before in zip(made.quantiles, expected["quantiles"], strict=True):
        assert quantile.alpha == before["alpha"]
        assert _close(quantile.least, before["least"])
        assert quantile.least_per_label is not None
        assert _close(quantile.least_per_label, tuple(before["least_per_label"]))


def _fact(warning: str) -> str:
    """Return what a warning reports; the advice behind it is worded anew."""
    return warning.partition(";")[0]
