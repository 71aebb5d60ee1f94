"""training.certifying.limits."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from training.certifying.binomial import p_value, rows_needed
from training.certifying.limits import AUTO_LIMITS, settle
from training.task import Promise


@pytest.mark.parametrize(
    ("rows", "limit"),
    [(59, 0.05), (99, 0.03), (100, 0.03), (180, 0.02), (300, 0.01), (598, 0.005), (750, 0.005), (1198, 0.0025)],
)
def test_auto_takes_the_smallest_limit_that_the_rows_carry(rows: int, limit: float) -> None:
    """The limit is carried if no row is lost; the reason names the rows, the limit, and what the next one takes."""
    settled = settle(Promise(), rows, 0.05)
    assert (settled.promise.max_loss, settled.promise.delta, settled.weaker) == (limit, 0.05, False)
    assert settled.why.startswith(f"{rows} certification rows carry {100 * limit:g} % at delta 5 %")
    assert p_value(0, rows, limit) <= 0.05


@given(st.integers(59, 20_000), st.sampled_from([0.05, 0.1]))
def test_no_smaller_limit_could_be_carried(rows: int, delta: float) -> None:
    """Whatever the number of rows, there is a promise, and a smaller one of the list would take more rows."""
    limit = settle(Promise(delta=delta), rows, delta).promise.max_loss
    assert rows_needed(limit, delta) <= rows
    assert all(rows_needed(smaller, delta) > rows for smaller in AUTO_LIMITS if smaller < limit)


def test_a_limit_of_the_task_that_is_carried_stays() -> None:
    """It needs no reason, even where the rows could carry a smaller one."""
    settled = settle(Promise(max_loss=0.07), 1000, 0.05)
    assert (settled.promise.max_loss, settled.why, settled.weaker) == (0.07, "", False)


def test_a_limit_that_the_rows_cannot_carry_becomes_the_smallest_that_they_can() -> None:
    """There is always a promise where a weaker one can be had, and the reason names both."""
    settled = settle(Promise(max_loss=0.004), 200, 0.05)
    assert (settled.promise.max_loss, settled.weaker) == (0.02, True)
    assert settled.why == "200 certification rows carry 2 % at delta 5 %; 0.4 % takes at least 748"


def test_a_later_attempt_carries_less() -> None:
    """It spends a smaller delta, which takes more rows."""
    assert [settle(Promise(), 300, 0.05 / 2**attempt).promise.max_loss for attempt in range(3)] == [0.01, 0.02, 0.02]


def test_too_few_rows_for_any_limit_leave_the_promise_as_it_is() -> None:
    """Then nothing is certified, which certification says."""
    assert settle(Promise(), 58, 0.05).promise.max_loss == AUTO_LIMITS[-1]
    assert settle(Promise(max_loss=0.02), 58, 0.05).promise.max_loss == 0.02


def test_all_else_of_the_promise_stays() -> None:
    """What it is against, and the promises beside it."""
    promise = Promise(against="agreement", abstain_above=0.1, alphas=(0.1,))
    settled = settle(promise, 300, 0.05).promise
    assert msgspec.structs.asdict(settled) == {**msgspec.structs.asdict(promise), "max_loss": 0.01}
