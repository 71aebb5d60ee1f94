"""training.levels.comparison."""

from tests.training.training_runs import knowing
from training.levels.comparison import comparison


def test_a_difference_beyond_chance_is_told_with_its_test() -> None:
    """The sentence has the counts, the test and what was left out; the fields say the same."""
    line = comparison(
        "after training",
        "tiny, not large as the task says",
        knowing("tiny", 372),
        knowing("large", 132),
        ["medium", "large"],
    )
    assert line.why == (
        "end-to-end: tiny, not large as the task says: on 400 validation rows tiny is correct on 372, large on 132 "
        "(McNemar's exact test, one-sided, p = 5.7e-73); left out, because rows end at tiny: medium, large"
    )
    assert (line.when, line.end_to_end, line.other) == ("after training", "tiny", "large")
    assert (line.rows, line.end_to_end_correct, line.other_correct) == (400, 372, 132)
    assert (line.too_few_rows, line.left_out) == (False, ("medium", "large"))
    assert line.p_value == 0.5**240


def test_a_difference_that_may_be_chance_is_told_as_such() -> None:
    """The p-value is that of the one with more correct rows, whichever of the two is the end-to-end model."""
    large, tiny = knowing("large", 370), knowing("tiny", 372)
    for pair in ((large, tiny), (tiny, large)):
        line = comparison("after optimisation", "large stays", *pair)
        assert line.why.endswith("; too few rows to tell them apart (p = 0.25)")
        assert (line.too_few_rows, line.p_value, line.left_out) == (True, 0.25, ())
