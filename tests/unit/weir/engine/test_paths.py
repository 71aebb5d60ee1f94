"""weir.engine.paths."""

import msgspec
import numpy as np

from weir.catalog.promises import Abstention
from weir.engine.cascade import Abstentions, Predictions
from weir.engine.paths import Signs, paths

RULE = Abstention(
    max_error=0.02, delta=0.05, threshold=0.6, group_threshold=0.9, rows=9, answered=9, wrong=0, p_value=0
)


def _answers(trace: list[list[float]], exits: list[int], given: Abstentions | None = None) -> Predictions:
    rows, asked = len(exits), np.array(trace, np.float32)
    sure = np.array([0.55] * rows, np.float32)
    nothing = np.empty((rows, 0), np.float32)
    return Predictions(nothing, np.zeros(rows, np.intp), sure, np.array(exits, np.int32), len(trace[0]), asked, given)


def test_paths_tell_which_levels_were_asked() -> None:
    """A path has a part for each level asked: how sure it was, and against which threshold."""
    answers = _answers([[0.95, np.nan, np.nan], [0.5, np.nan, 0.7]], [0, 2])
    told = paths(answers, Signs(("a", "b", "c"), (0.9, 2.0, 0.0), (False, False, False)))
    assert told == ["a 0.9500 >= 0.9000", "a 0.5000 < 0.9000; c 0.7000"]


def test_paths_tell_the_group_taken_and_who_abstained() -> None:
    """The last part says why a row that reached the end has a label, a group, or nothing."""
    nan = float("nan")
    given = Abstentions(
        np.array([False, False, True, True]),
        np.array([1, 0, 0, -1]),
        np.array([nan, nan, 0.95, 0.7], np.float32),
        np.array([1, 0, 0, 1]),
    )
    answers = _answers([[0.95, nan], [0.5, 0.7], [0.5, 0.55], [0.5, 0.5]], [0, 1, 1, 1], given)
    signs = Signs(("router", "experts"), (0.9, 0.0), (False, True), ("shoes", "tops"), RULE)
    assert paths(answers, signs) == [
        "router 0.9500 >= 0.9000",
        "router 0.5000 < 0.9000; experts (shoes) 0.7000; answers 0.5500 >= 0.6000",
        "router 0.5000 < 0.9000; experts (shoes) 0.5500; abstains 0.5500 < 0.6000; group shoes 0.9500 >= 0.9000",
        "router 0.5000 < 0.9000; experts (tops) 0.5000; abstains 0.5500 < 0.6000; no group 0.7000 < 0.9000",
    ]
    alone = Signs(("router", "experts"), (0.9, 0.0), (False, True), ("shoes", "tops"))
    assert paths(answers, alone)[3] == "router 0.5000 < 0.9000; experts (tops) 0.5000"
    groupless = Signs(signs.names, signs.thresholds, signs.refines, signs.groups, _without_groups())
    assert paths(answers, groupless)[3].endswith("abstains 0.5500 < 0.6000")


def _without_groups() -> Abstention:
    return msgspec.structs.replace(RULE, group_threshold=None)
