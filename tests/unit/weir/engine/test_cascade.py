"""weir.engine.cascade: the vectorised engine against a plain loop over rows."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from numpy.typing import NDArray

from tests.unit.weir.ladders import Ladder, ladders
from weir.engine.cascade import ALWAYS_ESCALATE, Step, needed, run, tempered
from weir.engine.confidence import softmax

Floats = NDArray[np.float32]
Doubles = NDArray[np.float64]

LEAST = 1e-30
"""what a probability counts for, at least, where words are pooled"""


def _answer_one(ladder: Ladder, row: int) -> tuple[int, Doubles]:
    """Answer one row level by level, in plain loops over labels and groups: its exit and its posterior."""
    posterior: list[float] | None = None
    for number, step in enumerate(ladder.steps):
        if step.fusion == "refine":
            posterior = _refined(ladder, number, row, posterior)
        else:
            word = [float(p) for p in ladder.word(number).probabilities[row]]
            if step.fusion == "pool":
                word = _pooled(posterior or [1.0] * len(word), word, step.weights)
            posterior = word
        if number == len(ladder.steps) - 1 or np.float32(max(posterior)) >= step.threshold:
            return number, np.array(posterior)
    raise AssertionError


def _refined(ladder: Ladder, number: int, row: int, before: list[float] | None) -> list[float]:
    start = list(ladder.hierarchy.prior) if before is None else before
    after = list(start)
    for group, expert in ladder.experts(number).items():
        labels = ladder.hierarchy.members[group]
        mass = sum(start[label] for label in labels)
        word = [float(p) for p in expert.probabilities[row]]
        if weight := ladder.steps[number].before_weights.get(group):
            word = _pooled([start[label] / mass if mass else 0.0 for label in labels], word, (weight, 1.0))
        for position, label in enumerate(labels):
            after[label] = mass * word[position]
    return after


def _pooled(before: list[float], word: list[float], weights: tuple[float, float]) -> list[float]:
    """Pool as the formula says, in doubles."""
    pairs = zip(before, word, strict=True)
    found = [max(b, LEAST) ** weights[0] * max(w, LEAST) ** weights[1] for b, w in pairs]
    return [value / sum(found) for value in found]


@given(ladders())
def test_equals_a_loop_over_rows(ladder: Ladder) -> None:
    """Exits, labels and probabilities are those of one row at a time, whatever the fusions."""
    answers = run(ladder.rows, ladder.steps, ladder.hierarchy, traced=True)
    assert answers.trace is not None
    for row in range(len(ladder.rows)):
        number, posterior = _answer_one(ladder, row)
        if _is_close_call(ladder, answers.trace[row]):
            continue
        assert answers.exit_level[row] == number
        np.testing.assert_allclose(answers.probabilities[row], posterior, atol=1e-6)
        assert answers.confidence[row] == pytest.approx(posterior.max(), abs=1e-6)
        assert posterior[answers.label[row]] == pytest.approx(posterior.max(), abs=1e-6)
        assert answers.trace[row, number] == pytest.approx(posterior.max(), abs=1e-6)


def _is_close_call(ladder: Ladder, trace: Floats) -> bool:
    """Tell whether a confidence lies so near its threshold that the loop's doubles may fall on the other side."""
    thresholds = np.array([step.threshold for step in ladder.steps])
    return bool((np.abs(trace - thresholds) < 1e-6).any())


@given(ladders())
def test_experts_that_cannot_win_change_nothing(ladder: Ladder) -> None:
    """Without the whole posterior: the same exits, labels and confidences to the last bit, ties included."""
    whole = run(ladder.rows, ladder.steps, ladder.hierarchy)
    asked = {number: sum(len(e.asked) for e in ladder.experts(number).values()) for number in range(len(ladder.steps))}
    for number in asked:
        for expert in ladder.experts(number).values():
            expert.asked.clear()
    pruned = run(ladder.rows, ladder.steps, ladder.hierarchy, whole=False)
    np.testing.assert_array_equal(pruned.exit_level, whole.exit_level)
    np.testing.assert_array_equal(pruned.label, whole.label)
    np.testing.assert_array_equal(pruned.confidence, whole.confidence)
    for number, rows in asked.items():
        assert sum(len(expert.asked) for expert in ladder.experts(number).values()) <= rows


@given(ladders())
def test_a_weight_of_zero_is_no_weight(ladder: Ladder) -> None:
    """Experts that weigh the level before at 0 answer as those without weights, to the last bit."""
    alone = [replace(step, before_weights={}) for step in ladder.steps]
    nothing = [replace(step, before_weights=dict.fromkeys(step.experts, 0.0)) for step in ladder.steps]
    sides = [run(ladder.rows, steps, ladder.hierarchy) for steps in (alone, nothing)]
    np.testing.assert_array_equal(sides[0].probabilities, sides[1].probabilities)
    np.testing.assert_array_equal(sides[0].exit_level, sides[1].exit_level)


@given(ladders())
def test_a_level_is_asked_only_rows_that_are_open(ladder: Ladder) -> None:
    """No level sees a row that left before it, and none twice; one that nobody needs sees none."""
    answers = run(ladder.rows, ladder.steps, ladder.hierarchy)
    runs = needed([step.threshold for step in ladder.steps], [step.fusion for step in ladder.steps])
    for number, step in enumerate(ladder.steps):
        open_rows = np.flatnonzero(answers.exit_level >= number).tolist() if number in runs else []
        networks = list(ladder.experts(number).values()) if step.word is None else [ladder.word(number)]
        for network in networks:
            assert network.asked == open_rows


@given(ladders())
def test_threshold_zero_never_escalates(ladder: Ladder) -> None:
    """With thresholds of 0 the first level answers everything."""
    careless = [replace(step, threshold=0.0) for step in ladder.steps]
    assert set(run(ladder.rows, careless, ladder.hierarchy).exit_level.tolist()) == {0}


@given(ladders())
def test_thresholds_above_one_give_the_last_levels_answer(ladder: Ladder) -> None:
    """Always escalating, a cascade whose last level replaces is that level."""
    last = replace(ladder.steps[0], fusion="replace") if ladder.steps[0].word else None
    if last is None:
        return
    always = [replace(step, threshold=ALWAYS_ESCALATE) for step in (*ladder.steps, last)]
    answers = run(ladder.rows, always, ladder.hierarchy)
    alone = run(ladder.rows, [last])
    np.testing.assert_array_equal(answers.probabilities, alone.probabilities)
    assert set(answers.exit_level.tolist()) == {len(always) - 1}


def test_a_level_is_needed_where_it_exits_or_a_later_one_builds_on_it() -> None:
    """The last always; what it replaces only when it can exit."""
    always = ALWAYS_ESCALATE
    assert needed([always, 0.5, 0.0], ["replace", "replace", "replace"]) == [1, 2]
    assert needed([always, 0.5, 0.0], ["replace", "pool", "replace"]) == [0, 1, 2]
    assert needed([always, always, 0.0], ["replace", "pool", "replace"]) == [2]
    assert needed([always, always, 0.0], ["replace", "pool", "refine"]) == [0, 1, 2]
    assert needed([0.0], ["replace"]) == [0]


@given(ladders())
def test_tempering_keeps_labels_and_whatever_was_refined(ladder: Ladder) -> None:
    """A temperature of 2 takes square roots, but not after refine."""
    answers = run(ladder.rows, ladder.steps, ladder.hierarchy)
    cooled = tempered(answers, 2.0, [step.fusion for step in ladder.steps])
    np.testing.assert_array_equal(cooled.label, answers.label)
    for row, level in enumerate(answers.exit_level.tolist()):
        expected = answers.probabilities[row].astype(np.float64)
        if ladder.steps[level].fusion != "refine":
            expected = np.sqrt(expected) / np.sqrt(expected).sum()
        np.testing.assert_allclose(cooled.probabilities[row], expected, atol=1e-6)
        assert cooled.confidence[row] == cooled.probabilities[row].max()


def test_a_confidence_that_is_not_a_number_escalates() -> None:
    """A level whose numbers overflow is never sure."""
    broken = Step(lambda rows: np.full((len(rows), 2), np.nan, np.float32), 0.0)
    sound = Step(lambda rows: np.full((len(rows), 2), 0.5, np.float32))
    assert run(np.zeros(3, np.float32), [broken, sound]).exit_level.tolist() == [1, 1, 1]


def test_rows_that_are_not_numbers_go_to_the_end_alone() -> None:
    """NaN in one row costs its neighbours nothing, and stays NaN."""

    def word(rows: Floats) -> Floats:
        return softmax(np.stack([rows, -rows], 1))

    answers = run(np.array([9, np.nan, -9], np.float32), [Step(word, 0.9), Step(word)], traced=True)
    assert answers.exit_level.tolist() == [0, 1, 0]
    assert np.isnan(answers.confidence).tolist() == [False, True, False]
    assert np.isnan(answers.probabilities).all(axis=1).tolist() == [False, True, False]
    assert answers.label.tolist()[::2] == [0, 1]


def test_share_counts_the_rows_of_a_level() -> None:
    """Shares are of all rows."""
    steps = [
        Step(lambda rows: softmax(np.stack([rows, -rows], 1)), 0.9),
        Step(lambda rows: softmax(np.stack([rows, rows], 1))),
    ]
    answers = run(np.array([9, 9, 9, 0], np.float32), steps)
    assert (answers.share(0), answers.share(1)) == (0.75, 0.25)
