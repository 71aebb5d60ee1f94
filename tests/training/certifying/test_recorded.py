"""Certification on recordings of real levels, against an independent order and walk, and against an earlier version.

The files of `recorded` have the logits of each artifact on validation and certification rows, a manifest of schema 1.3,
times and a promise; and thresholds, with the fused temperature, abstention and sets that Weir 1.3 certified under them.
"""

import itertools
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from numpy.typing import NDArray

from tests.training import graded
from tests.training.certifying.parts import divided
from training.certifying.abstention_promise import certify_abstention
from training.certifying.binomial import p_value
from training.certifying.certify import certify, divide, promises_made
from training.certifying.final_posterior import FinalPosterior
from training.certifying.loss_promise import certify_thresholds
from training.certifying.prediction_set_promise import certify_sets
from training.replay.recording import LevelTimes, RecordedNetwork, Recording
from training.replay.thresholds import Thresholds, sequence
from training.task import Promise, SettledPromise
from weir.catalog.manifest import Artifact, Manifest, decode
from weir.catalog.promises import Abstention, Against, PredictionSets
from weir.engine.cascade import Threshold, cascade_of, end_to_end_cascade

RECORDED = Path(__file__).with_name("recorded")
CASES = [
    ("digits", "digits"),
    ("layered", "layered"),
    ("routed", "routed"),
    ("routed-unkept", "routed"),
    ("routed-few", "routed"),
]
"""case, and whose logits it reads"""


class Case(msgspec.Struct, frozen=True):
    """What certification reads, and what Weir 1.3 certified under some thresholds."""

    promise: Promise
    seed: int
    times: list[float | dict[str, float]]
    """of a level of experts: the number of the group -> microseconds"""
    thresholds: list[Threshold]
    expected: dict[str, Any]


class Recorded:
    """A case and its recordings."""

    def __init__(self, name: str, recorded: str) -> None:
        """Read the files."""
        self.case = msgspec.json.decode((RECORDED / f"{name}.json").read_bytes(), type=Case)
        manifest = decode((RECORDED / f"{recorded}-manifest.json").read_bytes())
        with np.load(RECORDED / f"{recorded}.npz") as file:
            arrays = dict(file)
        self.validation, self.certification = (
            _recording(manifest, arrays, part) for part in ("validation", "certification")
        )
        groups = tuple(manifest.groups)
        self.times: LevelTimes = [
            {groups[int(number)]: time_us for number, time_us in time.items()} if isinstance(time, dict) else time
            for time in self.case.times
        ]

    def rows(self, part: str) -> Recording:
        """Return the certification rows of one promise."""
        names = promises_made(self.case.promise)
        return self.certification.rows(divide(len(self.certification.labels), names, self.case.seed)[part])


def _recording(manifest: Manifest, arrays: dict[str, NDArray[Any]], part: str) -> Recording:
    def network(artifact: Artifact) -> RecordedNetwork:
        return RecordedNetwork(arrays[f"{part}_{artifact.digest}"].astype(np.float32))

    labels = arrays[f"{part}_labels"].astype(np.int64)
    end_to_end = end_to_end_cascade(manifest).map(network).answer(np.arange(len(labels), dtype=np.float32))
    return Recording(cascade_of(manifest).map(network), end_to_end.probabilities, labels)


@pytest.mark.parametrize("against", ["end-to-end", "labels", "agreement"])
@pytest.mark.parametrize("name", ["digits", "layered", "routed"])
def test_the_order_of_real_levels_is_that_of_the_formula(name: str, against: Against) -> None:
    """It is graded: at most 400 steps, each faster than the one before, and no threshold rises."""
    vectors = _vectors(name, against)
    assert [one.values for one in vectors] == _order(name, against)
    assert 100 < len(vectors) <= 401
    assert all(after.time_us < before.time_us for before, after in itertools.pairwise(vectors))
    for careful, bold in itertools.pairwise(vectors[1:]):
        pairs = zip(careful.values, bold.values, strict=True)
        assert all((low is None) == (high is None) and (low or 0) <= (high or 0) for high, low in pairs)


@cache
def _recorded(name: str) -> Recorded:
    return Recorded(name, name)


@cache
def _vectors(name: str, against: Against) -> list[Thresholds]:
    return sequence(_recorded(name).validation, _recorded(name).times, against)


@cache
def _order(name: str, against: Against) -> list[graded.Values]:
    return graded.order(_recorded(name).validation, _recorded(name).times, against)


@cache
def _losses(name: str, values: graded.Values, against: Against) -> int:
    """Count what the engine loses on certification rows."""
    rows = _recorded(name).certification
    answers = rows.predictions(values).label
    if against == "agreement":
        return int((answers != _last(name)).sum())
    wrong = answers != rows.labels
    return int((wrong if against == "labels" else wrong & (rows.end_to_end.argmax(axis=1) == rows.labels)).sum())


@cache
def _last(name: str) -> NDArray[np.intp]:
    rows = _recorded(name).certification
    return rows.predictions([None] * len(rows.cascade.levels)).label


@pytest.mark.parametrize("against", ["end-to-end", "labels", "agreement"])
@pytest.mark.parametrize("max_loss", [0.005, 0.02, 0.06])
@pytest.mark.parametrize("name", ["digits", "layered", "routed"])
def test_thresholds_are_the_last_before_the_first_that_fails(name: str, max_loss: float, against: Against) -> None:
    """A walk over the oracle's order, on what the engine answers, ends at the same vector with the same counts."""
    rows, passed, tried = _recorded(name).certification, None, 0
    promise = SettledPromise(max_loss=max_loss, against=against)
    certified = certify_thresholds(_vectors(name, against), rows, promise, "digest")
    for values in _order(name, against):
        losses, tried = _losses(name, values, against), tried + 1
        if p_value(losses, len(rows.labels), max_loss) > promise.delta:
            break
        passed = (values, losses)
    if passed is None:
        assert (certified.certificate, certified.uncertifiable) == (None, True)
        return
    assert certified.certificate is not None
    assert (certified.chosen.values, certified.certificate.losses) == passed
    assert (certified.certificate.tried, certified.certificate.max_loss) == (tried, max_loss)


@pytest.mark.parametrize(("name", "recorded"), CASES)
def test_given_the_thresholds_the_other_promises_are_unchanged(name: str, recorded: str) -> None:
    """The fused temperature, abstention and sets are those of Weir 1.3; floats to a millionth of their size."""
    one = Recorded(name, recorded)
    case, promise = one.case, one.case.promise
    final = FinalPosterior(case.thresholds, one.validation)
    assert _close(final.temperature, case.expected["fused_temperature"])
    abstention, sets = None, None
    if promise.abstain_above is not None:
        rows, hierarchy = final.of(one.rows("abstention")), one.validation.cascade.hierarchy
        known = final.of(one.validation)
        abstention = certify_abstention(known, rows, promise.abstain_above, promise.delta, hierarchy)
    if promise.alphas:
        sets = certify_sets(final.of(one.rows("sets")), promise.alphas)
    _assert_same(abstention, case.expected["abstention"])
    _assert_same_sets(sets, case.expected["sets"])


@pytest.mark.parametrize(("name", "recorded"), CASES)
def test_the_other_promises_are_of_the_thresholds_that_were_certified(name: str, recorded: str) -> None:
    """Each is certified on its own rows, by the posterior that the certified thresholds give them."""
    one = Recorded(name, recorded)
    promise = one.case.promise
    vectors = sequence(one.validation, one.times, promise.against)
    parts = divided(one.certification, promise, seed=one.case.seed)
    promises = certify(one.validation, parts, vectors, promise)
    final = FinalPosterior(promises.thresholds.chosen.values, one.validation)
    assert promises.fused_temperature == final.temperature
    assert promises.sets == (certify_sets(final.of(one.rows("sets")), promise.alphas) if promise.alphas else None)
    if promise.abstain_above is None:
        assert promises.abstention is None
        return
    rows, known = final.of(one.rows("abstention")), final.of(one.validation)
    hierarchy = one.validation.cascade.hierarchy
    rule = certify_abstention(known, rows, promise.abstain_above, promise.delta, hierarchy)
    assert promises.abstention == (rule and msgspec.structs.replace(rule, delta_spent=promise.delta))
    assert (promises.abstention is None) == bool(promises.warnings)


def _close(one: float | Sequence[float], other: float | Sequence[float]) -> bool:
    return bool(one == pytest.approx(other, rel=1e-6))


def _assert_same(made: Abstention | None, expected: dict[str, Any] | None) -> None:
    assert (made is None) == (expected is None)
    if made is None or expected is None:
        return
    fields = msgspec.to_builtins(made)
    assert (fields.pop("attempt"), fields.pop("delta_spent")) == (1, None)  # newer than the files
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
