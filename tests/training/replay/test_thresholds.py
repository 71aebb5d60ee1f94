"""training.replay.thresholds, against a brute-force loop."""

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.training.recordings import drawn, recording
from training.replay.recording import Recording
from training.replay.thresholds import cheapest, evaluate, lost, lowest_safe_threshold, sequence
from weir.catalog.promises import Against
from weir.engine.arrays import Floats
from weir.engine.cascade import Threshold, limit_of

TIMES = (1.0, 3.0, 10.0)

threshold = st.floats(0, 1) | st.none()
against = st.sampled_from(["end-to-end", "labels", "agreement"])


def _posteriors(rows: Recording) -> list[Floats]:
    """Return the posterior of each level; none of these builds on the one before."""
    return list(rows.posteriors.copy())


@given(st.integers(0, 1000), st.tuples(threshold, threshold), against)
def test_loss_and_time_are_those_of_a_loop_over_rows(
    seed: int, first: tuple[Threshold, Threshold], promise: Against
) -> None:
    """Lost rows, loss and expected time are, whatever the promise is against; a level without exits is not run."""
    rows = replace(drawn(seed, (1, 2, 4)), end_to_end=drawn(seed, (3,)).end_to_end)
    values, losses, spent = (*first, 0.0), [], 0.0
    for row, label in enumerate(rows.labels):
        posterior = rows.posteriors[-1][row]
        for number, value in enumerate(values):
            if value is None:
                continue
            posterior = rows.posteriors[number][row]
            spent += TIMES[number]
            if posterior.max() >= value:
                break
        wrong, end_to_end_correct = posterior.argmax() != label, rows.end_to_end[row].argmax() == label
        agrees = posterior.argmax() == rows.posteriors[-1][row].argmax()
        losses.append({"labels": wrong, "end-to-end": wrong and end_to_end_correct, "agreement": not agrees}[promise])
    evaluated = evaluate(rows, TIMES, values, promise)
    assert lost(rows, values, promise).tolist() == losses
    assert evaluated.values == values
    assert evaluated.loss == pytest.approx(np.mean(losses))
    assert evaluated.time_us == pytest.approx(spent / len(rows.labels))


def _oracle(rows: Recording, times: tuple[float, ...], promise: Against) -> list[tuple[Threshold, ...]]:
    """Make the graded order by loops, from its formula alone."""
    levels = range(len(times) - 1)
    saved = [sum(times[level + 1 :]) for level in levels]
    last, end_to_end = rows.posteriors[-1].argmax(axis=1), rows.end_to_end.argmax(axis=1)
    bold = []
    for level in levels:
        predicted = rows.posteriors[level].argmax(axis=1)
        wrong = predicted != rows.labels
        losses = {"labels": wrong, "end-to-end": wrong & (end_to_end == rows.labels), "agreement": predicted != last}
        risk = (1 - rows.posteriors[level].max(axis=1).astype(float)).sum()
        bold.append(saved[level] / saved[0] / ((losses[promise].sum() + 2) / (risk + 2)))
    turns = sorted({(1 - float(c)) / bold[level] for level in levels for c in rows.posteriors[level].max(axis=1)})
    if len(turns) > 400:
        turns = [turns[int(place)] for place in np.linspace(0, len(turns) - 1, 400)]
    always: tuple[Threshold, ...] = (*[None] * len(levels), 0.0)
    return [
        always,
        *((*(max(0.0, math.floor((1 - turn * bold[level]) * 1e6) / 1e6) for level in levels), 0.0) for turn in turns),
    ]


@settings(max_examples=12)
@given(st.integers(0, 1000), against, st.sampled_from([40, 300]))
def test_the_order_is_graded_from_careful_to_bold(seed: int, promise: Against, count: int) -> None:
    """It is the formula's, less the vectors that take no less time than one before them."""
    rows = drawn(seed, (1, 2, 4), rows=count)
    vectors = sequence(rows, TIMES, promise)
    cheaper = [evaluate(rows, TIMES, values, promise) for values in _oracle(rows, TIMES, promise)]
    expected = [cheaper[0]]
    for one in cheaper[1:]:
        if one.time_us < expected[-1].time_us:
            expected.append(one)
    assert len(vectors) == len(expected) <= 401
    for one, other in zip(vectors, expected, strict=True):
        assert [limit_of(value) for value in one.values] == pytest.approx([limit_of(v) for v in other.values], abs=2e-6)


@settings(max_examples=12)
@given(st.integers(0, 1000), against)
def test_thresholds_of_all_levels_fall_together(seed: int, promise: Against) -> None:
    """Always escalating comes first; then no threshold ever rises, and the expected time falls with each vector."""
    rows = drawn(seed, (1, 2, 4), rows=200)
    vectors = sequence(rows, TIMES, promise)
    assert vectors[0].values == (None, None, 0.0)
    assert vectors[0].loss == (0 if promise != "labels" else rows.errors[-1].mean())
    limits = np.array([[limit_of(value) for value in one.values[:-1]] for one in vectors])
    assert (np.diff(limits[1:], axis=0) <= 0).all()
    times = [one.time_us for one in vectors]
    assert times == sorted(set(times), reverse=True)
    assert vectors[-1].time_us < 2 * TIMES[0]


def test_exits_grow_by_single_rows() -> None:
    """With one early level and no more than 400 confidences, every step lets one more row exit: losses grow by one."""
    rows = drawn(3, (1.5, 4), rows=300)
    vectors = sequence(rows, (1.0, 100.0), "end-to-end")
    exits = [int((rows.exits(one.values) == 0).sum()) for one in vectors]
    assert max(np.diff(exits[1:])) <= 2  # two confidences may share a threshold of six decimals
    assert max(np.diff([round(one.loss * 300) for one in vectors])) <= 2
    assert exits[-1] >= 299


def test_agreement_looks_at_no_label() -> None:
    """Whatever the labels are, the order and the lost rows are the same, so rows without labels can carry it."""
    rows = drawn(4, (1, 2, 4))
    unknown = replace(rows, labels=np.full(len(rows.labels), -1))
    assert sequence(rows, TIMES, "agreement") == sequence(unknown, TIMES, "agreement")
    for one in sequence(rows, TIMES, "agreement")[::10]:
        np.testing.assert_array_equal(lost(rows, one.values, "agreement"), lost(unknown, one.values, "agreement"))


def test_no_row_exits_where_an_exit_saves_nothing() -> None:
    """A level before one that takes no time of its own has no threshold."""
    vectors = sequence(drawn(5, (1, 2)), (1.0, 0.0), "end-to-end")
    assert [one.values for one in vectors] == [(None, 0.0)]


def _coarse(seed: int) -> Recording:
    """Draw two levels over two labels; confidences of the first lie a hundredth apart, so that all are candidates."""
    random = np.random.default_rng(seed)
    labels = random.integers(0, 2, 60)
    confidences = np.round(random.uniform(0.5, 1, 60), 2).astype(np.float32)
    correct = random.random(60) < confidences
    of_label = np.where(correct, confidences, 1 - confidences)
    first = np.where(labels[:, None] == np.arange(2), of_label[:, None], 1 - of_label[:, None]).astype(np.float32)
    last = np.where(random.random((60, 1)) < 0.9, np.eye(2)[labels], 1 - np.eye(2)[labels]).astype(np.float32)
    return recording([first, last], labels)


def _by_force(rows: Recording, times: tuple[float, float], promise: Against) -> list[tuple[float, float]]:
    """Try every threshold that makes a difference and saves time: its time and its loss."""
    first, last = _posteriors(rows)
    always, results = times[1], []
    for value in [*np.unique(first.max(axis=1)), np.inf]:
        exits = first.max(axis=1) >= value
        predicted = np.where(exits, first.argmax(axis=1), last.argmax(axis=1))
        errors = predicted != (last.argmax(axis=1) if promise == "agreement" else rows.labels)
        if promise == "end-to-end":
            errors &= rows.end_to_end_correct
        time_us = times[0] + times[1] * (~exits).mean() if np.isfinite(value) else always
        if time_us < always:
            results.append((float(time_us), float(errors.mean())))
    return results


@settings(max_examples=25)
@given(st.integers(0, 1000), against, st.floats(0, 0.4))
def test_the_cheapest_is_the_cheapest_that_keeps_the_limit(seed: int, promise: Against, max_loss: float) -> None:
    """With one early level it is of all thresholds, on these rows; there is none where every vector loses more."""
    rows, times = _coarse(seed), (1.0, 10.0)
    always = evaluate(rows, times, (None, 0.0), promise)
    kept = [time for time, loss in [*_by_force(rows, times, promise), (10.0, always.loss)] if loss <= max_loss]
    best = cheapest(rows, times, max_loss, promise)
    assert (best is None) == (not kept)
    if best is not None:
        assert best.time_us == pytest.approx(min(kept))
        assert best.loss <= max_loss
        assert best == evaluate(rows, times, best.values, promise)


def test_a_limit_that_no_vector_keeps_has_no_cheapest() -> None:
    """Both levels are wrong on most rows."""
    assert cheapest(drawn(1, (0, 0.1)), (1.0, 10.0), 0.01, "labels") is None


@settings(max_examples=25)
@given(st.integers(0, 1000), against, st.floats(0, 0.4))
def test_the_safe_threshold_is_the_lowest_before_the_first_that_loses_more(
    seed: int, promise: Against, max_loss: float
) -> None:
    """Going down from always escalating, every threshold above it keeps the limit, and the next loses more."""
    rows = _coarse(seed)
    value = lowest_safe_threshold(rows, 0, max_loss, promise)
    candidates: list[Threshold] = [None, *sorted(set(rows.confidences[0].tolist()), reverse=True)]
    kept = [float(lost(rows, (one, 0.0), promise).mean()) <= max_loss for one in candidates]
    if not kept[0]:
        assert value is None
        return
    count = [*kept, False].index(False)
    exits = 0 if value is None else int((rows.confidences[0] >= np.float32(value)).sum())
    lowest = candidates[count - 1]
    assert exits == (0 if lowest is None else int((rows.confidences[0] >= np.float32(lowest)).sum()))


def test_a_level_that_saves_nothing_is_never_tried() -> None:
    """A level as costly as the last leaves only always escalating."""
    assert [one.values for one in sequence(drawn(1, (0.1, 5)), (10.0, 10.0), "end-to-end")] == [(None, 0.0)]


def test_two_levels_that_are_the_same_network_never_lose() -> None:
    """A level equal to the last can answer every row."""
    rows = drawn(1, (3,))
    vectors = sequence(recording(_posteriors(rows) * 2, rows.labels), (1.0, 10.0), "end-to-end")
    assert (vectors[-1].time_us, vectors[-1].loss) == (1.0, 0.0)


def test_a_single_level_has_one_vector() -> None:
    """The last level answers every row, so there is no threshold to choose."""
    assert [one.values for one in sequence(drawn(1, (3,)), (1.0,), "end-to-end")] == [(0.0,)]


def test_many_levels_are_tried_in_time() -> None:
    """Five levels try no more vectors than two."""
    assert len(sequence(drawn(2, (1, 2, 3, 4, 5)), (1.0, 2.0, 3.0, 4.0, 50.0), "labels")[0].values) == 5


def test_a_confidence_that_is_not_a_number_is_no_threshold() -> None:
    """Where a level overflows on a row, its threshold is one of the confidences of the other rows."""
    rows = drawn(3, (1, 3))
    broken = _posteriors(rows)
    broken[0][5] = np.nan
    vectors = sequence(recording(broken, rows.labels), (1.0, 10.0), "end-to-end")
    assert len(vectors) > 2
    assert all(np.isfinite([value for value in one.values if value is not None]).all() for one in vectors)
    broken[0][:] = np.nan
    assert [one.values for one in sequence(recording(broken, rows.labels), (1.0, 10.0), "end-to-end")] == [(None, 0.0)]
