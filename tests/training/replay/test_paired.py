"""training.replay.paired."""

from math import comb

import numpy as np
import pytest
from numpy.typing import NDArray

from training.replay.paired import compare


def _rows(ahead: int, behind: int, *, both: int = 7, neither: int = 5) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Lay out rows on which only the first is correct, only the second, both, and neither."""
    first = [True] * ahead + [False] * behind + [True] * both + [False] * neither
    second = [False] * ahead + [True] * behind + [True] * both + [False] * neither
    return np.array(first, bool), np.array(second, bool)


@pytest.mark.parametrize(("ahead", "behind"), [(5, 0), (4, 0), (9, 2), (3, 3), (2, 9), (60, 31)])
def test_the_p_value_is_the_tail_of_a_fair_coin(ahead: int, behind: int) -> None:
    """The oracle counts the outcomes of as many tosses with at least as many heads."""
    tosses = ahead + behind
    tail = sum(comb(tosses, heads) for heads in range(ahead, tosses + 1)) / 2**tosses
    assert compare(*_rows(ahead, behind)).p_value == pytest.approx(tail)


def test_only_rows_that_tell_the_two_apart_count() -> None:
    """More rows on which both are correct, or neither, change the counts and not the p-value."""
    few, many = compare(*_rows(6, 1)), compare(*_rows(6, 1, both=500, neither=80))
    assert few.p_value == many.p_value
    assert (many.rows, many.correct, many.other_correct) == (587, 506, 501)


def test_the_same_classifier_is_not_ahead_of_itself() -> None:
    """Without a row that tells them apart the p-value is 1."""
    assert compare(*_rows(0, 0)).p_value == 1
    assert compare(*_rows(0, 4)).p_value == 1


@pytest.mark.parametrize(("ahead", "behind", "beyond"), [(5, 0, True), (4, 0, False), (2, 9, False), (0, 0, False)])
def test_a_lead_is_beyond_chance_up_to_five_percent(ahead: int, behind: int, beyond: bool) -> None:
    """Five rows to none are (1/32), four to none are not (1/16), and who is behind never is."""
    assert compare(*_rows(ahead, behind)).beyond_chance == beyond
