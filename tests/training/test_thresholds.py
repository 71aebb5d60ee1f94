"""training.thresholds, against a brute-force loop."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from training.thresholds import choose, evaluate
from weir.cascade import ALWAYS_ESCALATE
from weir.confidence import softmax

Floats = NDArray[np.float32]


def _levels(seed: int, skills: tuple[float, ...], rows: int = 80) -> tuple[list[Floats], NDArray[np.int64]]:
    """Make levels of given skill over the same rows."""
    random = np.random.default_rng(seed)
    labels = random.integers(0, 4, rows)
    levels = []
    for skill in skills:
        logits = random.normal(size=(rows, 4)).astype(np.float32)
        logits[np.arange(rows), labels] += skill
        levels.append(logits)
    return levels, labels


@given(st.integers(0, 1000), st.lists(st.floats(0, 1), min_size=2, max_size=2))
def test_what_thresholds_do_is_what_a_loop_over_rows_says(seed: int, thresholds: list[float]) -> None:
    """Regret and expected time, row by row."""
    levels, labels = _levels(seed, (1, 2, 4))
    times = (1.0, 3.0, 10.0)
    found = evaluate(levels, times, labels, [*thresholds, 0.0])
    lost, spent = 0, 0.0
    for row, right in enumerate(labels):
        for number, threshold in enumerate([*thresholds, 0.0]):
            posterior = softmax(levels[number][row : row + 1])[0]
            spent += times[number]
            if posterior.max() >= threshold:
                break
        lost += posterior.argmax() != right and levels[-1][row].argmax() == right
    assert found.regret == pytest.approx(lost / len(labels))
    assert found.time_us == pytest.approx(spent / len(labels))


@given(st.integers(0, 1000), st.floats(0, 0.2))
def test_the_chosen_keep_the_limit_and_save_time(seed: int, limit: float) -> None:
    """Never more regret than allowed, never more time than the last level alone."""
    levels, labels = _levels(seed, (1, 4))
    chosen = choose(levels, (1.0, 10.0), labels, limit)
    assert chosen.regret <= limit
    assert chosen.time_us <= 10.0
    assert chosen.values[-1] == 0


def test_more_regret_never_costs_more_time() -> None:
    """A wider limit has at least the choices of a narrower one."""
    levels, labels = _levels(5, (1, 2, 4), rows=300)
    times = [choose(levels, (1.0, 3.0, 10.0), labels, limit).time_us for limit in (0, 0.01, 0.05, 1)]
    assert times == sorted(times, reverse=True)
    assert times[-1] == 1.0


def test_a_level_that_saves_nothing_is_not_run() -> None:
    """One as costly as the last, and worse, is always escalated, at no cost."""
    levels, labels = _levels(1, (0.1, 5))
    chosen = choose(levels, (10.0, 10.0), labels, 0.0)
    assert chosen.values == (ALWAYS_ESCALATE, 0.0)
    assert chosen.time_us == 10.0


def test_two_levels_that_are_one_never_lose() -> None:
    """A level equal to the last can answer everything."""
    levels, labels = _levels(1, (3,))
    assert choose([levels[0], levels[0]], (1.0, 10.0), labels, 0.0).time_us == 1.0


def test_many_levels_are_tuned_in_time() -> None:
    """Five levels try no more vectors than two."""
    levels, labels = _levels(2, (1, 2, 3, 4, 5))
    chosen = choose(levels, (1.0, 2.0, 3.0, 4.0, 50.0), labels, 0.02)
    assert chosen.regret <= 0.02
    assert len(chosen.values) == 5
