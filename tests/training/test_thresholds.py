"""training.thresholds, against a brute-force loop."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from training.thresholds import Rows, evaluate, sequence
from weir.cascade import ALWAYS_ESCALATE
from weir.confidence import softmax

Floats = NDArray[np.float32]


def _rows(seed: int, skills: tuple[float, ...], rows: int = 80) -> Rows:
    """Make levels of given skill over the same rows."""
    random = np.random.default_rng(seed)
    labels = random.integers(0, 4, rows)
    levels: list[Floats] = []
    for skill in skills:
        logits = random.normal(size=(rows, 4)).astype(np.float32)
        logits[np.arange(rows), labels] += skill
        levels.append(softmax(logits))
    return Rows(levels, labels)


@given(st.integers(0, 1000), st.lists(st.floats(0, 1), min_size=2, max_size=2), st.booleans())
def test_what_thresholds_do_is_what_a_loop_over_rows_says(seed: int, thresholds: list[float], labelled: bool) -> None:
    """Loss and expected time, row by row, whatever the promise is against."""
    rows, times = _rows(seed, (1, 2, 4)), (1.0, 3.0, 10.0)
    found = evaluate(rows, times, [*thresholds, 0.0], "labels" if labelled else "end-to-end")
    losses, spent = 0, 0.0
    for row, right in enumerate(rows.labels):
        for number, threshold in enumerate([*thresholds, 0.0]):
            posterior = rows.words[number][row]
            spent += times[number]
            if posterior.max() >= threshold:
                break
        losses += posterior.argmax() != right and (labelled or rows.words[-1][row].argmax() == right)
    assert found.loss == pytest.approx(losses / len(rows.labels))
    assert found.time_us == pytest.approx(spent / len(rows.labels))


@given(st.integers(0, 1000))
def test_the_sequence_begins_safe_and_gets_ever_cheaper(seed: int) -> None:
    """Always escalating first, which loses nothing; then each vector saves time over the one before, at a price."""
    tried = sequence(_rows(seed, (1, 2, 4)), (1.0, 3.0, 10.0), "end-to-end")
    assert tried[0].values == (ALWAYS_ESCALATE, ALWAYS_ESCALATE, 0.0)
    assert tried[0].loss == 0
    times, losses = [one.time_us for one in tried], [one.loss for one in tried[1:]]
    assert times == sorted(set(times), reverse=True)
    assert losses == sorted(set(losses))
    assert tried[-1].time_us == 1.0


def test_a_level_that_saves_nothing_is_never_tried() -> None:
    """One as costly as the last leaves only always escalating."""
    assert [one.values for one in sequence(_rows(1, (0.1, 5)), (10.0, 10.0), "end-to-end")] == [(ALWAYS_ESCALATE, 0.0)]


def test_two_levels_that_are_one_never_lose() -> None:
    """A level equal to the last can answer everything."""
    rows = _rows(1, (3,))
    tried = sequence(Rows([rows.words[0]] * 2, rows.labels), (1.0, 10.0), "end-to-end")
    assert (tried[-1].time_us, tried[-1].loss) == (1.0, 0.0)


def test_many_levels_are_tried_in_time() -> None:
    """Five levels try no more vectors than two."""
    assert len(sequence(_rows(2, (1, 2, 3, 4, 5)), (1.0, 2.0, 3.0, 4.0, 50.0), "labels")[0].values) == 5
