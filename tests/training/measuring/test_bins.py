"""training.measuring.bins."""

from itertools import pairwise

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom

from training.measuring.bins import MAX_BINS, ROWS_PER_BIN, Bin, accuracy_interval, diagram
from training.measuring.reliability import Confidences, Flags

CONFIDENCE = st.floats(0, 1) | st.floats(0, 1, width=32) | st.sampled_from([0.0, 0.5, 0.999, 0.9999, 1.0])
TIES = st.lists(st.tuples(CONFIDENCE, st.integers(1, 70), st.integers(0, 70)), min_size=1, max_size=40)
"""confidence, rows that have it, and how many of them are correct (at most all)"""


def _rows(ties: list[tuple[float, int, int]]) -> tuple[Confidences, Flags]:
    """Write the rows out, in an order that is not theirs."""
    confidence = np.repeat([tie[0] for tie in ties], [tie[1] for tie in ties])
    correct = np.concatenate([np.arange(rows) < correct for _, rows, correct in ties])
    order = np.random.default_rng(0).permutation(len(confidence))
    return confidence[order], correct[order]


def _calibrated(rows: int, seed: int = 0) -> tuple[Confidences, Flags]:
    """Draw rows without ties, as accurate as confident."""
    random = np.random.default_rng(seed)
    confidence = random.uniform(0.3, 0.99, rows)
    return confidence, random.random(rows) < confidence


@given(TIES)
def test_every_row_is_in_one_bin(ties: list[tuple[float, int, int]]) -> None:
    """A bin's numbers are those of all rows from its lowest to its highest confidence, and no two bins overlap."""
    confidence, correct = _rows(ties)
    bins = diagram(confidence, correct)
    assert sum(one.rows for one in bins) == len(confidence)
    assert all(lower.high < higher.low for lower, higher in pairwise(bins))
    for one in bins:
        inside = (one.low <= confidence) & (confidence <= one.high)
        assert one.rows == inside.sum()
        assert one.confidence == pytest.approx(confidence[inside].mean(), abs=1e-6)
        assert one.accuracy == pytest.approx(correct[inside].mean())


@given(TIES)
def test_a_bin_holds_enough_rows(ties: list[tuple[float, int, int]]) -> None:
    """There are at most 15 bins of at least 30 rows each, or one bin of fewer rows."""
    bins = diagram(*_rows(ties))
    assert 1 <= len(bins) <= MAX_BINS
    assert len(bins) == 1 or min(one.rows for one in bins) >= ROWS_PER_BIN


@given(TIES)
def test_an_interval_holds_its_accuracy(ties: list[tuple[float, int, int]]) -> None:
    """It is also between 0 and 1, and never a point."""
    for one in diagram(*_rows(ties)):
        assert 0 <= one.accuracy_low <= one.accuracy <= one.accuracy_high <= 1
        assert one.accuracy_low < one.accuracy_high


@pytest.mark.parametrize(
    ("rows", "bins"), [(1, 1), (20, 1), (59, 1), (60, 2), (100, 3), (300, 10), (449, 14), (450, 15), (100_000, 15)]
)
def test_more_rows_make_more_bins_of_equal_numbers(rows: int, bins: int) -> None:
    """Without ties there is a bin for every 30 rows up to 15, and their numbers of rows differ by at most one."""
    numbers = [one.rows for one in diagram(*_calibrated(rows))]
    assert len(numbers) == bins
    assert max(numbers) - min(numbers) <= 1


@pytest.mark.parametrize("value", [0.0, 0.5, 1.0])
def test_equal_confidences_are_one_bin(value: float) -> None:
    """However many rows share a confidence, their one bin says how many of them are correct."""
    (only,) = diagram(np.full(1000, value, np.float32), np.arange(1000) < 970)
    assert (only.low, only.high, only.rows, only.confidence, only.accuracy) == (value, value, 1000, value, 0.97)


def test_a_cut_is_made_at_the_nearer_end_of_a_tie() -> None:
    """Rows of different confidence are not lumped into a large tie: 40 rows below it are a bin of their own."""
    confidence = np.array([*np.linspace(0.3, 0.6, 40), *[0.8] * 900, *np.linspace(0.9, 0.95, 60)])
    assert [one.rows for one in diagram(confidence, confidence > 0.5)] == [40, 900, 30, 30]


def test_rows_too_confident_to_be_told_apart_are_one_bin() -> None:
    """Of 1,000 rows those with at least 99.9 % would make at most one error, so they share the last bin."""
    confidence = np.concatenate([np.linspace(0.5, 0.998, 100), 1 - np.geomspace(9e-4, 1e-9, 900)])
    bins = diagram(confidence, np.ones(1000, bool))
    assert bins[-1].rows == 900
    assert bins[-1].low == pytest.approx(0.9991)
    assert bins[-2].high == pytest.approx(0.998)


def test_a_bin_worked_out_by_hand() -> None:
    """Of 4 rows, 3 are correct: the interval is that of tables of Clopper and Pearson."""
    bins = diagram(np.array([0.75, 0.5, 1.0, 0.25], np.float32), np.array([True, True, True, False]))
    assert len(bins) == 1
    assert msgspec.structs.asdict(bins[0]) == pytest.approx(
        {
            "low": 0.25,
            "high": 1,
            "rows": 4,
            "confidence": 0.625,
            "accuracy": 0.75,
            "accuracy_low": 0.1941,
            "accuracy_high": 0.9937,
        },
        abs=1e-4,
    )


def test_no_rows_are_no_bins() -> None:
    """A diagram of nothing is empty."""
    assert diagram(np.array([], np.float32), np.array([], bool)) == ()


def test_bins_survive_json() -> None:
    """What `report.json` holds can be read back."""
    bins = diagram(*_calibrated(200))
    assert msgspec.json.decode(msgspec.json.encode(bins), type=tuple[Bin, ...]) == bins


@pytest.mark.parametrize("rows", [1, 20, 50, 300])
def test_an_interval_covers_the_true_accuracy_in_95_of_100_samples(rows: int) -> None:
    """It does so for every accuracy, also near 100 %, where Wilson's interval covers 84 %."""
    intervals = np.array([accuracy_interval(correct, rows) for correct in range(rows + 1)])
    for accuracy in [*np.linspace(0.01, 0.99, 99), 1 - 0.1765 / rows, 1 - 1e-3, 1 - 1e-5]:
        covered = (intervals[:, 0] <= accuracy) & (accuracy <= intervals[:, 1])
        assert binom.pmf(np.arange(rows + 1), rows, accuracy)[covered].sum() >= 0.95


@pytest.mark.parametrize(("correct", "rows"), [(1, 20), (10, 20), (19, 20), (667, 700)])
def test_the_ends_of_an_interval_leave_a_fortieth_on_each_side(correct: int, rows: int) -> None:
    """At its lower end as many correct rows or more have a chance of 2.5 %, at its upper end as many or fewer."""
    low, high = accuracy_interval(correct, rows)
    assert binom.sf(correct - 1, rows, low) == pytest.approx(0.025)
    assert binom.cdf(correct, rows, high) == pytest.approx(0.025)


def test_intervals_of_a_calibrated_predictor_cross_the_diagonal() -> None:
    """At least 95 % of its bins have their mean confidence inside the interval of their accuracy."""
    bins = [one for seed in range(40) for one in diagram(*_calibrated(450, seed))]
    inside = [one.accuracy_low <= one.confidence <= one.accuracy_high for one in bins]
    assert np.mean(inside) >= 0.95
