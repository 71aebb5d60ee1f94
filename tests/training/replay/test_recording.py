"""training.replay.recording, against the engine itself."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.serving import fetch
from tests.training.recordings import classifier, drawn, network, recording
from tests.training.thirds import MANIFESTS, pictures
from tests.unit.weir.cascades import RandomCascade, Recorded, cascades
from training.replay.recording import LevelTimes, RecordedNetwork, Recording, record
from weir.catalog.levels import Expert, Experts
from weir.catalog.manifest import Manifest
from weir.engine.cascade import Cascade, levels_run
from weir.engine.hierarchy import Hierarchy
from weir.engine.predictions import Predictions
from weir.runtime.model import Model

examples = settings(max_examples=60)


def _recording(drawn: RandomCascade) -> Recording:
    """Record a cascade, with other thresholds; labels and the end-to-end model are of no consequence here."""
    cascade = drawn.cascade.map(lambda network: RecordedNetwork(network.logits))
    cascade = cascade.with_thresholds([0.5] * len(cascade.levels))
    count = len(cascade.hierarchy.prior)
    uniform = np.full((len(drawn.rows), count), 1 / count, np.float32)
    return Recording(cascade, uniform, np.arange(len(drawn.rows)) % count)


@examples
@given(cascades())
def test_predictions_are_those_of_the_engine(drawn: RandomCascade) -> None:
    """Exits, labels, confidences and whole posteriors are, whatever the fusions and thresholds."""
    rows, engine, thresholds = _recording(drawn), drawn.cascade.answer(drawn.rows), drawn.cascade.thresholds
    predictions = rows.predictions(thresholds)
    np.testing.assert_array_equal(rows.exits(thresholds), engine.exit_level)
    _assert_same(predictions, engine)
    np.testing.assert_allclose(predictions.confidence, engine.confidence, atol=1e-6)
    assert predictions.levels == engine.levels


@examples
@given(cascades(), st.integers(0, 1000))
def test_a_row_as_confident_as_the_threshold_exits(drawn: RandomCascade, number: int) -> None:
    """Thresholds that are, to the last bit, the confidences of one row let it exit at the first level, as serving."""
    rows, row = _recording(drawn), number % len(drawn.rows)
    thresholds = np.minimum(rows.confidences[:, row], 1).tolist()
    assert rows.exits(thresholds)[row] == 0
    engine = drawn.cascade.with_thresholds(thresholds).answer(drawn.rows, full=False)
    np.testing.assert_array_equal(rows.exits(thresholds), engine.exit_level)


@examples
@given(cascades())
def test_a_levels_posterior_is_what_it_would_answer_all_rows(drawn: RandomCascade) -> None:
    """It is that of a last level that every row reaches; its label is an error where it is not the correct one."""
    rows, levels = _recording(drawn), drawn.cascade.levels
    for number in range(len(levels)):
        first = drawn.cascade.with_levels(levels[: number + 1]).with_thresholds([None] * (number + 1))
        alone = first.answer(drawn.rows)
        np.testing.assert_allclose(rows.posteriors[number], alone.probabilities, atol=1e-6)
        np.testing.assert_array_equal(rows.predicted[number], alone.label)
        np.testing.assert_array_equal(rows.errors[number], alone.label != rows.labels)


def _times(drawn: RandomCascade) -> LevelTimes:
    """Give every network a time of its own."""
    groups = drawn.cascade.hierarchy.groups
    return [
        {group: 100.0 * number + groups.index(group) + 1 for group in level.experts}
        if isinstance(level, Experts)
        else 100.0 * number + 50
        for number, level in enumerate(drawn.cascade.levels)
    ]


def _spent_by_a_loop(drawn: RandomCascade, times: LevelTimes, exits: list[int]) -> float:
    """Add up row by row: the time of each level that is run and reached, and of experts only of those that ran."""
    runs = levels_run(drawn.cascade.levels, drawn.cascade.thresholds)
    spent = 0.0
    for row, exit_level in enumerate(exits):
        for number in [number for number in runs if number <= exit_level]:
            time, level = times[number], drawn.cascade.levels[number]
            if isinstance(time, Mapping) and isinstance(level, Experts):
                spent += sum(time[group] for group, expert in level.experts.items() if row in expert.network.ran_on)
            elif not isinstance(time, Mapping):
                spent += time
    return spent / len(exits)


def _spent_by_the_engine(drawn: RandomCascade, times: LevelTimes) -> float:
    """Add up the rows that each network ran on in the one call that they have answered."""
    spent = 0.0
    for time, level in zip(times, drawn.cascade.levels, strict=True):
        each = list(time.values()) if isinstance(time, Mapping) else [time]
        spent += sum(one * len(network.ran_on) for one, network in zip(each, level.networks, strict=True))
    return spent / len(drawn.rows)


@examples
@given(cascades())
def test_time_is_what_a_loop_over_rows_adds_up(drawn: RandomCascade) -> None:
    """A level that is not run costs nothing, nor does an expert that the engine does not run for the label alone."""
    rows, times, thresholds = _recording(drawn), _times(drawn), drawn.cascade.thresholds
    exits = drawn.cascade.answer(drawn.rows, full=False).exit_level
    spent = rows.spent_us(rows.costs_us(times), thresholds, rows.exits(thresholds))
    assert spent == pytest.approx(_spent_by_a_loop(drawn, times, exits.tolist()))
    assert spent == pytest.approx(_spent_by_the_engine(drawn, times))


def test_an_expert_whose_group_cannot_win_takes_no_time() -> None:
    """It does where a later level pools, and so needs the whole posterior."""
    groups = Hierarchy(("outer", "inner"), ((0, 2), (1,)), (0.25, 0.5, 0.25))
    router = classifier(np.array([[0.05, 0.9, 0.05], [0.4, 0.2, 0.4]], np.float32))
    expert = Expert(network=network(np.array([[0.5, 0.5], [0.9, 0.1]], np.float32)))
    experts = Experts(name="experts", experts={"outer": expert}, threshold=None)
    last = np.array([[0, 1, 0], [1, 0, 0]], np.float32)
    for end, spent in ((classifier(last), [0, 7]), (classifier(last, fusion="pool"), [7, 7])):
        rows = Recording(Cascade((router, experts, end), groups), last, np.array([1, 0]))
        assert rows.costs_us([1.0, {"outer": 7.0}, 20.0]).tolist() == [[1, 1], spent, [20, 20]]


def test_the_cost_of_a_level_that_is_not_run_is_not_spent() -> None:
    """Where no row exits at the first level, and the second replaces it, a row that exits there costs the second."""
    rows = drawn(0, (1, 2, 3), rows=10)
    costs = rows.costs_us([1.0, 10.0, 100.0])
    assert rows.spent_us(costs, (None, 0.0, 0.0), np.full(10, 1, np.int32)) == 10
    assert rows.spent_us(costs, (0.5, 0.0, 0.0), np.full(10, 1, np.int32)) == 11
    assert rows.spent_us(costs, (None, None, 0.0), np.full(10, 2, np.int32)) == 100


@examples
@given(cascades(), st.lists(st.integers(0, 1000), min_size=1, max_size=20))
def test_rows_may_be_left_out_and_repeated(drawn: RandomCascade, drawn_rows: list[int]) -> None:
    """Networks, experts, labels and the end-to-end model are taken together, so each row is answered as before."""
    whole, thresholds = _recording(drawn), drawn.cascade.thresholds
    whole = replace(whole, end_to_end=np.eye(whole.end_to_end.shape[1], dtype=np.float32)[whole.labels])
    numbers = np.array(drawn_rows, np.intp) % len(drawn.rows)
    some = whole.rows(numbers)
    of_all, of_some = whole.predictions(thresholds), some.predictions(thresholds)
    np.testing.assert_array_equal(of_some.exit_level, of_all.exit_level[numbers])
    np.testing.assert_array_equal(of_some.label, of_all.label[numbers])
    np.testing.assert_allclose(of_some.probabilities, of_all.probabilities[numbers], atol=1e-6)
    np.testing.assert_array_equal(some.labels, whole.labels[numbers])
    assert some.end_to_end_correct.all()
    np.testing.assert_array_equal(some.costs_us(_times(drawn)), whole.costs_us(_times(drawn))[:, numbers])


def test_a_posterior_that_is_not_a_number_never_exits() -> None:
    """It goes on to the last level whatever the threshold, in recordings as in the engine."""
    rows = drawn(0, (1, 2, 3), rows=6)
    broken = list(rows.posteriors.copy())
    broken[0][[1, 3]] = np.nan
    broken[1][3] = np.nan
    broken[2][3] = np.nan
    overflowing = recording(broken, rows.labels)
    thresholds = (0.0, 0.0, 0.0)
    assert overflowing.exits(thresholds).tolist() == [0, 1, 0, 2, 0, 0]
    networks = overflowing.cascade.map(lambda network: Recorded(network.logits))
    engine = networks.with_thresholds(thresholds).answer(np.arange(6, dtype=np.float32))
    np.testing.assert_array_equal(overflowing.exits(thresholds), engine.exit_level)
    np.testing.assert_array_equal(overflowing.predictions(thresholds).probabilities, engine.probabilities)


@pytest.mark.parametrize("manifest", MANIFESTS)
def test_what_is_recorded_is_what_the_model_answers(manifest: Manifest) -> None:
    """The cascade's predictions are the same, and the end-to-end model's; a recording never abstains."""
    model, split = Model(manifest, fetch), pictures(50)
    rows = record(model, split)
    served, _ = model.cascade.answer(split.inputs)
    thresholds = [level.threshold for level in manifest.levels]
    predictions = rows.predictions(thresholds, manifest.fused_temperature)
    _assert_same(predictions, served)
    assert predictions.abstentions is None or not predictions.abstentions.abstains.any()
    alone, _ = model.end_to_end.answer(split.inputs)
    np.testing.assert_allclose(rows.end_to_end, alone.probabilities, atol=1e-6)
    np.testing.assert_array_equal(rows.end_to_end_correct, alone.label == split.labels)
    assert rows.cascade.hierarchy is model.cascade.definition.hierarchy
    assert len(set(served.exit_level.tolist())) > 1


def _assert_same(one: Predictions, other: Predictions) -> None:
    np.testing.assert_array_equal(one.exit_level, other.exit_level)
    np.testing.assert_array_equal(one.label, other.label)
    np.testing.assert_allclose(one.probabilities, other.probabilities, atol=1e-6)
