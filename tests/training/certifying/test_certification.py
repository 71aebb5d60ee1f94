"""training.certifying.certification."""

from dataclasses import replace
from math import comb

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom

from tests.serving import make_manifest
from tests.training.recordings import drawn, of_words
from training.certifying.certification import certify, max_losses, p_value, rows_needed, told
from training.replay.recording import Recording
from training.replay.thresholds import Thresholds, sequence
from training.task import Promise
from weir.engine.cascade import ALWAYS_ESCALATE

PROMISE = Promise(max_loss=0.05, delta=0.05)


@given(st.integers(1, 400), st.floats(0.001, 0.5), st.data())
def test_the_p_value_is_the_binomial_tail(rows: int, max_loss: float, data: st.DataObject) -> None:
    """By its definition, a sum of rows choose i, and by SciPy."""
    losses = data.draw(st.integers(0, min(rows, 12)))
    tail = sum(comb(rows, i) * max_loss**i * (1 - max_loss) ** (rows - i) for i in range(losses + 1))
    assert p_value(losses, rows, max_loss) == pytest.approx(tail, rel=1e-9)
    assert p_value(losses, rows, max_loss) == binom.cdf(losses, rows, max_loss)


@pytest.mark.parametrize(
    ("rows", "max_loss", "most"),
    [
        (5000, 0.0025, 6),
        (5000, 0.005, 16),
        (5000, 0.01, 38),
        (5000, 0.02, 83),
        (750, 0.01, 2),
        (750, 0.005, 0),
        (250, 0.01, -1),
    ],
)
def test_the_most_losses_that_pass(rows: int, max_loss: float, most: int) -> None:
    """One more would not."""
    assert max_losses(rows, max_loss, 0.05) == most
    assert most < 0 or p_value(most, rows, max_loss) <= 0.05
    assert p_value(most + 1, rows, max_loss) > 0.05


@pytest.mark.parametrize(("max_loss", "rows"), [(0.01, 299), (0.005, 598)])
def test_fewer_rows_carry_nothing(max_loss: float, rows: int) -> None:
    """With that many, none may be lost."""
    assert rows_needed(max_loss, 0.05) == rows
    assert max_losses(rows, max_loss, 0.05) >= 0
    assert max_losses(rows - 1, max_loss, 0.05) == -1


def _rows(wrong: list[int], rows: int = 100) -> Recording:
    """Make two levels over rows whose label is 0; the first is sure in the order of the rows, and sometimes wrong."""
    sure = np.linspace(0.99, 0.6, rows).astype(np.float32)
    first = np.stack([sure, 1 - sure], axis=1)
    first[wrong] = first[wrong][:, ::-1]
    last = np.tile(np.array([[0.9, 0.1]], np.float32), (rows, 1))
    return of_words([first, last], np.zeros(rows, np.int64))


def _tried(*thresholds: float) -> list[Thresholds]:
    return [Thresholds((threshold, 0.0), 0.0, 0.0) for threshold in (ALWAYS_ESCALATE, *thresholds)]


def test_the_last_that_passed_is_kept() -> None:
    """Not the one that failed, and none after it, although it would pass."""
    rows = _rows(wrong=[40, 41, 42, 43])
    found = certify(_tried(0.95, 0.85, 0.7, 0.97), rows, PROMISE, "digest")
    assert found.thresholds.values == (0.85, 0.0)
    assert found.certificate is not None
    assert (found.certificate.losses, found.certificate.tried, found.certificate.rows) == (0, 4, 100)
    assert found.certificate.p_value == p_value(0, 100, 0.05)
    assert found.certificate.max_losses == 1
    assert found.certificate.division == {"thresholds": 100}
    assert found.absent_because is None


def test_too_few_rows_certify_nothing() -> None:
    """And the reason says how many it takes."""
    found = certify(_tried(0.9), _rows([], rows=50), PROMISE, "digest")
    assert found.thresholds.values == (ALWAYS_ESCALATE, 0.0)
    assert found.certificate is None
    assert (
        found.absent_because == "a promise of 5 % at delta 5 % takes at least 59 certification rows, and there are 50"
    )


def test_a_promise_against_labels_that_the_last_level_breaks_is_none() -> None:
    """Always escalating does not help there."""
    hard = replace(_rows([]), labels=np.where(np.arange(100) < 10, 1, 0))
    found = certify(_tried(0.9), hard, msgspec.structs.replace(PROMISE, against="labels"), "digest")
    assert found.certificate is None
    assert "wrong on 10 of 100" in str(found.absent_because)
    assert certify(_tried(0.9), hard, PROMISE, "digest").certificate is not None


def test_the_promise_is_kept_as_often_as_it_says() -> None:
    """Rows drawn with replacement from a population: broken in at most delta plus three standard errors of draws."""
    random = np.random.default_rng(1)
    rows = drawn(1, (2.0, 4.0), 4000, outputs=3)
    validation, population = rows.rows(np.arange(1000)), rows.rows(np.arange(1000, 4000))
    tried = sequence(validation, (1.0, 10.0), "end-to-end")[:60]
    broken, draws = 0, 200
    for _ in range(draws):
        found = certify(tried, population.rows(random.integers(0, 3000, 600)), PROMISE, "")
        broken += _loss(population, found.thresholds.values[0]) > PROMISE.max_loss
    assert broken / draws <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / draws)


def _loss(rows: Recording, threshold: float) -> float:
    first, last = rows.posteriors
    leaves = first.max(axis=1) >= threshold
    return float((leaves & (first.argmax(axis=1) != rows.labels) & (last.argmax(axis=1) == rows.labels)).mean())


def test_the_promise_is_told_in_one_line() -> None:
    """With what the rows do not carry."""
    found = certify(_tried(0.95, 0.85), _rows([]), PROMISE, "digest")
    line = told(msgspec.structs.replace(make_manifest(), certificate=found.certificate))
    assert line == (
        "with 95 % confidence, the cascade is wrong where the end-to-end model is right on at most 5 % of rows "
        "(0 of 100 certification rows, 1 allowed); the same thresholds do not carry 2.5 % on these rows"
    )
    none = msgspec.structs.replace(make_manifest(), certificate_absent_because="too few")
    assert told(none) == "no promise, so only the last level runs: too few"
