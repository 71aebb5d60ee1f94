"""weir.engine.predictions."""

import numpy as np

from weir.engine.predictions import Predictions

POSTERIOR = np.array([[0.9, 0.1], [0.4, 0.6], [0.5, 0.5], [0.3, 0.7]], np.float32)
PREDICTIONS = Predictions(
    POSTERIOR, POSTERIOR.argmax(axis=1), POSTERIOR.max(axis=1), np.array([0, 2, 0, 2], np.int32), levels=3
)


def test_rows_of_the_last_level_are_those_that_exit_there() -> None:
    """The last level is the last of all, also of those that answered no row."""
    assert PREDICTIONS.at_last_level.tolist() == [False, True, False, True]
    one_more = Predictions(POSTERIOR, PREDICTIONS.label, PREDICTIONS.confidence, PREDICTIONS.exit_level, levels=4)
    assert not one_more.at_last_level.any()


def test_the_shares_of_all_levels_add_up_to_one() -> None:
    """A level's share is of all rows, and 0 where it answered none."""
    assert [PREDICTIONS.share(level) for level in range(3)] == [0.5, 0.0, 0.5]


def test_predictions_have_no_trace_unless_one_is_requested() -> None:
    """An empty trace has no rows to describe, so there is no path either."""
    assert PREDICTIONS.trace.size == 0
    assert PREDICTIONS.abstentions is None
