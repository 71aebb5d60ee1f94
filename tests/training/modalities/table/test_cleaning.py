"""training.modalities.table.cleaning."""

import numpy as np
import pytest

from tests.training.tables import COLOUR, DAYS, HEIGHT, HOUR, ROOMS, TABLE, rows
from training.modalities.table.cleaning import as_rows, constant_inputs, unusable
from weir.catalog.columns import Category, Date
from weir.catalog.inputs import Table
from weir.errors import BadInput

STRICT = Table(name="row", columns=(Category(name="colour", vocabulary=("red",), optional=False), Date(name="since")))


def test_rows_that_lack_what_they_may_lack_are_used() -> None:
    """A missing number, category or date is no reason to drop a row where the column is optional."""
    masks = unusable(rows(50).inputs, TABLE)
    assert {reason: int(mask.sum()) for reason, mask in masks.items()} == {
        "not_finite": 0,
        "out_of_range": 0,
        "empty": 0,
    }


@pytest.mark.parametrize(
    ("place", "value", "reason"),
    [
        (HEIGHT, np.inf, "not_finite"),
        (HEIGHT, -np.inf, "not_finite"),
        (ROOMS, np.nan, "not_finite"),
        (HOUR, np.inf, "not_finite"),
        (COLOUR, 5, "out_of_range"),
        (COLOUR, -1, "out_of_range"),
        (COLOUR, 2.5, "out_of_range"),
        (COLOUR, np.nan, "out_of_range"),
    ],
)
def test_rows_with_impossible_values_are_marked(place: int, value: float, reason: str) -> None:
    """Infinite values, gaps in columns that are not optional, and codes that a category does not have."""
    values = rows(5).inputs
    values[3, place] = value
    assert {name: np.flatnonzero(mask).tolist() for name, mask in unusable(values, TABLE).items()}[reason] == [3]


def test_gaps_are_marked_where_columns_are_not_optional() -> None:
    """The code of a missing category, and NaN in any part of a date."""
    values = np.array([[2, 1, 1, 0, 0], [0, 1, 1, 0, 0], [1, 1, 1, 0, np.nan]], np.float32)
    masks = unusable(values, STRICT)
    assert masks["out_of_range"].tolist() == [False, True, False]
    assert masks["not_finite"].tolist() == [False, False, True]


def test_values_that_never_change_are_counted() -> None:
    """The hour is 0 or missing, so it changes; a column that is always missing does not."""
    values = rows(20).inputs
    assert constant_inputs(values) == 0
    values[:, DAYS], values[:, ROOMS] = np.nan, 3
    assert constant_inputs(values) == 2


def test_rows_are_of_32_bits_and_every_gap_is_the_same() -> None:
    """Rows that are equal have the same bytes, which tell duplicates; what overflows is infinite, and is dropped."""
    one = rows(2).inputs.astype(np.float64)
    one[:, HEIGHT] = -np.float64(np.nan), np.nan
    one[0, ROOMS] = 1e300
    taken = as_rows(one, TABLE)
    assert taken.dtype == np.float32
    assert taken[0, HEIGHT].tobytes() == taken[1, HEIGHT].tobytes()
    assert unusable(taken, TABLE)["not_finite"].tolist() == [True, False]


@pytest.mark.parametrize(
    ("values", "rule"),
    [
        (np.zeros((3, 6)), r"rows of the table have the shape \(rows, 7\)"),
        (np.zeros((0, 7)), r"rows of the table have the shape"),
        (np.full((3, 7), "x"), "the values of a table are numbers"),
    ],
)
def test_what_is_no_table_is_refused(values: np.ndarray, rule: str) -> None:  # type: ignore[type-arg]
    """The error states the shape, or that values are numbers."""
    with pytest.raises(BadInput, match=rule):
        as_rows(values, TABLE)
