"""weir.cascade: the vectorised engine against a plain loop over rows."""

from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from weir.cascade import ALWAYS_ESCALATE, Step, paths, run
from weir.confidence import softmax

Floats = NDArray[np.float32]


@dataclass
class Recorded:
    """A level whose logits are written down; it remembers which rows it was asked."""

    logits: Floats
    asked: list[int]

    def __call__(self, rows: Floats) -> Floats:
        """Say what is written down."""
        self.asked += rows.astype(int).tolist()
        found: Floats = self.logits[rows.astype(int)]
        return found


@st.composite
def ladders(draw: st.DrawFn) -> list[Step]:
    """Draw levels over the same rows and labels, with any thresholds."""
    rows, labels, levels = draw(st.integers(1, 12)), draw(st.integers(2, 5)), draw(st.integers(1, 5))
    seed = draw(st.integers(0, 2**32 - 1))
    random = np.random.default_rng(seed)
    thresholds = st.one_of(st.floats(0, 1), st.sampled_from([0.0, 1.0, ALWAYS_ESCALATE]))
    return [
        Step(
            Recorded(random.normal(0, 3, (rows, labels)).astype(np.float32), []),
            draw(thresholds),
            draw(st.floats(0.5, 3)),
        )
        for _ in range(levels)
    ]


def _recorded(step: Step) -> Recorded:
    assert isinstance(step.logits, Recorded)
    return step.logits


def _rows(steps: list[Step]) -> Floats:
    return np.arange(len(_recorded(steps[0]).logits), dtype=np.float32)


@given(ladders())
def test_equals_a_loop_over_rows(steps: list[Step]) -> None:
    """Exits, labels and probabilities are those of one row at a time."""
    answers = run(_rows(steps), steps, traced=True)
    for row in range(len(answers.label)):
        for number, step in enumerate(steps):
            posterior = softmax(_recorded(step).logits[row : row + 1], step.temperature)[0]
            if number == len(steps) - 1 or posterior.max() >= step.threshold:
                break
        assert answers.exit_level[row] == number
        assert answers.label[row] == posterior.argmax()
        assert answers.confidence[row] == pytest.approx(posterior.max(), abs=1e-6)
        np.testing.assert_allclose(answers.probabilities[row], posterior, atol=1e-6)
        assert answers.trace is not None
        assert answers.trace[row, number] == pytest.approx(posterior.max(), abs=1e-6)


@given(ladders())
def test_a_level_is_asked_only_rows_that_are_open(steps: list[Step]) -> None:
    """No level sees a row that left before it, and none twice."""
    answers = run(_rows(steps), steps)
    for number, step in enumerate(steps):
        idle = number < len(steps) - 1 and step.threshold > 1
        open_rows = [] if idle else np.flatnonzero(answers.exit_level >= number).tolist()
        assert _recorded(step).asked == open_rows


@given(ladders())
def test_threshold_zero_never_escalates(steps: list[Step]) -> None:
    """With thresholds of 0 the first level answers everything."""
    first = Step(steps[0].logits, 0.0)
    assert run(_rows(steps), [first, *steps[1:]]).exit_level.tolist() == [0] * len(_rows(steps))


@given(ladders())
def test_thresholds_above_one_give_the_last_levels_answer(steps: list[Step]) -> None:
    """Always escalating, the cascade is its last level."""
    always = [Step(step.logits, ALWAYS_ESCALATE, step.temperature) for step in steps]
    answers = run(_rows(steps), always)
    alone = run(_rows(steps), [steps[-1]])
    np.testing.assert_array_equal(answers.probabilities, alone.probabilities)
    assert set(answers.exit_level.tolist()) == {len(steps) - 1}


def test_a_confidence_that_is_not_a_number_escalates() -> None:
    """A level whose numbers overflow is never sure."""
    broken = Step(lambda rows: np.full((len(rows), 2), np.nan, np.float32), 0.0)
    sound = Step(lambda rows: np.zeros((len(rows), 2), np.float32))
    assert run(np.zeros(3, np.float32), [broken, sound]).exit_level.tolist() == [1, 1, 1]


def test_rows_that_are_not_numbers_go_to_the_end_alone() -> None:
    """NaN in one row costs its neighbours nothing, and stays NaN."""

    def logits(rows: Floats) -> Floats:
        return np.stack([rows, -rows], 1)

    answers = run(np.array([9, np.nan, -9], np.float32), [Step(logits, 0.9), Step(logits)], traced=True)
    assert answers.exit_level.tolist() == [0, 1, 0]
    assert np.isnan(answers.confidence).tolist() == [False, True, False]
    assert np.isnan(answers.probabilities).all(axis=1).tolist() == [False, True, False]
    assert answers.label.tolist()[::2] == [0, 1]


def test_share_counts_the_rows_of_a_level() -> None:
    """Shares are of all rows."""
    steps = [Step(lambda rows: np.stack([rows, -rows], 1), 0.9), Step(lambda rows: np.stack([rows, rows], 1))]
    answers = run(np.array([9, 9, 9, 0], np.float32), steps)
    assert (answers.share(0), answers.share(1)) == (0.75, 0.25)


def test_paths_tell_which_levels_were_asked() -> None:
    """A path has a part for each level asked: how sure it was, and against which threshold."""
    trace = np.array([[0.95, np.nan, np.nan], [0.5, np.nan, 0.7]], np.float32)
    told = paths(trace, np.array([0, 2], np.int32), ("a", "b", "c"), (0.9, 2.0, 0.0))
    assert told == ["a 0.9500 >= 0.9000", "a 0.5000 < 0.9000; c 0.7000"]
