"""training.replay.recording, against the engine itself."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.weir.ladders import Ladder, ladders
from tests.unit.weir.ladders import Recorded as Word

from tests.serving import layered_manifest, make_manifest
from tests.training.recordings import drawn, of_words
from tests.training.thirds import fetch, pictures
from training.replay.recording import LevelTimes, Recorded, Recording, record
from weir.catalog.manifest import Manifest
from weir.engine.cascade import ALWAYS_ESCALATE, Predictions, Step, needed, run, tempered
from weir.engine.hierarchy import Hierarchy
from weir.runtime.model import Model

examples = settings(max_examples=60)


def _recording(ladder: Ladder) -> Recording:
    """Record a ladder; labels and the end-to-end model are beside the point here."""

    def recorded(number: int, step: Step) -> Step:
        experts = {group: Recorded(one.probabilities) for group, one in ladder.experts(number).items()}
        own = None if step.word is None else Recorded(ladder.word(number).probabilities)
        return replace(step, word=own, threshold=0.5, experts=experts)

    steps = tuple(recorded(number, step) for number, step in enumerate(ladder.steps))
    count = len(ladder.hierarchy.prior)
    nothing = np.full((len(ladder.rows), count), 1 / count, np.float32)
    return Recording(steps, nothing, np.arange(len(ladder.rows)) % count, ladder.hierarchy)


def _thresholds(ladder: Ladder) -> list[float]:
    return [step.threshold for step in ladder.steps]


@examples
@given(ladders())
def test_answers_are_the_engines(ladder: Ladder) -> None:
    """Exits, labels, confidences and whole posteriors, whatever the fusions and thresholds."""
    rows, engine = _recording(ladder), run(ladder.rows, ladder.steps, ladder.hierarchy)
    found = rows.answers(_thresholds(ladder))
    np.testing.assert_array_equal(rows.exits(_thresholds(ladder)), engine.exit_level)
    np.testing.assert_array_equal(found.exit_level, engine.exit_level)
    np.testing.assert_array_equal(found.label, engine.label)
    np.testing.assert_allclose(found.probabilities, engine.probabilities, atol=1e-6)
    np.testing.assert_allclose(found.confidence, engine.confidence, atol=1e-6)
    assert found.levels == engine.levels


@examples
@given(ladders(), st.integers(0, 1000))
def test_a_row_as_sure_as_the_threshold_exits(ladder: Ladder, drawn_row: int) -> None:
    """To the last bit: thresholds that are confidences of one row let it leave at the first level, as in the engine."""
    rows, row = _recording(ladder), drawn_row % len(ladder.rows)
    thresholds = np.minimum(rows.confidences[:, row], 1).tolist()
    steps = [replace(step, threshold=value) for step, value in zip(ladder.steps, thresholds, strict=True)]
    assert rows.exits(thresholds)[row] == 0
    np.testing.assert_array_equal(
        rows.exits(thresholds), run(ladder.rows, steps, ladder.hierarchy, whole=False).exit_level
    )


@examples
@given(ladders())
def test_a_levels_posterior_is_what_it_would_answer_all_rows(ladder: Ladder) -> None:
    """Were it the last, and no level before it ever sure; it is wrong where that label is not the right one."""
    rows = _recording(ladder)
    always = [replace(step, threshold=ALWAYS_ESCALATE) for step in ladder.steps]
    for number in range(len(always)):
        alone = run(ladder.rows, always[: number + 1], ladder.hierarchy)
        np.testing.assert_allclose(rows.posteriors[number], alone.probabilities, atol=1e-6)
        np.testing.assert_array_equal(rows.said[number], alone.label)
        np.testing.assert_array_equal(rows.wrong[number], alone.label != rows.labels)


def _times(ladder: Ladder) -> LevelTimes:
    """Give every network a time of its own."""
    return [
        {group: 100.0 * number + group + 1 for group in step.experts} if step.experts else 100.0 * number + 50
        for number, step in enumerate(ladder.steps)
    ]


def _spent_by_a_loop(ladder: Ladder, times: LevelTimes, exits: list[int]) -> float:
    """Add up row by row: the time of each level that is run and reached, and of experts only of those really asked."""
    runs = needed(_thresholds(ladder), [step.fusion for step in ladder.steps])
    spent = 0.0
    for row, left in enumerate(exits):
        for number in [number for number in runs if number <= left]:
            taken = times[number]
            if isinstance(taken, Mapping):
                spent += sum(taken[group] for group, one in ladder.experts(number).items() if row in one.asked)
            else:
                spent += taken
    return spent / len(exits)


def _spent_by_the_engine(ladder: Ladder, times: LevelTimes) -> float:
    """Add up what the networks were asked in the one call that they have answered."""
    spent = 0.0
    for number, taken in enumerate(times):
        if isinstance(taken, Mapping):
            spent += sum(taken[group] * len(one.asked) for group, one in ladder.experts(number).items())
        else:
            spent += taken * len(ladder.word(number).asked)
    return spent / len(ladder.rows)


@examples
@given(ladders())
def test_time_is_what_a_loop_over_rows_adds_up(ladder: Ladder) -> None:
    """No level that is not run costs anything, nor an expert that the engine does not ask for the label alone."""
    rows, times = _recording(ladder), _times(ladder)
    exits = run(ladder.rows, ladder.steps, ladder.hierarchy, whole=False).exit_level
    spent = rows.spent_us(rows.costs_us(times), _thresholds(ladder), rows.exits(_thresholds(ladder)))
    assert spent == pytest.approx(_spent_by_a_loop(ladder, times, exits.tolist()))
    assert spent == pytest.approx(_spent_by_the_engine(ladder, times))


def test_an_expert_whose_group_cannot_win_takes_no_time() -> None:
    """Unless a later level pools, and so needs the whole posterior."""
    groups = Hierarchy(("outer", "inner"), ((0, 2), (1,)), (0.25, 0.5, 0.25))
    router = Step(Recorded(np.array([[0.05, 0.9, 0.05], [0.4, 0.2, 0.4]], np.float32)))
    experts = Step(fusion="refine", experts={0: Recorded(np.array([[0.5, 0.5], [0.9, 0.1]], np.float32))})
    last = np.array([[0, 1, 0], [1, 0, 0]], np.float32)
    for fusion, asked in (("replace", [0, 7]), ("pool", [7, 7])):
        end = Step(Recorded(last), fusion="pool" if fusion == "pool" else "replace")
        rows = Recording((router, experts, end), last, np.array([1, 0]), groups)
        assert rows.costs_us([1.0, {0: 7.0}, 20.0]).tolist() == [[1, 1], asked, [20, 20]]


def test_costs_of_a_level_that_is_not_run_are_not_spent() -> None:
    """The first level can never exit, and the second replaces it; a row that leaves at the second costs the second."""
    rows = drawn(0, (1, 2, 3), rows=10)
    costs = rows.costs_us([1.0, 10.0, 100.0])
    assert rows.spent_us(costs, (ALWAYS_ESCALATE, 0.0, 0.0), np.full(10, 1, np.int32)) == 10
    assert rows.spent_us(costs, (0.5, 0.0, 0.0), np.full(10, 1, np.int32)) == 11
    assert rows.spent_us(costs, (ALWAYS_ESCALATE, ALWAYS_ESCALATE, 0.0), np.full(10, 2, np.int32)) == 100


@examples
@given(ladders(), st.lists(st.integers(0, 1000), min_size=1, max_size=20))
def test_rows_may_be_left_out_and_repeated(ladder: Ladder, drawn_rows: list[int]) -> None:
    """Some rows are answered as they are among all: networks, experts, labels and the end-to-end model go along."""
    whole = _recording(ladder)
    whole = replace(whole, end_to_end=np.eye(whole.end_to_end.shape[1], dtype=np.float32)[whole.labels])
    numbers = np.array(drawn_rows, np.intp) % len(ladder.rows)
    some = whole.rows(numbers)
    every, found = whole.answers(_thresholds(ladder)), some.answers(_thresholds(ladder))
    np.testing.assert_array_equal(found.exit_level, every.exit_level[numbers])
    np.testing.assert_array_equal(found.label, every.label[numbers])
    np.testing.assert_allclose(found.probabilities, every.probabilities[numbers], atol=1e-6)
    np.testing.assert_array_equal(some.labels, whole.labels[numbers])
    assert some.end_to_end_right.all()
    np.testing.assert_array_equal(some.costs_us(_times(ladder)), whole.costs_us(_times(ladder))[:, numbers])


def test_a_posterior_that_is_not_a_number_never_exits() -> None:
    """Whatever the threshold, but at the last level; the engine does the same."""
    rows = drawn(0, (1, 2, 3), rows=6)
    broken = [step.word.probabilities.copy() for step in rows.steps if isinstance(step.word, Recorded)]
    broken[0][[1, 3]] = np.nan
    broken[1][3] = np.nan
    broken[2][3] = np.nan
    found = of_words(broken, rows.labels)
    thresholds = (0.0, 0.0, 0.0)
    assert found.exits(thresholds).tolist() == [0, 1, 0, 2, 0, 0]
    asked = [replace(step, threshold=0.0, word=Word(one)) for step, one in zip(found.steps, broken, strict=True)]
    engine = run(np.arange(6, dtype=np.float32), asked)
    np.testing.assert_array_equal(found.exits(thresholds), engine.exit_level)
    np.testing.assert_array_equal(found.answers(thresholds).probabilities, engine.probabilities)


@pytest.mark.parametrize("manifest", [make_manifest(thresholds=(0.4, 0.6)), layered_manifest()])
def test_what_is_recorded_is_what_the_model_answers(manifest: Manifest) -> None:
    """Level by level and end-to-end, up to the temperature of what the cascade says in the end."""
    model, split = Model(manifest, fetch), pictures(50)
    found = record(model, split)
    answers, _ = model.answer(split.inputs, cascade=True)
    fusions = [level.fusion for level in manifest.levels]
    said = tempered(found.answers([level.threshold for level in manifest.levels]), manifest.fused_temperature, fusions)
    _same(said, answers)
    alone, _ = model.answer(split.inputs, cascade=False)
    np.testing.assert_allclose(found.end_to_end, alone.probabilities, atol=1e-6)
    np.testing.assert_array_equal(found.end_to_end_right, alone.label == split.labels)
    assert found.hierarchy is model.hierarchy
    assert len(set(answers.exit_level.tolist())) > 1


def _same(found: Predictions, expected: Predictions) -> None:
    np.testing.assert_array_equal(found.exit_level, expected.exit_level)
    np.testing.assert_array_equal(found.label, expected.label)
    np.testing.assert_allclose(found.probabilities, expected.probabilities, atol=1e-6)
