"""weir.engine.abstention."""

import msgspec
import numpy as np
import pytest

from weir.catalog.promises import Abstention
from weir.engine.abstention import NO_GROUP, decide
from weir.engine.hierarchy import NO_GROUPS, Hierarchy
from weir.engine.predictions import Predictions

HIERARCHY = Hierarchy(("a", "b"), ((0, 1), (2,)), (0.3, 0.3, 0.4))
RULE = Abstention(
    max_error=0.02, delta=0.05, threshold=0.6, group_threshold=0.9, rows=9, answered=9, wrong=0, p_value=0
)
POSTERIOR = np.array([[0.9, 0.1, 0], [0.5, 0.45, 0.05], [0.4, 0.3, 0.3], [0.4, 0.3, 0.3]], np.float32)
ANSWERED = Predictions(POSTERIOR, POSTERIOR.argmax(axis=1), POSTERIOR.max(axis=1), np.array([1, 1, 1, 0], np.int32), 2)


def test_rows_of_low_confidence_at_the_last_level_get_a_group_or_nothing() -> None:
    """A confident row has its label; so has a row that exits early, whatever its confidence."""
    abstentions = decide(ANSWERED, RULE, HIERARCHY)
    assert abstentions.abstains.tolist() == [False, True, True, False]
    assert abstentions.group.tolist() == [0, 0, NO_GROUP, 0]
    assert abstentions.group_confidence[1] == pytest.approx(0.95)
    assert np.isnan(abstentions.group_confidence[[0, 3]]).all()


@pytest.mark.parametrize("hierarchy", [NO_GROUPS, HIERARCHY])
def test_without_a_group_threshold_no_abstaining_row_gets_a_group(hierarchy: Hierarchy) -> None:
    """Certification found no threshold of groups then."""
    abstentions = decide(ANSWERED, msgspec.structs.replace(RULE, group_threshold=None), hierarchy)
    assert abstentions.abstains.tolist() == [False, True, True, False]
    assert abstentions.group[abstentions.abstains].tolist() == [NO_GROUP, NO_GROUP]


def test_without_a_rule_no_row_abstains() -> None:
    """Every row has its label, and the group of that label."""
    abstentions = decide(ANSWERED, None, HIERARCHY)
    assert not abstentions.abstains.any()
    assert abstentions.group.tolist() == [0, 0, 0, 0]


def test_a_confidence_that_is_not_a_number_abstains() -> None:
    """NaN is below every threshold."""
    odd = Predictions(POSTERIOR[:1], np.array([0]), np.array([np.nan], np.float32), np.array([1], np.int32), 2)
    assert decide(odd, RULE, NO_GROUPS).abstains.tolist() == [True]
