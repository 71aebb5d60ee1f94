"""weir.engine.paths."""

from dataclasses import replace

import msgspec
import numpy as np

from weir.catalog.levels import Classifier, Experts, Router
from weir.catalog.promises import Abstention
from weir.engine.cascade import Cascade
from weir.engine.hierarchy import Hierarchy
from weir.engine.paths import paths
from weir.engine.predictions import Abstentions, Predictions

RULE = Abstention(
    max_error=0.02, delta=0.05, threshold=0.6, group_threshold=0.9, rows=9, answered=9, wrong=0, p_value=0
)
GROUPS = Hierarchy(("shoes", "tops"), ((0,), (1,)), (0.5, 0.5))
GROUPED: Cascade[None] = Cascade(
    (Router(name="router", network=None, threshold=0.9), Experts(name="experts", experts={}, threshold=0.0)),
    GROUPS,
    abstention=RULE,
)


def _predictions(trace: list[list[float]], exits: list[int], abstentions: Abstentions | None = None) -> Predictions:
    rows = len(exits)
    return Predictions(
        probabilities=np.empty((rows, 0), np.float32),
        label=np.zeros(rows, np.intp),
        confidence=np.array([0.55] * rows, np.float32),
        exit_level=np.array(exits, np.int32),
        levels=len(trace[0]),
        trace=np.array(trace, np.float32),
        abstentions=abstentions,
    )


def _classifiers(*thresholds: float | None) -> Cascade[None]:
    names = zip("abc", thresholds, strict=True)
    return Cascade(tuple(Classifier(name=name, network=None, threshold=one) for name, one in names))


def test_paths_name_the_levels_that_saw_the_row() -> None:
    """A path has a part for each of them: its confidence, and the threshold it was held against."""
    predictions = _predictions([[0.95, np.nan, np.nan], [0.5, np.nan, 0.7]], [0, 2])
    expected = ["a 0.9500 >= 0.9000", "a 0.5000 < 0.9000; c 0.7000"]
    assert paths(predictions, _classifiers(0.9, None, 0.0)) == expected


def test_a_level_at_which_no_row_exits_has_no_threshold_to_show() -> None:
    """Such a level runs where a later one builds on it; its confidence stands alone, as the last level's does."""
    predictions = _predictions([[0.6, 0.8, np.nan]], [1])
    assert paths(predictions, _classifiers(None, 0.7, 0.0)) == ["a 0.6000; b 0.8000 >= 0.7000"]


def test_paths_name_the_group_taken_and_say_which_rows_abstain() -> None:
    """The last part shows why a row that reached the last level has a label, a group, or neither."""
    nan = float("nan")
    abstentions = Abstentions(
        np.array([False, False, True, True]),
        np.array([1, 0, 0, -1]),
        np.array([nan, nan, 0.95, 0.7], np.float32),
        np.array([1, 0, 0, 1]),
    )
    predictions = _predictions([[0.95, nan], [0.5, 0.7], [0.5, 0.55], [0.5, 0.5]], [0, 1, 1, 1], abstentions)
    assert paths(predictions, GROUPED) == [
        "router 0.9500 >= 0.9000",
        "router 0.5000 < 0.9000; experts (shoes) 0.7000; answers 0.5500 >= 0.6000",
        "router 0.5000 < 0.9000; experts (shoes) 0.5500; abstains 0.5500 < 0.6000; group shoes 0.9500 >= 0.9000",
        "router 0.5000 < 0.9000; experts (tops) 0.5000; abstains 0.5500 < 0.6000; no group 0.7000 < 0.9000",
    ]
    without_rule = replace(GROUPED, abstention=None)
    assert paths(predictions, without_rule)[3] == "router 0.5000 < 0.9000; experts (tops) 0.5000"
    labels_only = replace(GROUPED, abstention=msgspec.structs.replace(RULE, group_threshold=None))
    assert paths(predictions, labels_only)[3].endswith("abstains 0.5500 < 0.6000")
