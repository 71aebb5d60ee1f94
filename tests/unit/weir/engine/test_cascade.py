"""weir.engine.cascade: the vectorised engine against a plain loop over rows."""

from dataclasses import replace

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from tests.serving import layered_manifest
from tests.unit.weir.cascades import RandomCascade, Recorded, cascades
from weir.catalog.levels import Classifier, Experts, Level
from weir.catalog.promises import Abstention
from weir.engine.arrays import LEAST_PROBABILITY, Floats
from weir.engine.cascade import Cascade, cascade_of, end_to_end_cascade, exit_levels, exits, levels_run, limits_of
from weir.engine.hierarchy import NO_GROUPS
from weir.engine.levels import NetworkFunction

Doubles = NDArray[np.float64]


def _answer_one(drawn: RandomCascade, row: int) -> tuple[int, Doubles]:
    """Answer one row level by level, in plain loops over labels and groups: its exit and its posterior."""
    posterior: list[float] | None = None
    for number, level in enumerate(drawn.cascade.levels):
        if isinstance(level, Experts):
            posterior = _refined(drawn, level, row, posterior)
        else:
            probabilities = [float(p) for p in level.network.probabilities[row]]
            if level.fusion == "pool":
                probabilities = _pooled(posterior or [1.0] * len(probabilities), probabilities, level.weights)
            posterior = probabilities
        threshold = 2 if level.threshold is None else level.threshold
        if number == len(drawn.cascade.levels) - 1 or np.float32(max(posterior)) >= threshold:
            return number, np.array(posterior)
    raise AssertionError


def _refined(drawn: RandomCascade, level: Experts[Recorded], row: int, before: list[float] | None) -> list[float]:
    hierarchy = drawn.cascade.hierarchy
    start = list(hierarchy.prior) if before is None else before
    after = list(start)
    for group, expert in level.experts.items():
        labels = hierarchy.members[hierarchy.groups.index(group)]
        mass = sum(start[label] for label in labels)
        probabilities = [float(p) for p in expert.network.probabilities[row]]
        if weight := expert.before_weight:
            conditional = [start[label] / mass if mass else 0.0 for label in labels]
            probabilities = _pooled(conditional, probabilities, (weight, 1.0))
        for position, label in enumerate(labels):
            after[label] = mass * probabilities[position]
    return after


def _pooled(before: list[float], probabilities: list[float], weights: tuple[float, float]) -> list[float]:
    """Pool by the formula, in doubles."""
    pairs = zip(before, probabilities, strict=True)
    products = [max(b, LEAST_PROBABILITY) ** weights[0] * max(p, LEAST_PROBABILITY) ** weights[1] for b, p in pairs]
    return [value / sum(products) for value in products]


@given(cascades())
def test_equals_a_loop_over_rows(drawn: RandomCascade) -> None:
    """Exits, labels and probabilities are those of a loop that answers one row at a time, whatever the fusions."""
    predictions = drawn.cascade.answer(drawn.rows, trace=True)
    for row in range(len(drawn.rows)):
        number, posterior = _answer_one(drawn, row)
        if _is_close_call(drawn, predictions.trace[row]):
            continue
        assert predictions.exit_level[row] == number
        np.testing.assert_allclose(predictions.probabilities[row], posterior, atol=1e-6)
        assert predictions.confidence[row] == pytest.approx(posterior.max(), abs=1e-6)
        assert posterior[predictions.label[row]] == pytest.approx(posterior.max(), abs=1e-6)
        assert predictions.trace[row, number] == pytest.approx(posterior.max(), abs=1e-6)


def _is_close_call(drawn: RandomCascade, trace: Floats) -> bool:
    """Tell whether a confidence lies so near its threshold that the loop's doubles may fall on the other side."""
    thresholds = np.array([2 if one is None else one for one in drawn.cascade.thresholds])
    return bool((np.abs(trace - thresholds) < 1e-6).any())


@given(cascades())
def test_experts_that_cannot_win_change_nothing(drawn: RandomCascade) -> None:
    """Without the full posterior, exits, labels and confidences are the same to the last bit, ties included."""
    experts = [expert for level in drawn.cascade.levels if isinstance(level, Experts) for expert in level.networks]
    full = drawn.cascade.answer(drawn.rows)
    rows_of_full = [len(expert.ran_on) for expert in experts]
    for expert in experts:
        expert.ran_on.clear()
    pruned = drawn.cascade.answer(drawn.rows, full=False)
    np.testing.assert_array_equal(pruned.exit_level, full.exit_level)
    np.testing.assert_array_equal(pruned.label, full.label)
    np.testing.assert_array_equal(pruned.confidence, full.confidence)
    assert all(len(expert.ran_on) <= rows for expert, rows in zip(experts, rows_of_full, strict=True))


@given(cascades())
def test_a_level_runs_only_on_rows_that_are_open(drawn: RandomCascade) -> None:
    """No level sees a row that exited before it, and none twice; one that is not needed sees none."""
    predictions = drawn.cascade.answer(drawn.rows)
    for number, level in enumerate(drawn.cascade.levels):
        runs = number in drawn.cascade.runs
        open_rows = np.flatnonzero(predictions.exit_level >= number).tolist() if runs else []
        for network in level.networks:
            assert network.ran_on == open_rows


@given(cascades())
def test_threshold_zero_never_escalates(drawn: RandomCascade) -> None:
    """With thresholds of 0 the first level answers every row."""
    careless = drawn.cascade.with_thresholds([0.0] * len(drawn.cascade.levels))
    assert set(careless.answer(drawn.rows).exit_level.tolist()) == {0}


@pytest.mark.parametrize("never", [None, 2.0])
@given(drawn=cascades())
def test_without_exits_the_last_level_answers(drawn: RandomCascade, never: float | None) -> None:
    """Where no row exits early, a cascade whose last level replaces is that level; 2.0 is the threshold of schema 1."""
    first = drawn.cascade.levels[0]
    if isinstance(first, Experts):
        return
    last = msgspec.structs.replace(first, fusion="replace")
    levels = drawn.cascade.with_levels([*drawn.cascade.levels, last])
    predictions = levels.with_thresholds([never] * len(levels.levels)).answer(drawn.rows)
    alone = Cascade((last,), drawn.cascade.hierarchy).answer(drawn.rows)
    np.testing.assert_array_equal(predictions.probabilities, alone.probabilities)
    assert set(predictions.exit_level.tolist()) == {len(levels.levels) - 1}


def _levels(*fusions: str) -> list[Level[str]]:
    """Describe levels by how they are fused."""
    return [
        Experts(name=fusion, experts={}, threshold=None)
        if fusion == "refine"
        else Classifier(name=fusion, network="", fusion="pool" if fusion == "pool" else "replace", threshold=None)
        for fusion in fusions
    ]


@pytest.mark.parametrize(
    ("thresholds", "fusions", "runs"),
    [
        ([None, 0.5, 0.0], ["replace", "replace", "replace"], [1, 2]),
        ([None, 0.5, 0.0], ["replace", "pool", "replace"], [0, 1, 2]),
        ([None, None, 0.0], ["replace", "pool", "replace"], [2]),
        ([None, None, 0.0], ["replace", "pool", "refine"], [0, 1, 2]),
        ([2.0, 2.0, 0.0], ["replace", "pool", "replace"], [2]),
        ([0.0], ["replace"], [0]),
    ],
)
def test_a_level_runs_where_it_exits_or_a_later_one_builds_on_it(
    thresholds: list[float | None], fusions: list[str], runs: list[int]
) -> None:
    """The last level always runs; one that is replaced runs only when rows can exit there."""
    assert levels_run(_levels(*fusions), thresholds) == runs


@given(cascades())
def test_a_fused_temperature_keeps_labels_and_whatever_was_refined(drawn: RandomCascade) -> None:
    """A temperature of 2 takes square roots, but not after refine."""
    predictions = drawn.cascade.answer(drawn.rows)
    calibrated = replace(drawn.cascade, fused_temperature=2.0).answer(drawn.rows)
    np.testing.assert_array_equal(calibrated.label, predictions.label)
    for row, level in enumerate(predictions.exit_level.tolist()):
        expected = predictions.probabilities[row].astype(np.float64)
        if drawn.cascade.levels[level].fusion != "refine":
            expected = np.sqrt(expected) / np.sqrt(expected).sum()
        np.testing.assert_allclose(calibrated.probabilities[row], expected, atol=1e-6)
        assert calibrated.confidence[row] == calibrated.probabilities[row].max()


@given(cascades(), st.data())
def test_exits_from_confidences_are_the_exits_of_the_engine(drawn: RandomCascade, data: st.DataObject) -> None:
    """Certification reads exits off confidences that were computed once, by the rule that serving applies."""
    levels = len(drawn.cascade.levels)
    prefixes = [drawn.cascade.with_levels(drawn.cascade.levels[: number + 1]) for number in range(levels)]
    confidences = np.stack(
        [cascade.with_thresholds([None] * len(cascade.levels)).answer(drawn.rows).confidence for cascade in prefixes]
    )
    thresholds = [data.draw(st.one_of(st.floats(0, 1), st.none())) for _ in range(levels)]
    answered = drawn.cascade.with_thresholds(thresholds).answer(drawn.rows)
    np.testing.assert_array_equal(exit_levels(confidences, thresholds), answered.exit_level)


@given(cascades(), st.floats(0, 1), st.floats(0, 1))
def test_abstention_does_not_depend_on_how_much_of_the_posterior_is_requested(
    drawn: RandomCascade, threshold: float, group_threshold: float
) -> None:
    """Groups of abstaining rows are read off the whole posterior, which is then computed where experts are last."""
    rule = Abstention(
        max_error=0.1,
        delta=0.05,
        threshold=threshold,
        group_threshold=group_threshold,
        rows=1,
        answered=1,
        wrong=0,
        p_value=0,
    )
    cascade = replace(drawn.cascade, abstention=rule)
    full, pruned = (cascade.answer(drawn.rows, full=full).abstentions for full in (True, False))
    assert full is not None
    assert pruned is not None
    np.testing.assert_array_equal(pruned.abstains, full.abstains)
    np.testing.assert_array_equal(pruned.group, full.group)
    np.testing.assert_array_equal(pruned.best_group, full.best_group)
    np.testing.assert_allclose(pruned.group_confidence, full.group_confidence, rtol=1e-6)


@given(cascades())
def test_networks_may_be_exchanged_without_changing_the_cascade(drawn: RandomCascade) -> None:
    """Over other networks of the same logits it answers the same; levels, groups and rules are what they were."""
    cascade = replace(drawn.cascade, fused_temperature=1.5)
    copied = cascade.map(lambda network: Recorded(network.logits.copy()))
    one, other = cascade.answer(drawn.rows, trace=True), copied.answer(drawn.rows, trace=True)
    np.testing.assert_array_equal(other.probabilities, one.probabilities)
    np.testing.assert_array_equal(other.trace, one.trace)
    assert (copied.thresholds, copied.hierarchy) == (cascade.thresholds, cascade.hierarchy)
    assert len(copied.networks) == len(cascade.networks)


def test_limits_are_infinite_where_no_row_exits_and_at_the_last_level() -> None:
    """No confidence reaches the one, and every confidence reaches the other, but NaN, which never exits."""
    limits = limits_of([None, 0.5, 0.9])
    assert limits.tolist() == [np.inf, 0.5, -np.inf]
    assert limits.dtype == np.float32
    confidences = np.array([[0.0], [0.5], [1.0], [np.nan]], np.float32)
    assert exits(confidences, limits).tolist() == [
        [False, False, True],
        [False, True, True],
        [False, True, True],
        [False, False, False],
    ]


def test_a_manifest_describes_two_cascades() -> None:
    """The end-to-end model is one of one level, which has no groups and never abstains."""
    manifest = layered_manifest()
    cascade, end_to_end = cascade_of(manifest), end_to_end_cascade(manifest)
    assert (cascade.levels, cascade.hierarchy.groups) == (manifest.levels, ("outer", "inner"))
    assert (cascade.fused_temperature, cascade.abstention) == (manifest.fused_temperature, manifest.abstention)
    assert cascade.hierarchy.prior == manifest.prior
    assert end_to_end.networks == [manifest.end_to_end.artifact]
    assert (end_to_end.hierarchy, end_to_end.fused_temperature, end_to_end.abstention) == (NO_GROUPS, 1.0, None)


def _cascade(*levels: tuple[NetworkFunction, float | None]) -> Cascade[NetworkFunction]:
    return Cascade(
        tuple(
            Classifier(name=str(n), network=network, threshold=threshold)
            for n, (network, threshold) in enumerate(levels)
        )
    )


def test_a_confidence_that_is_not_a_number_escalates() -> None:
    """A level whose numbers overflow is never confident."""
    broken = lambda rows: np.full((len(rows), 2), np.nan, np.float32)  # noqa: E731
    sound = lambda rows: np.zeros((len(rows), 2), np.float32)  # noqa: E731
    assert _cascade((broken, 0.0), (sound, 0.0)).answer(np.zeros(3, np.float32)).exit_level.tolist() == [1, 1, 1]


def test_rows_that_are_not_numbers_reach_the_last_level_alone() -> None:
    """NaN in one row does not change its neighbours, and stays NaN."""

    def network(rows: Floats) -> Floats:
        return np.stack([rows, -rows], 1)

    cascade = _cascade((network, 0.9), (network, 0.0))
    predictions = cascade.answer(np.array([9, np.nan, -9], np.float32), trace=True)
    assert predictions.exit_level.tolist() == [0, 1, 0]
    assert np.isnan(predictions.confidence).tolist() == [False, True, False]
    assert np.isnan(predictions.probabilities).all(axis=1).tolist() == [False, True, False]
    assert predictions.label.tolist()[::2] == [0, 1]


def test_share_counts_the_rows_of_a_level() -> None:
    """A level's share is the number of rows that exit there over the number of all rows."""
    first: NetworkFunction = lambda rows: np.stack([rows, -rows], 1)  # noqa: E731
    last: NetworkFunction = lambda rows: np.stack([rows, rows], 1)  # noqa: E731
    predictions = _cascade((first, 0.9), (last, 0.0)).answer(np.array([9, 9, 9, 0], np.float32))
    assert (predictions.share(0), predictions.share(1)) == (0.75, 0.25)
