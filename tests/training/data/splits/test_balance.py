"""training.data.splits.balance."""

import numpy as np
import pytest
from sklearn.utils.class_weight import compute_sample_weight

from training.data.splits.balance import balanced, rare, rows_of


def test_rows_are_counted_by_label() -> None:
    """A label without rows counts, too."""
    assert rows_of(("a", "b", "c"), np.array([0, 2, 2])) == {"a": 1, "b": 0, "c": 2}


def test_labels_with_few_rows_in_a_part_are_listed_with_all_parts() -> None:
    """Few are fewer than 10."""
    parts = {"training": {"a": 90, "b": 30, "c": 9}, "test": {"a": 10, "b": 9, "c": 3}}
    assert rare(parts) == "b (30 training, 9 test); c (9 training, 3 test)"
    assert not rare({"test": {"a": 10, "b": 300}})


def test_a_long_list_is_cut() -> None:
    """Ten labels are named, and the others are counted."""
    listed = rare({"test": {str(label): 1 for label in range(13)}})
    assert listed.startswith("0 (1 test); 1 (1 test); ")
    assert listed.endswith("9 (1 test); 3 more labels")


def test_balanced_rows_weigh_as_much_for_every_label() -> None:
    """The weights are those of scikit-learn, 1 on average; a label without rows does not count."""
    labels = np.array([0, 0, 0, 2, 2, 0, 0, 3])
    weights = balanced(labels)
    np.testing.assert_allclose(weights, compute_sample_weight("balanced", labels), rtol=1e-6)
    assert weights.mean() == pytest.approx(1)
