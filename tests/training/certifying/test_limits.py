"""training.certifying.limits."""

from typing import Literal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from training.certifying.binomial import p_value, rows_needed
from training.certifying.limits import AUTO_LIMITS, label_limit, settle
from training.task import AUTO, Promise, SettledPromise

limits = st.floats(0.001, 0.049)
deltas = st.floats(0.01, 0.2)
Limit = float | Literal["auto"]


@pytest.mark.parametrize(
    ("rows", "limit"),
    [
        (59, 0.05),
        (98, 0.05),
        (99, 0.03),
        (100, 0.03),
        (148, 0.03),
        (149, 0.02),
        (180, 0.02),
        (298, 0.02),
        (299, 0.01),
        (598, 0.005),
        (750, 0.005),
        (1196, 0.005),
        (1197, 0.0025),
        (100_000, 0.0025),
    ],
)
def test_auto_is_the_smallest_limit_that_the_rows_carry(rows: int, limit: float) -> None:
    """Where no row is lost it can be certified, and the next smaller one cannot."""
    settled = settle(Promise(), rows, 0.05)
    assert (settled.promise.max_loss, settled.promise.delta, settled.weaker) == (limit, 0.05, False)
    assert p_value(0, rows, limit) <= 0.05
    smaller = [one for one in AUTO_LIMITS if one < limit]
    assert all(p_value(0, rows, one) > 0.05 for one in smaller)


def test_the_reason_names_the_rows_and_what_a_tighter_limit_takes() -> None:
    """It tells whoever reads it how many rows to add; of the tightest limit nothing more can be said."""
    assert settle(Promise(), 100, 0.05).why == "100 certification rows carry 3 % at delta 5 %; 2 % takes at least 149"
    assert settle(Promise(max_loss=0.007), 300, 0.05).why == (
        "300 certification rows carry 1 % at delta 5 %; 0.7 % takes at least 427"
    )
    assert settle(Promise(), 2000, 0.05).why == "2000 certification rows carry 0.25 % at delta 5 %"


@pytest.mark.parametrize(("max_loss", "stays"), [(AUTO, 0.05), (0.01, 0.01), (0.04, 0.04)])
def test_below_59_rows_there_is_nothing_to_settle(max_loss: Limit, stays: float) -> None:
    """Neither is a limit replaced nor a reason given: 5 % at 95 % confidence takes 59 rows."""
    settled = settle(Promise(max_loss=max_loss), 58, 0.05)
    assert (settled.promise.max_loss, settled.why, settled.weaker) == (stays, "", False)
    assert rows_needed(0.05, 0.05) == 59


@pytest.mark.parametrize(("max_loss", "rows"), [(0.01, 299), (0.03, 5000), (0.2, 14), (0.001, 2995)])
def test_a_limit_that_the_rows_carry_stays(max_loss: float, rows: int) -> None:
    """However many rows there are, a task that asks for a weaker limit than they could carry gets that limit."""
    settled = settle(Promise(max_loss=max_loss), rows, 0.05)
    assert (settled.promise.max_loss, settled.why, settled.weaker) == (max_loss, "", False)


@pytest.mark.parametrize(
    ("max_loss", "rows", "weaker"), [(0.01, 298, 0.02), (0.01, 100, 0.03), (0.02, 60, 0.05), (0.001, 2000, 0.0025)]
)
def test_a_limit_that_the_rows_cannot_carry_gets_weaker(max_loss: float, rows: int, weaker: float) -> None:
    """It becomes the smallest that they can carry, and is marked."""
    settled = settle(Promise(max_loss=max_loss), rows, 0.05)
    assert (settled.promise.max_loss, settled.weaker) == (weaker, True)
    assert f"{100 * max_loss:g} % takes at least {rows_needed(max_loss, 0.05)}" in settled.why


@given(st.one_of(limits, st.just(AUTO)), st.integers(1, 3000), deltas)
def test_there_is_a_promise_wherever_5_percent_can_be_had(max_loss: Limit, rows: int, delta: float) -> None:
    """Every settled limit can be certified, and none is tighter than what was asked for."""
    settled = settle(Promise(max_loss=max_loss), rows, delta)
    if rows >= rows_needed(0.05, delta):
        assert rows_needed(settled.promise.max_loss, delta) <= rows
    assert max_loss == AUTO or settled.promise.max_loss >= max_loss
    assert settled.weaker == (max_loss not in (AUTO, settled.promise.max_loss))


@pytest.mark.parametrize(("attempt", "limit"), [(1, 0.01), (2, 0.02), (3, 0.02), (5, 0.02), (7, 0.03)])
def test_a_later_attempt_carries_less(attempt: int, limit: float) -> None:
    """It has less delta to spend on the same 300 rows, so the limit of `auto` grows."""
    assert settle(Promise(), 300, 0.05 / 2 ** (attempt - 1)).promise.max_loss == limit


def test_nothing_else_of_a_promise_changes() -> None:
    """What it is against, abstention and sets are those of the task."""
    promise = Promise(against="agreement", abstain_above=0.1, alphas=(0.05, 0.1))
    settled = settle(promise, 300, 0.025).promise
    expected = {**msgspec.structs.asdict(promise), "max_loss": 0.02, "delta": 0.025}
    assert msgspec.structs.asdict(settled) == expected


@pytest.mark.parametrize(
    ("max_loss", "asked", "rows", "limit"),
    [
        (0.01, 0.1, [5], 0.1),
        (0.01, AUTO, [1000, 300], 0.01),
        (0.01, AUTO, [1000, 298], 0.02),
        (0.01, AUTO, [1000, 59], 0.05),
        (0.01, AUTO, [1000, 58], 0.01),
        (0.01, AUTO, [58, 3], 0.05),
        (0.1, AUTO, [1000, 30], 0.1),
        (0.005, AUTO, [5000, 2000], 0.005),
    ],
    ids=[
        "the task's own stands",
        "all labels carry the limit of all rows",
        "the smaller label decides",
        "the weakest",
        "a label that can't carry the weakest does not count",
        "none can",
        "not below the limit of all rows",
        "not below it, however many rows there are",
    ],
)
def test_the_limit_of_labels_is_settled_by_the_rows_of_the_smallest(
    max_loss: float, asked: Limit, rows: list[int], limit: float
) -> None:
    """Of the labels that can have a promise at all, each has one."""
    promise = SettledPromise(max_loss=max_loss, max_loss_per_label=asked)
    assert label_limit(promise, rows) == limit
