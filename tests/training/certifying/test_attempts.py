"""training.certifying.attempts."""

from pathlib import Path

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from training import folder
from training.certifying import attempts as attempts_file
from training.certifying.attempts import Attempt, Attempts, RowDigests, digests_of
from weir.errors import BadInput

DRAWN = np.random.default_rng(0).uniform(0, 255, (40, 4, 4)).astype(np.float32)
ROWS, OTHERS = digests_of(DRAWN[:20]), digests_of(DRAWN[20:])
OVERLAPPING = digests_of(DRAWN[19:])
"""the others, and one of the rows"""
ORDER = ((None, 0.0), (0.875, 0.0))


def _made(*tests: str, rows: RowDigests = ROWS, before: Attempts | None = None, delta: float = 0.05) -> Attempts:
    """Make these tests one after the other."""
    attempts = before or Attempts()
    for test in tests:
        spent = attempts.spending(test, rows, delta).delta
        attempts = attempts.adding(Attempt(test=test, rows=rows.name, delta=spent, order=ORDER), rows)
    return attempts


def test_every_attempt_on_the_same_rows_spends_half_of_the_one_before() -> None:
    """Attempts are numbered from 1, and each states what was spent with it."""
    spent = [_made(*"abcd"[:count]).spending("e", ROWS, 0.05) for count in range(4)]
    assert [one.number for one in spent] == [1, 2, 3, 4]
    assert [one.delta for one in spent] == [0.05, 0.025, 0.0125, 0.00625]
    assert [one.total for one in spent] == pytest.approx([0.05, 0.075, 0.0875, 0.09375])
    assert all(one.order == () for one in spent)


@given(st.integers(1, 40), st.floats(0.001, 0.4))
def test_however_many_attempts_are_made_less_than_twice_delta_is_spent(count: int, delta: float) -> None:
    """So the chance that any of their promises is broken is below twice that of one."""
    attempts = _made(*map(str, range(count)), delta=delta)
    assert sum(one.delta for one in attempts.attempts) <= 2 * delta
    assert attempts.spending("another", ROWS, delta).total <= 2 * delta


def test_the_very_same_test_is_the_same_attempt() -> None:
    """It keeps its number, its delta and its order, spends nothing anew, and is recorded once."""
    attempts = _made("a", "b", "a", "c")
    assert [one.test for one in attempts.attempts] == ["a", "b", "c"]
    again = attempts.spending("b", ROWS, 0.05)
    assert (again.number, again.delta, again.order) == (2, 0.025, ORDER)
    assert again.total == pytest.approx(0.0875)
    assert attempts.adding(Attempt(test="b", rows=ROWS.name, delta=0.9), ROWS) is attempts


def test_other_rows_start_anew() -> None:
    """Rows of which none was used have all of delta, whatever was tested on others."""
    attempts = _made("a", "b")
    assert not ROWS.overlap(OTHERS)
    fresh = attempts.spending("b", OTHERS, 0.05)
    assert (fresh.number, fresh.delta, fresh.total, fresh.order) == (1, 0.05, 0.05, ())


def test_rows_that_overlap_count_as_the_same() -> None:
    """One row in common is enough, in both directions; it is another test all the same."""
    attempts = _made("a", "b")
    assert ROWS.overlap(OVERLAPPING)
    assert OVERLAPPING.overlap(ROWS)
    assert attempts.spending("a", OVERLAPPING, 0.05).number == 3
    assert attempts.spending("a", OVERLAPPING, 0.05).order == ()
    backwards = _made("a", rows=OVERLAPPING).spending("a", ROWS, 0.05)
    assert (backwards.number, backwards.delta) == (2, 0.025)


def test_what_all_attempts_spent_is_a_probability() -> None:
    """Rows that overlap with many sets which do not overlap each other state at most 1."""
    attempts = Attempts()
    for numbers in np.split(np.arange(20), 4):
        attempts = _made("a", rows=digests_of(DRAWN[numbers]), before=attempts, delta=0.4)
    spent = attempts.spending("a", ROWS, 0.4)
    assert (spent.number, spent.total) == (5, 1.0)
    assert spent.delta == pytest.approx(0.4 / 2**4)


def test_rows_are_known_by_their_values_alone() -> None:
    """Neither their order, nor repeats, nor the precision of the array that brings them matters."""
    shuffled = digests_of(DRAWN[:20][::-1].repeat(2, axis=0).astype(np.float64))
    assert shuffled.name == ROWS.name
    assert digests_of(DRAWN[:19]).name != ROWS.name
    np.testing.assert_array_equal(RowDigests.decode(ROWS.encoded).sorted, ROWS.sorted)
    assert len(ROWS.sorted) == 20


def test_a_reused_training_brings_its_attempts_along() -> None:
    """Its networks have been tested on the same rows; a test that both know counts once."""
    own, others = _made("a"), _made("b", rows=OTHERS, before=_made("a", "c"))
    merged = own.merged(others)
    assert [one.test for one in merged.attempts] == ["a", "c", "b"]
    assert merged.spending("d", ROWS, 0.05).number == 3
    assert merged.spending("d", OTHERS, 0.05).number == 2
    assert own.merged(Attempts()) == own


def test_attempts_are_read_as_they_were_written(tmp_path: Path) -> None:
    """Orders keep their thresholds to the bit, and levels at which no row exits stay null."""
    attempts = _made("b", rows=OTHERS, before=_made("a"))
    attempts_file.save(tmp_path, attempts)
    assert attempts_file.load(tmp_path) == attempts
    assert attempts_file.load(tmp_path).spending("a", ROWS, 0.05).order == ORDER
    assert [path.name for path in tmp_path.iterdir()] == [attempts_file.FILE]


def test_a_folder_without_the_file_has_no_attempts(tmp_path: Path) -> None:
    """Nothing was certified there yet."""
    assert attempts_file.load(tmp_path) == Attempts()


SOUND = msgspec.json.encode(_made("a"))


@pytest.mark.parametrize(
    "content",
    [
        b"",
        SOUND[:-3],
        b"\xff\xfe",
        b"[]",
        b'{"attempts": 3}',
        SOUND.replace(b'"delta":0.05', b'"delta":-0.05'),
        SOUND.replace(ROWS.encoded.encode(), b"AAAA"),
        SOUND.replace(ROWS.encoded.encode(), OTHERS.encoded.encode()),
        msgspec.json.encode(msgspec.structs.replace(_made("a"), rows={})),
    ],
    ids=["empty", "cut", "no text", "a list", "a number", "a delta", "no digests", "other rows", "no rows"],
)
def test_a_damaged_file_is_refused_by_its_name(tmp_path: Path, content: bytes) -> None:
    """Nobody could tell from it what was spent, so nothing is certified."""
    (tmp_path / attempts_file.FILE).write_bytes(content)
    with pytest.raises(BadInput, match=r"attempts\.json is what certification wrote"):
        attempts_file.load(tmp_path)


def test_a_training_killed_after_its_certification_goes_on(tmp_path: Path) -> None:
    """The attempts are in the folder and the manifest is not yet: a training may write there, and finds them."""
    attempts = _made("a")
    with folder.working(tmp_path):
        attempts_file.save(tmp_path, attempts)
    with folder.working(tmp_path):
        assert attempts_file.load(tmp_path) == attempts


def test_a_new_training_in_a_folder_keeps_its_attempts(tmp_path: Path) -> None:
    """Its networks are tested on rows that may have been used before."""
    with folder.working(tmp_path):
        attempts_file.save(tmp_path, _made("a"))
        folder.complete(tmp_path, {}, b"{}")
    assert attempts_file.load(tmp_path) == _made("a")


def test_negative_zero_is_zero() -> None:
    """Networks can't tell them apart, so rows that differ in the sign of a zero are the same."""
    rows = np.zeros((1, 2, 2), np.float32)
    assert digests_of(-rows).name == digests_of(rows).name
