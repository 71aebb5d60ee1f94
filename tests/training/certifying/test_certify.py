"""training.certifying.certify."""

from collections.abc import Sequence
from dataclasses import replace

import msgspec
import numpy as np

from tests.serving import make_manifest
from tests.training.certifying.counting import counted, counts
from tests.training.certifying.parts import divided
from tests.training.recordings import drawn, paired
from training.certifying.attempts import Spending
from training.certifying.binomial import max_losses, p_value
from training.certifying.certify import CertifiedPromises, certify, divide, promises_made
from training.certifying.final_posterior import FinalPredictions
from training.certifying.prediction_set_promise import certify_sets
from training.fitting.calibration import fused_temperature
from training.replay.recording import Recording
from training.replay.thresholds import sequence
from training.task import Promise
from weir.engine.cascade import Threshold

ALL = Promise(max_loss=0.05, abstain_above=0.1, alphas=(0.1, 0.3))


def _certified(promise: Promise = ALL, spending: Spending | None = None, rows: int = 1600) -> CertifiedPromises:
    """Certify a cheap and a good level over four labels."""
    validation, certification = drawn(1, (2.0, 3.0), 1000), drawn(2, (2.0, 3.0), rows)
    vectors = sequence(validation, (1.0, 10.0), promise.against)
    return certify(validation, divided(certification, promise, spending=spending), vectors, promise)


def test_rows_are_divided_among_the_promises_that_are_made() -> None:
    """The shares are ten to three to three, every row is in one of them, and the seed decides in which."""
    names = promises_made(ALL)
    parts = divide(8000, names, 0)
    assert {name: len(rows) for name, rows in parts.items()} == {"thresholds": 5000, "abstention": 1500, "sets": 1500}
    assert sorted(np.concatenate(list(parts.values())).tolist()) == list(range(8000))
    np.testing.assert_array_equal(parts["sets"], divide(8000, names, 0)["sets"])
    assert {name: len(rows) for name, rows in divide(750, promises_made(Promise()), 0).items()} == {"thresholds": 750}
    assert divide(750, [], 0) == {}


def test_every_promise_is_certified_on_rows_of_its_own() -> None:
    """The certificate states how the rows were divided among them."""
    promises = _certified()
    assert promises.thresholds.certificate is not None
    assert promises.thresholds.certificate.division == {"thresholds": 1000, "abstention": 300, "sets": 300}
    assert promises.thresholds.certificate.rows == 1000
    assert promises.abstention is not None
    assert (promises.abstention.rows, promises.abstention.max_error) == (300, 0.1)
    assert promises.abstention.p_value == p_value(promises.abstention.wrong, promises.abstention.answered, 0.1)
    assert promises.abstention.p_value <= 0.05
    assert promises.sets is not None
    assert [quantile.alpha for quantile in promises.sets.quantiles] == [0.1, 0.3]


def test_a_promise_that_the_task_does_not_make_takes_no_rows() -> None:
    """Without abstention and sets, the thresholds have all certification rows."""
    promises = _certified(Promise(max_loss=0.05))
    assert promises.abstention is None
    assert promises.sets is None
    assert promises.thresholds.certificate is not None
    assert promises.thresholds.certificate.division == {"thresholds": 1600}


def test_an_error_that_no_threshold_keeps_is_not_promised() -> None:
    """A warning names the error and the rows, and no row abstains."""
    promises = _certified(msgspec.structs.replace(ALL, abstain_above=0.0001))
    assert promises.abstention is None
    (warning,) = promises.warnings
    assert warning.startswith("no threshold keeps the error of labels below 0.01 % on 300 rows, so no row abstains; ")


def test_promises_are_written_into_a_manifest() -> None:
    """The manifest has the thresholds of the levels, the fused temperature, and each promise."""
    promises, plain = _certified(), make_manifest()
    manifest = promises.written_to(msgspec.structs.replace(plain, levels=plain.levels[1:]))
    certified = promises.thresholds
    assert tuple(level.threshold for level in manifest.levels) == certified.chosen.values
    assert manifest.fused_temperature == promises.fused_temperature
    assert manifest.certificate == certified.certificate
    assert (manifest.abstention, manifest.sets) == (promises.abstention, promises.sets)
    assert manifest.certificate_absent_because is None


def test_what_is_certified_is_what_serving_does() -> None:
    """Thresholds, then the temperature fitted on validation rows, then the rule; each on rows of its own."""
    validation, certification = paired(1, 1000), paired(2, 1600)
    promise = msgspec.structs.replace(ALL, max_loss=0.02)
    vectors = sequence(validation, (1.0, 10.0), promise.against)
    promises = certify(validation, divided(certification, promise, seed=7), vectors, promise)
    parts = divide(1600, promises_made(ALL), 7)
    values = promises.thresholds.chosen.values
    assert promises.fused_temperature == fused_temperature(
        validation.predictions(values), validation.labels, np.array([True, True])
    )

    def served(part: str) -> FinalPredictions:
        rows = certification.rows(parts[part])
        cascade = replace(rows.cascade, fused_temperature=promises.fused_temperature).with_thresholds(values)
        return FinalPredictions(cascade.answer(rows.numbers), rows.labels)

    assert promises.abstention is not None
    assert counts(promises.abstention) == counted(served("abstention"), promises.abstention)
    assert promises.sets == certify_sets(served("sets"), ALL.alphas)
    assert promises.thresholds.certificate is not None
    assert promises.thresholds.certificate.losses == _lost(certification.rows(parts["thresholds"]), values)


def _lost(rows: Recording, values: Sequence[Threshold]) -> int:
    return int(((rows.predictions(values).label != rows.labels) & rows.end_to_end_correct).sum())


def test_a_limit_that_is_not_named_is_settled_by_the_rows() -> None:
    """The certificate has the smallest limit that the rows of the thresholds carry, and the reason is told."""
    promises = _certified(Promise(), rows=600)
    assert promises.thresholds.certificate is not None
    assert (promises.thresholds.certificate.max_loss, promises.thresholds.certificate.rows) == (0.005, 600)
    assert promises.settled.promise.max_loss == 0.005
    assert promises.settled.why == ("600 certification rows carry 0.5 % at delta 5 %; 0.25 % takes at least 1197")
    beside_others = _certified(Promise(abstain_above=0.3, alphas=(0.1,)), rows=600)
    assert beside_others.settled.promise.max_loss == 0.01  # 375 of the 600 rows are the thresholds'


def test_a_later_attempt_certifies_with_what_is_left_of_delta() -> None:
    """Its limits of losses and of abstention are those of its own delta; the certificate states the sum spent."""
    first, third = _certified(), _certified(spending=Spending(3, 0.0125, 0.0875))
    assert first.thresholds.certificate is not None
    assert third.thresholds.certificate is not None
    one, other = first.thresholds.certificate, third.thresholds.certificate
    assert (one.attempt, one.delta, one.delta_spent) == (1, 0.05, 0.05)
    assert (other.attempt, other.delta, other.delta_spent) == (3, 0.0125, 0.0875)
    assert other.p_value <= 0.0125
    assert other.max_losses == max_losses(1000, 0.05, 0.0125) < one.max_losses == max_losses(1000, 0.05, 0.05)
    assert third.abstention is not None
    assert (third.abstention.delta, third.abstention.p_value <= 0.0125) == (0.0125, True)
    assert (third.abstention.attempt, third.abstention.delta_spent) == (3, 0.0875)
