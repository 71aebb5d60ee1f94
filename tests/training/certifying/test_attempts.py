"""training.certifying.attempts."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from training.certifying import attempts as attempts_file
from training.certifying.attempts import Attempt, Attempts, RowDigests, digests_of
from weir.errors import BadInput

ORDER = ((None, 0.0), (0.9, 0.0))


def _rows(first: int, count: int = 10) -> RowDigests:
    return digests_of(np.arange(first, first + count, dtype=np.float32)[:, None] * np.ones(3, np.float32))


def _after(attempts: Attempts, test: str, rows: RowDigests, delta: float = 0.05) -> Attempts:
    spending = attempts.spending(test, rows, delta)
    return attempts.adding(Attempt(test=test, rows=rows.name, delta=spending.delta, order=ORDER), rows)


def test_each_attempt_on_the_same_rows_spends_half_of_the_one_before() -> None:
    """The number counts up, and the total is the sum of what was spent."""
    attempts, spent = Attempts(), []
    for number in range(1, 6):
        spending = attempts.spending(f"test {number}", _rows(0), 0.05)
        spent.append(spending.delta)
        assert (spending.number, spending.order) == (number, ())
        assert spending.total == pytest.approx(sum(spent))
        attempts = _after(attempts, f"test {number}", _rows(0))
    assert spent == [0.05, 0.025, 0.0125, 0.00625, 0.003125]


@given(st.integers(1, 40))
def test_all_attempts_together_spend_less_than_twice_delta(count: int) -> None:
    """However often it is tried."""
    attempts = Attempts()
    for number in range(count):
        attempts = _after(attempts, str(number), _rows(0))
    assert attempts.spending("another", _rows(0), 0.05).total < 0.1


def test_the_very_same_test_is_the_same_attempt() -> None:
    """It spends nothing anew, and its threshold vectors come in the order that they had."""
    attempts = _after(_after(Attempts(), "first", _rows(0)), "second", _rows(0))
    again = attempts.spending("first", _rows(0), 0.05)
    assert (again.number, again.delta, again.order) == (1, 0.05, ORDER)
    assert again.total == pytest.approx(0.075)
    assert _after(attempts, "first", _rows(0)) == attempts


def test_rows_that_overlap_are_the_same_rows() -> None:
    """One row in common is enough; rows that nothing has used start anew."""
    attempts = _after(Attempts(), "first", _rows(0))
    assert attempts.spending("second", _rows(9), 0.05).number == 2
    assert attempts.spending("first", _rows(9), 0.05).number == 2
    assert attempts.spending("second", _rows(10), 0.05).number == 1


def test_the_order_of_rows_does_not_matter_and_equal_rows_count_once() -> None:
    """A set of rows is known by its content."""
    rows = np.random.default_rng(0).random((20, 4)).astype(np.float32)
    assert digests_of(rows).name == digests_of(rows[::-1]).name == digests_of(np.concatenate([rows, rows])).name
    assert digests_of(rows).name != digests_of(rows[1:]).name


def test_attempts_of_a_reused_training_count() -> None:
    """Its rows are the same; an attempt that both know counts once."""
    one, other = _after(Attempts(), "first", _rows(0)), _after(_after(Attempts(), "first", _rows(0)), "b", _rows(0))
    merged = one.merged(other)
    assert [attempt.test for attempt in merged.attempts] == ["first", "b"]
    assert merged.spending("third", _rows(0), 0.05).number == 3


def test_attempts_are_read_as_they_were_written(tmp_path: Path) -> None:
    """A folder without the file has none yet."""
    assert attempts_file.load(tmp_path) == Attempts()
    attempts = _after(_after(Attempts(), "first", _rows(0)), "second", _rows(5))
    attempts_file.save(tmp_path, attempts)
    assert attempts_file.load(tmp_path) == attempts


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"attempts": 1}', b"\xff"])
def test_a_damaged_file_is_refused(content: bytes, tmp_path: Path) -> None:
    """Without it nobody knows what was spent, so it never counts as none; the error names the file."""
    (tmp_path / attempts_file.FILE).write_bytes(content)
    with pytest.raises(BadInput, match=r"attempts\.json is what certification wrote"):
        attempts_file.load(tmp_path)
