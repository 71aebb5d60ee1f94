"""training.certifying.loss_promise."""

from dataclasses import replace

import msgspec
import numpy as np

from tests.serving import make_manifest
from tests.training.recordings import drawn, recording
from training.certifying.binomial import p_value
from training.certifying.loss_promise import certify_thresholds, describe
from training.replay.recording import Recording
from training.replay.thresholds import Thresholds, sequence
from training.task import SettledPromise
from weir.engine.cascade import Threshold

PROMISE = SettledPromise(max_loss=0.05, delta=0.05)


def _rows(wrong: list[int], rows: int = 100) -> Recording:
    """Record two levels on rows of label 0; the first is less confident from row to row, and wrong on some."""
    confidences = np.linspace(0.99, 0.6, rows).astype(np.float32)
    first = np.stack([confidences, 1 - confidences], axis=1)
    first[wrong] = first[wrong][:, ::-1]
    last = np.tile(np.array([[0.9, 0.1]], np.float32), (rows, 1))
    return recording([first, last], np.zeros(rows, np.int64))


def _vectors(*thresholds: float) -> list[Thresholds]:
    return [Thresholds((threshold, 0.0), 0.0, 0.0) for threshold in (None, *thresholds)]


def test_the_last_vector_that_passed_is_kept() -> None:
    """The test keeps neither the vector that failed nor one behind it, although that one would pass."""
    rows = _rows(wrong=[40, 41, 42, 43])
    certified = certify_thresholds(_vectors(0.95, 0.85, 0.7, 0.97), rows, PROMISE, "digest")
    assert certified.chosen.values == (0.85, 0.0)
    assert certified.certificate is not None
    assert (certified.certificate.losses, certified.certificate.tried, certified.certificate.rows) == (0, 4, 100)
    assert certified.certificate.p_value == p_value(0, 100, 0.05)
    assert certified.certificate.max_losses == 1
    assert certified.certificate.division == {"thresholds": 100}
    assert certified.absent_because is None


def test_too_few_rows_certify_nothing() -> None:
    """The reason names the rows that are needed and those that there are."""
    certified = certify_thresholds(_vectors(0.9), _rows([], rows=50), PROMISE, "digest")
    assert certified.chosen.values == (None, 0.0)
    assert certified.certificate is None
    assert (
        certified.absent_because
        == "a promise of 5 % at delta 5 % takes at least 59 certification rows, and there are 50"
    )


def test_a_promise_against_labels_that_the_last_level_breaks_is_not_certified() -> None:
    """Always escalating does not help there; against the end-to-end model it does."""
    hard = replace(_rows([]), labels=np.where(np.arange(100) < 10, 1, 0))
    against_labels = msgspec.structs.replace(PROMISE, against="labels")
    certified = certify_thresholds(_vectors(0.9), hard, against_labels, "digest")
    assert certified.certificate is None
    assert "wrong on 10 of 100" in str(certified.absent_because)
    assert certify_thresholds(_vectors(0.9), hard, PROMISE, "digest").certificate is not None


def test_the_promise_is_kept_as_often_as_it_states() -> None:
    """On rows drawn with replacement from a population, it breaks in at most delta of draws plus three errors."""
    random = np.random.default_rng(1)
    rows = drawn(1, (2.0, 4.0), 4000, outputs=3)
    validation, population = rows.rows(np.arange(1000)), rows.rows(np.arange(1000, 4000))
    vectors = sequence(validation, (1.0, 10.0), "end-to-end")[:60]
    broken, draws = 0, 200
    for _ in range(draws):
        certified = certify_thresholds(vectors, population.rows(random.integers(0, 3000, 600)), PROMISE, "")
        broken += _loss(population, certified.chosen.values[0]) > PROMISE.max_loss
    assert broken / draws <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / draws)


def _loss(rows: Recording, threshold: Threshold) -> float:
    first, last = rows.posteriors
    exits = first.max(axis=1) >= (np.inf if threshold is None else threshold)
    return float((exits & (first.argmax(axis=1) != rows.labels) & (last.argmax(axis=1) == rows.labels)).mean())


def test_the_promise_is_described_in_one_line() -> None:
    """The line says too what the rows are too few to certify, or why there is no promise."""
    certified = certify_thresholds(_vectors(0.95, 0.85), _rows([]), PROMISE, "digest")
    line = describe(msgspec.structs.replace(make_manifest(), certificate=certified.certificate))
    assert line == (
        "with 95 % confidence, the cascade is wrong where the end-to-end model is right on at most 5 % of rows "
        "(0 of 100 certification rows, 1 allowed); the same thresholds do not certify 2.5 % on these rows"
    )
    without = msgspec.structs.replace(make_manifest(), certificate_absent_because="too few")
    assert describe(without) == "no promise, so only the last level runs: too few"
