"""training.replay.thresholds, against a brute-force loop."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from tests.training.recordings import drawn, of_words
from training.replay.recording import Recording
from training.replay.thresholds import cheapest, evaluate, lost, sequence
from weir.catalog.promises import Against
from weir.engine.cascade import ALWAYS_ESCALATE

Floats = NDArray[np.float32]

TIMES = (1.0, 3.0, 10.0)

threshold = st.floats(0, 1) | st.just(ALWAYS_ESCALATE)
against = st.sampled_from(["end-to-end", "labels"])


def _words(rows: Recording) -> list[Floats]:
    """Take what each level says; none of these builds on the one before."""
    return [rows.posteriors[number] for number in range(len(rows.steps))]


@given(st.integers(0, 1000), st.tuples(threshold, threshold), against)
def test_what_thresholds_do_is_what_a_loop_over_rows_says(
    seed: int, first: tuple[float, float], promise: Against
) -> None:
    """Lost rows, loss and expected time, row by row, whatever the promise is against; who cannot exit is not run."""
    rows = replace(drawn(seed, (1, 2, 4)), end_to_end=drawn(seed, (3,)).end_to_end)
    values, losses, spent = (*first, 0.0), [], 0.0
    for row, right in enumerate(rows.labels):
        said = rows.posteriors[-1][row]
        for number, value in enumerate(values):
            if value > 1:
                continue
            said = rows.posteriors[number][row]
            spent += TIMES[number]
            if said.max() >= value:
                break
        losses.append(said.argmax() != right and (promise == "labels" or rows.end_to_end[row].argmax() == right))
    found = evaluate(rows, TIMES, values, promise)
    assert lost(rows, values, promise).tolist() == losses
    assert found.values == values
    assert found.loss == pytest.approx(np.mean(losses))
    assert found.time_us == pytest.approx(spent / len(rows.labels))


@settings(max_examples=8)
@given(st.integers(0, 1000))
def test_the_sequence_begins_safe_and_gets_ever_cheaper(seed: int) -> None:
    """Always escalating first, which loses nothing; then each vector saves time over the one before, at a price."""
    rows = drawn(seed, (1, 2, 4), rows=40)
    tried = sequence(rows, TIMES, "end-to-end")
    assert tried[0].values == (ALWAYS_ESCALATE, ALWAYS_ESCALATE, 0.0)
    assert tried[0].loss == 0
    times, losses = [one.time_us for one in tried], [one.loss for one in tried[1:]]
    assert times == sorted(set(times), reverse=True)
    assert losses == sorted(set(losses))
    assert tried[-1].time_us == 1.0
    assert all(one == evaluate(rows, TIMES, one.values, "end-to-end") for one in tried)


def _coarse(seed: int) -> Recording:
    """Draw two levels over two labels; confidences of the first lie a hundredth apart, so that all are told apart."""
    random = np.random.default_rng(seed)
    labels = random.integers(0, 2, 60)
    sure = np.round(random.uniform(0.5, 1, 60), 2).astype(np.float32)
    right = random.random(60) < sure
    of_label = np.where(right, sure, 1 - sure)
    first = np.where(labels[:, None] == np.arange(2), of_label[:, None], 1 - of_label[:, None]).astype(np.float32)
    last = np.where(random.random((60, 1)) < 0.9, np.eye(2)[labels], 1 - np.eye(2)[labels]).astype(np.float32)
    return of_words([first, last], labels)


def _by_force(rows: Recording, times: tuple[float, float], promise: Against) -> list[tuple[float, float]]:
    """Try every threshold that makes a difference and saves time: its time and its loss."""
    first, last = _words(rows)
    always, found = times[1], []
    for value in [*np.unique(first.max(axis=1)), np.inf]:
        leaves = first.max(axis=1) >= value
        wrong = np.where(leaves, first.argmax(axis=1), last.argmax(axis=1)) != rows.labels
        if promise == "end-to-end":
            wrong &= rows.end_to_end_right
        time_us = times[0] + times[1] * (~leaves).mean() if np.isfinite(value) else always
        if time_us < always:
            found.append((float(time_us), float(wrong.mean())))
    return found


@settings(max_examples=25)
@given(st.integers(0, 1000), against, st.floats(1.5, 20))
def test_the_sequence_holds_all_that_nothing_beats(seed: int, promise: Against, last_us: float) -> None:
    """Of all that thresholds can do in less time than always escalating: who is faster loses more, and only those."""
    rows, times = _coarse(seed), (1.0, last_us)
    tried = _by_force(rows, times, promise)
    front = {one for one in tried if not any(_beats(other, one) for other in tried)}
    found = [(one.time_us, one.loss) for one in sequence(rows, times, promise)[1:]]
    assert len(found) == len(front)
    np.testing.assert_allclose(found, sorted(front, reverse=True) if front else np.empty((0,)))


def _beats(one: tuple[float, float], other: tuple[float, float]) -> bool:
    return one != other and one[0] <= other[0] and one[1] <= other[1]


@settings(max_examples=25)
@given(st.integers(0, 1000), against, st.floats(0, 0.4))
def test_the_cheapest_is_the_cheapest_that_keeps_the_limit(seed: int, promise: Against, max_loss: float) -> None:
    """Of all thresholds, on these very rows; none where always escalating and all that is cheaper lose more."""
    rows, times = _coarse(seed), (1.0, 10.0)
    always = evaluate(rows, times, (ALWAYS_ESCALATE, 0.0), promise)
    kept = [time for time, loss in [*_by_force(rows, times, promise), (10.0, always.loss)] if loss <= max_loss]
    found = cheapest(rows, times, max_loss, promise)
    assert (found is None) == (not kept)
    if found is not None:
        assert found.time_us == pytest.approx(min(kept))
        assert found.loss <= max_loss
        assert found == evaluate(rows, times, found.values, promise)


def test_a_limit_that_nothing_keeps_has_no_cheapest() -> None:
    """Both levels are wrong on most rows."""
    assert cheapest(drawn(1, (0, 0.1)), (1.0, 10.0), 0.01, "labels") is None


def test_a_level_that_saves_nothing_is_never_tried() -> None:
    """One as costly as the last leaves only always escalating."""
    assert [one.values for one in sequence(drawn(1, (0.1, 5)), (10.0, 10.0), "end-to-end")] == [(ALWAYS_ESCALATE, 0.0)]


def test_two_levels_that_are_one_never_lose() -> None:
    """A level equal to the last can answer everything."""
    rows = drawn(1, (3,))
    tried = sequence(of_words(_words(rows) * 2, rows.labels), (1.0, 10.0), "end-to-end")
    assert (tried[-1].time_us, tried[-1].loss) == (1.0, 0.0)


def test_a_single_level_has_one_vector() -> None:
    """There is nothing to choose."""
    assert [one.values for one in sequence(drawn(1, (3,)), (1.0,), "end-to-end")] == [(0.0,)]


def test_many_levels_are_tried_in_time() -> None:
    """Five levels try no more vectors than two."""
    assert len(sequence(drawn(2, (1, 2, 3, 4, 5)), (1.0, 2.0, 3.0, 4.0, 50.0), "labels")[0].values) == 5


def test_a_row_that_overflows_is_no_threshold() -> None:
    """Where a level has no number for a row, its threshold is one of those of the other rows."""
    rows = drawn(3, (1, 3))
    broken = _words(rows)
    broken[0][5] = np.nan
    tried = sequence(of_words(broken, rows.labels), (1.0, 10.0), "end-to-end")
    assert len(tried) > 2
    assert all(np.isfinite(one.values).all() for one in tried)
    broken[0][:] = np.nan
    assert [one.values for one in sequence(of_words(broken, rows.labels), (1.0, 10.0), "end-to-end")] == [
        (ALWAYS_ESCALATE, 0.0)
    ]
