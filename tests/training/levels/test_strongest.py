"""training.levels.strongest, on networks whose correct rows are given."""

import numpy as np
import pytest

from tests.training.training_runs import (
    GROUPS,
    LABELS,
    NAMES,
    knowing,
    ladder,
    network_of,
    random_expert,
    random_network,
)
from training.levels.ladder import Ladder, with_expert_weights, with_pool_weights
from training.levels.network import TrainableNetwork
from training.levels.strongest import Selection, after_optimisation, after_training
from training.replay.paired import compare
from weir.catalog.levels import Classifier, Experts
from weir.catalog.promises import Against


def _after_training(networks: list[TrainableNetwork]) -> Selection:
    by_time = sorted(networks, key=lambda network: network.predictions.time_us)
    return after_training(networks, [network.spec.name for network in by_time])


def _names(selection: Selection) -> list[str]:
    """Check that the last level is the end-to-end model alone, and return the names of the levels."""
    last = selection.ladder.levels[-1]
    assert isinstance(last, Classifier)
    assert last.network is selection.ladder.end_to_end
    assert last.fusion == "replace"
    return [level.name for level in selection.ladder.levels]


def test_the_strongest_network_is_the_end_to_end_model() -> None:
    """Levels that take less time come before it by time; the rest, the task's own included, is left out."""
    networks = [knowing("medium", 380, 40), knowing("slow", 360, 60), knowing("tiny", 350, 10), knowing("mini", 300, 5)]
    selection = _after_training([*networks, knowing("large", 132, 100)])
    assert _names(selection) == ["mini", "tiny", "medium"]
    assert [network.spec.name for network in selection.left_out] == ["slow", "large"]
    (line,) = selection.comparisons
    assert (line.end_to_end, line.other, line.left_out) == ("medium", "large", ("slow", "large"))
    assert line.why.startswith(
        "end-to-end: medium, not large as the task says: on 400 validation rows medium is correct on 380, large on 132 "
    )


def test_a_level_that_is_ahead_by_chance_does_not_replace_the_tasks_own_and_the_line_says_so() -> None:
    """A reader learns that the rows are too few to tell them apart."""
    selection = _after_training([knowing("tiny", 392, 10), knowing("large", 390, 100)])
    assert _names(selection) == ["tiny", "large"]
    (line,) = selection.comparisons
    assert line.too_few_rows
    assert line.why.startswith("end-to-end: large, as the task says: ")
    assert "tiny on 392" in line.why
    assert "too few rows to tell them apart (p = 0.25)" in line.why


def test_the_strongest_is_one_of_those_beyond_chance() -> None:
    """The one that is correct on most rows may differ from the task's own on so many that chance explains it."""
    scattered = knowing("scattered", 388, 20, first=112)  # wrong on 12 rows, on all of which the own one is correct
    steady, own = knowing("steady", 386, 30), knowing("large", 380, 100)
    assert not compare(scattered.correct, own.correct).beyond_chance
    assert compare(steady.correct, own.correct).beyond_chance
    (line,) = (selection := _after_training([scattered, steady, own])).comparisons
    assert selection.ladder.end_to_end is steady
    assert line.why.startswith("end-to-end: steady, not large as the task says: ")


def test_the_tasks_own_network_wins_a_tie() -> None:
    """The line still says that the rows do not tell it from the level that is correct on as many."""
    selection = _after_training([knowing("tiny", 390, 10), knowing("mini", 300, 5), knowing("large", 390, 100)])
    assert _names(selection) == ["mini", "tiny", "large"]
    (line,) = selection.comparisons
    assert (line.end_to_end, line.other, line.too_few_rows, line.left_out) == ("large", "tiny", True, ())
    assert line.why.startswith("end-to-end: large, as the task says: ")


def test_a_tie_of_levels_goes_to_the_lower_loss() -> None:
    """One that is surer of its correct rows, and less sure of its wrong ones, has it."""
    sure, unsure = knowing("sure", 390, 20), knowing("unsure", 390, 30, correct_logit=1.0)
    for levels in ([sure, unsure], [unsure, sure]):
        assert _after_training([*levels, knowing("large", 132, 100)]).ladder.end_to_end is sure


def test_a_level_that_takes_more_time_than_the_strongest_network_is_left_out() -> None:
    """So it is when the strongest is the task's own."""
    selection = _after_training([knowing("slow", 380, 200), knowing("tiny", 350, 10), knowing("large", 390, 100)])
    assert _names(selection) == ["tiny", "large"]
    assert selection.comparisons[0].left_out == ("slow",)


def test_the_only_network_is_compared_with_none() -> None:
    """A hierarchy may have no level before the end-to-end network."""
    only = knowing("last", 300, 10)
    selection = _after_training([only])
    assert (selection.ladder.end_to_end, selection.comparisons, selection.left_out) == (only, (), ())


def test_a_level_that_has_become_stronger_is_the_end_to_end_model() -> None:
    """The levels after it go, and those before it stay."""
    networks = [knowing("mini", 300, 5), knowing("tiny", 395, 10), knowing("medium", 386, 40)]
    selection = after_optimisation(ladder(*networks, knowing("large", 385, 100)), "end-to-end")
    assert _names(selection) == ["mini", "tiny"]
    assert [network.spec.name for network in selection.left_out] == ["medium", "large"]
    (line,) = selection.comparisons
    assert (line.when, line.end_to_end, line.other) == ("after optimisation", "tiny", "large")
    assert (line.left_out, line.too_few_rows) == (("medium", "large"), False)
    assert line.why.startswith("end-to-end: tiny after optimisation, no longer large: on 400 validation rows tiny ")


def test_a_level_that_may_be_ahead_by_chance_changes_nothing() -> None:
    """The line says that these rows are too few to tell; without such a level there is none."""
    before = ladder(knowing("mini", 300, 5), knowing("tiny", 389, 10), knowing("large", 385, 100))
    selection = after_optimisation(before, "end-to-end")
    assert selection.ladder is before
    (line,) = selection.comparisons
    assert (line.end_to_end, line.other, line.too_few_rows, line.p_value) == ("large", "tiny", True, 1 / 16)
    assert line.why.startswith("end-to-end: large stays after optimisation: on 400 validation rows large is correct ")
    weaker = ladder(knowing("mini", 300, 5), knowing("large", 385, 100))
    assert after_optimisation(weaker, "end-to-end") == Selection(weaker)


def test_levels_before_the_new_end_to_end_model_are_compared_with_it() -> None:
    """One of them may be ahead of it, by a difference that chance may explain; a second line says so."""
    networks = [knowing("mini", 225, 5, first=175), knowing("tiny", 220, 10), knowing("large", 200, 100)]
    selection = after_optimisation(ladder(*networks), "end-to-end")
    assert _names(selection) == ["mini", "tiny"]
    assert [(line.end_to_end, line.other, line.too_few_rows) for line in selection.comparisons] == [
        ("tiny", "large", False),
        ("tiny", "mini", True),
    ]


def _pooled(before: Ladder, number: int) -> Ladder:
    level = before.levels[number]
    assert isinstance(level, Classifier)
    return before.with_level(number, with_pool_weights(before, number, level))


def test_a_pooled_level_answers_alone_as_the_end_to_end_model() -> None:
    """A promise against the end-to-end model needs that, and its weights go; against labels the pool stays."""
    networks = [random_network("mini", 0.6, 1, 5), knowing("tiny", 395, 10), knowing("large", 380, 100)]
    before = _pooled(ladder(*networks), 1)
    selection = after_optimisation(before, "end-to-end")
    assert _names(selection) == ["mini", "tiny"]
    last = selection.ladder.levels[-1]
    assert isinstance(last, Classifier)
    assert last.weights == (1.0, 1.0)
    selection = after_optimisation(before, "labels")
    assert selection.ladder.levels == before.levels[:2]


def _refined(known: float) -> Ladder:
    """Put experts after an end-to-end model that is weaker than the level before it."""
    before = ladder(knowing("tiny", 300, 10), _telling_groups("large")).with_hierarchy(GROUPS)
    experts = {group: random_expert(known, seed) for seed, group in enumerate(("ab", "cd"))}
    level = with_expert_weights(before, 2, Experts(name="experts", experts=experts, threshold=None))
    return before.with_levels([*before.levels, level])


def _telling_groups(name: str) -> TrainableNetwork:
    """Make a network that finds the group of every row, and takes the first label of it."""
    same_group = GROUPS.group_of[LABELS][:, None] == GROUPS.group_of
    first = np.arange(len(NAMES)) % 2 == 0
    return network_of(name, (4.0 * same_group + 0.1 * first).astype(np.float32), LABELS, 100.0)


@pytest.mark.parametrize(("known", "left_out"), [(0.99, ()), (0.0, ("large", "experts"))])
def test_experts_stay_where_the_cascade_is_stronger_with_them(known: float, left_out: tuple[str, ...]) -> None:
    """With a promise against labels the end-to-end model need not be the last level."""
    before = _refined(known)
    selection = after_optimisation(before, "labels")
    assert selection.ladder.end_to_end.spec.name == "tiny"
    assert selection.comparisons[0].left_out == left_out
    assert selection.ladder.levels == (before.levels if not left_out else before.levels[:1])
    assert [network.spec.name for network in selection.left_out] == (["large", "expert", "expert"] if left_out else [])


@pytest.mark.parametrize("against", ["end-to-end", "labels"])
def test_experts_are_not_compared(against: Against) -> None:
    """They know the labels of a group only, so none of them can be the end-to-end model."""
    tiny, large, experts = _refined(0.99).levels
    before = _refined(0.99).with_levels([large, experts, tiny])
    selection = after_optimisation(Ladder(before.cascade, tiny.networks[0]), against)
    assert selection.ladder.levels == before.levels
    assert selection.comparisons == ()
