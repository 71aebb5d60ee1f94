"""training.replay.thresholds, against loops over rows and the formula of the graded order."""

import itertools
from dataclasses import replace

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.training import graded
from tests.training.recordings import drawn, recording
from tests.unit.weir.cascades import RandomCascade, cascades
from training.replay.recording import LevelTimes, RecordedNetwork, Recording
from training.replay.thresholds import Thresholds, cheapest, evaluate, lost, lowest_safe_threshold, sequence
from weir.catalog.levels import Experts
from weir.catalog.promises import Against
from weir.engine.arrays import Floats
from weir.engine.cascade import Threshold

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
        end_to_end_correct = rows.end_to_end[row].argmax() == label
        if promise == "agreement":
            losses.append(posterior.argmax() != rows.posteriors[-1][row].argmax())
        else:
            losses.append(posterior.argmax() != label and (promise == "labels" or end_to_end_correct))
    evaluated = evaluate(rows, TIMES, values, promise)
    assert lost(rows, values, promise).tolist() == losses
    assert evaluated.values == values
    assert evaluated.loss == pytest.approx(np.mean(losses))
    assert evaluated.time_us == pytest.approx(spent / len(rows.labels))


@settings(max_examples=15)
@given(st.integers(0, 1000), st.tuples(threshold, threshold))
def test_an_agreement_does_not_look_at_labels(seed: int, first: tuple[Threshold, Threshold]) -> None:
    """With the labels permuted, or none known, the same rows are lost and the order is the same."""
    rows, values = drawn(seed, (1, 2, 4), 40), (*first, 0.0)
    for labels in (np.random.default_rng(seed).permutation(rows.labels), np.full(40, -1)):
        other = replace(rows, labels=labels)
        np.testing.assert_array_equal(lost(other, values, "agreement"), lost(rows, values, "agreement"))
        assert sequence(other, TIMES, "agreement") == sequence(rows, TIMES, "agreement")


times_us = st.sampled_from([0.0, 1.0, 3.0, 40.0])


@settings(max_examples=15)
@given(st.integers(0, 1000), st.lists(times_us, min_size=2, max_size=4), against)
def test_the_order_is_that_of_the_formula(seed: int, times: list[float], promise: Against) -> None:
    """Always escalating comes first; then each vector of the graded order that saves time over those before it."""
    skills = (0.5, 1.0, 2.0, 4.0)[-len(times) :]
    rows = replace(drawn(seed, skills, 40), end_to_end=drawn(seed, (3,), 40).end_to_end)
    vectors = sequence(rows, times, promise)
    assert [one.values for one in vectors] == graded.order(rows, times, promise)
    assert all(one == evaluate(rows, times, one.values, promise) for one in vectors)


def _recorded(drawn: RandomCascade) -> tuple[Recording, LevelTimes]:
    """Record a cascade with all kinds of levels and fusions; its last level is the end-to-end model."""
    cascade = drawn.cascade.map(lambda network: RecordedNetwork(network.logits))
    last = cascade.with_thresholds([None] * len(cascade.levels)).answer(np.arange(len(drawn.rows), dtype=np.float32))
    times: LevelTimes = [
        dict.fromkeys(level.experts, 2.0 + number) if isinstance(level, Experts) else 1.0 + 10.0 * number
        for number, level in enumerate(cascade.levels)
    ]
    return Recording(cascade, last.probabilities, np.arange(len(drawn.rows)) % len(cascade.hierarchy.prior)), times


@settings(max_examples=15)
@given(cascades(), against)
def test_the_order_of_routers_and_experts_is_that_of_the_formula(drawn: RandomCascade, promise: Against) -> None:
    """What an exit saves counts each expert by the rows that it runs on."""
    rows, times = _recorded(drawn)
    assert [one.values for one in sequence(rows, times, promise)] == graded.order(rows, times, promise)


@settings(max_examples=5)
@given(st.integers(0, 1000), against)
def test_the_order_goes_from_careful_to_bold(seed: int, promise: Against) -> None:
    """Times strictly fall and no threshold rises, up to 400 steps; the last vector answers all rows at once."""
    rows = drawn(seed, (1, 2, 4), 600)
    vectors = sequence(rows, TIMES, promise)
    assert vectors[0].values == (None, None, 0.0)
    assert 100 < len(vectors) <= 401
    times = [one.time_us for one in vectors]
    assert times == sorted(set(times), reverse=True)
    for careful, bold in itertools.pairwise(vectors[1:]):
        assert all(low <= high for high, low in zip(_known(careful), _known(bold), strict=True))
    assert vectors[-1].time_us == 1.0


def _known(vector: Thresholds) -> list[float]:
    values = [value for value in vector.values if value is not None]
    assert len(values) == len(vector.values)
    return values


@settings(max_examples=6)
@given(st.integers(0, 1000), against)
def test_exits_grow_row_by_row(seed: int, promise: Against) -> None:
    """Of one early level and at most 400 rows, each step lets one more row exit, so losses grow one at a time."""
    rows = drawn(seed, (1, 4), 300)
    vectors = sequence(rows, (1.0, 1000.0), promise)
    exited = [rows.exits(one.values) == 0 for one in vectors]
    gaps = -np.diff(np.sort(rows.confidences[0])[::-1])
    apart = gaps.min() > 2e-6  # thresholds are millionths
    for before, after in itertools.pairwise(exited):
        assert not (before & ~after).any()
        assert 1 <= (after & ~before).sum() <= (1 if apart else 3)
    assert exited[-1].all()
    losses = np.diff([round(one.loss * 300) for one in vectors])
    assert losses.max() <= (1 if apart else 3)


def test_losses_grow_by_few_rows_where_there_are_many() -> None:
    """Of 2,000 rows and one early level, a step lets at most 6 more rows exit."""
    rows = drawn(1, (1, 4), 2000)
    vectors = sequence(rows, (1.0, 1000.0), "end-to-end")
    counts = [int((rows.exits(one.values) == 0).sum()) for one in vectors]
    assert 399 <= len(vectors) <= 401
    assert np.diff(counts).max() <= 6


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
        label = np.where(exits, first.argmax(axis=1), last.argmax(axis=1))
        errors = label != (last.argmax(axis=1) if promise == "agreement" else rows.labels)
        if promise == "end-to-end":
            errors &= rows.end_to_end_correct
        time_us = times[0] + times[1] * (~exits).mean() if np.isfinite(value) else always
        if time_us < always:
            results.append((float(time_us), float(errors.mean())))
    return results


@settings(max_examples=25)
@given(st.integers(0, 1000), against, st.floats(1.5, 20))
def test_the_order_of_one_level_has_every_threshold_that_saves_time(
    seed: int, promise: Against, last_us: float
) -> None:
    """It has the time and loss of each, the slowest first."""
    rows, times = _coarse(seed), (1.0, last_us)
    expected = sorted(_by_force(rows, times, promise), reverse=True)
    in_order = [(one.time_us, one.loss) for one in sequence(rows, times, promise)[1:]]
    np.testing.assert_allclose(np.array(in_order).reshape(-1, 2), np.array(expected).reshape(-1, 2))


@settings(max_examples=25)
@given(st.integers(0, 1000), against, st.floats(0, 0.4))
def test_the_cheapest_is_the_cheapest_that_keeps_the_limit(seed: int, promise: Against, max_loss: float) -> None:
    """It is of all thresholds, on these rows; there is none where every vector loses more."""
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


def test_no_row_exits_at_a_level_behind_which_nothing_takes_time() -> None:
    """An exit there saves nothing; the levels before it have thresholds as ever."""
    rows = drawn(1, (1, 3, 4))
    first, second, last = rows.cascade.levels
    pooling = rows.cascade.with_levels([first, second, msgspec.structs.replace(last, fusion="pool")])
    vectors = sequence(replace(rows, cascade=pooling), (1.0, 10.0, 0.0), "end-to-end")
    assert len(vectors) > 10
    assert {one.values[1] for one in vectors} == {None}
    assert None not in {one.values[0] for one in vectors[1:]}


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
    vectors = sequence(drawn(2, (1, 2, 3, 4, 5), 1000), (1.0, 2.0, 3.0, 4.0, 50.0), "labels")
    assert len(vectors[0].values) == 5
    assert len(vectors) <= 401


def test_a_confidence_that_is_not_a_number_is_no_threshold() -> None:
    """Where a level overflows on a row, that row exits later under every vector, and the others have thresholds."""
    rows = drawn(3, (1, 3))
    broken = _posteriors(rows)
    broken[0][5] = np.nan
    vectors = sequence(recording(broken, rows.labels), (1.0, 10.0), "end-to-end")
    assert len(vectors) > 2
    assert all(np.isfinite([value for value in one.values if value is not None]).all() for one in vectors)
    assert all(recording(broken, rows.labels).exits(one.values)[5] == 1 for one in vectors)
    assert [one.values for one in vectors] == graded.order(recording(broken, rows.labels), (1.0, 10.0), "end-to-end")
    broken[0][:] = np.nan
    assert [one.values for one in sequence(recording(broken, rows.labels), (1.0, 10.0), "end-to-end")] == [(None, 0.0)]
