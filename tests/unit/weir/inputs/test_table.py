"""weir.inputs.table: columns of numbers, categories and dates in one array."""

import math
from collections.abc import Sequence

import numpy as np
import pytest
from numpy.typing import NDArray

from weir.catalog.columns import Category, Column, Date, Number
from weir.catalog.inputs import Table
from weir.errors import BadTensor, UnsupportedMedia
from weir.inputs.table import TableReader
from weir.inputs.values import Values

AGE = Number(name="age", optional=True)
CHILDREN = Number(name="children", datatype="INT64")
PLAN = Category(name="plan", vocabulary=("basic", "gold", "7"))
COUNTRY = Category(name="country", vocabulary=("de",), optional=False)
SINCE = Date(name="since", optional=True)
TABLE = TableReader(Table(name="row", columns=(AGE, PLAN, SINCE, CHILDREN)))


def _alone(column: Column, values: Values) -> NDArray[np.float32]:
    return TableReader(Table(name="row", columns=(column,))).from_values({column.name: values}, len(values))


def test_columns_stand_in_their_order() -> None:
    """A number and a category are one value each, a date four."""
    values: dict[str, Values] = {
        "children": [2, 0],
        "age": [41.5, None],
        "plan": ["gold", None],
        "since": ["1970-01-03T06:00", ""],
        "unread": ["x", "y"],
    }
    expected = [[41.5, 3, 2.25, 1, 5, 6, 2], [math.nan, 0, math.nan, math.nan, math.nan, math.nan, 0]]
    rows = TABLE.from_values(values, 2)
    assert rows.dtype == np.float32
    np.testing.assert_array_equal(rows, np.array(expected, np.float32))


@pytest.mark.parametrize(
    "values",
    [
        [1, 2.5, True],
        np.array([1, 2.5, 1]),
        np.array([1, 2.5, 1], np.float16),
        np.array([1, 2.5, 1], ">f8"),
    ],
)
def test_numbers_may_have_any_datatype(values: Values) -> None:
    """Lists of JSON and arrays of the protocol give the same rows."""
    assert _alone(AGE, values).tolist() == [[1], [2.5], [1]]


def test_a_missing_number_is_nan() -> None:
    """Null in JSON, NaN in bytes."""
    assert np.isnan(_alone(AGE, [None])).all()
    assert np.isnan(_alone(AGE, np.array([np.nan]))).all()


@pytest.mark.parametrize(
    ("text", "code"), [("basic", 2), ("gold", 3), (7, 4), ("7", 4), ("Gold", 1), (8, 1), (None, 0), ("", 0)]
)
def test_categories_are_codes(text: object, code: int) -> None:
    """Missing and unknown have codes of their own; a whole number is its text, as a .csv has it."""
    assert _alone(PLAN, [text]).tolist() == [[code]]


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("1970-01-01", (0, 1, 3, 0)),
        ("1969-12-31T12:00:00", (-0.5, 12, 2, 12)),
        ("2026-01-31T23:30:00+00:30", (20484 + 23 / 24, 1, 5, 23)),
        ("2026-01-31T00:30:00+01:00", (20483 + 23.5 / 24, 1, 4, 23.5)),
        ("20260131", (20484, 1, 5, 0)),
        ("2026-01-31T12Z", (20484.5, 1, 5, 12)),
    ],
)
def test_dates_are_days_month_weekday_and_hour(text: str, parts: Sequence[float]) -> None:
    """A zone is changed to UTC."""
    assert _alone(SINCE, [text]).tolist() == [np.array(parts, np.float32).tolist()]


@pytest.mark.parametrize(
    ("column", "values", "error"),
    [
        (AGE, ["41"], r"age is a number\. Got: '41'$"),
        (AGE, [1, [2]], r"age is a number\. Got: \[2\] in row 1$"),
        (AGE, [1, math.inf], r"age: values are finite in FP32\. Got: inf in row 1$"),
        (AGE, [1e39], r"age: values are finite in FP32\. Got: 1e\+39$"),
        (AGE, [10**400], r"age: values are finite in FP32\. Got: 10000000000000000000…"),
        (AGE, np.array([-np.inf]), r"age: values are finite in FP32\. Got: -inf$"),
        (CHILDREN, [1, None], r"children has a value in every row, as it had in training\. Got: none in row 1$"),
        (CHILDREN, np.array([np.nan]), r"children has a value in every row, .*\. Got: none$"),
        (PLAN, ["basic", 1.5], r"plan is a text\. Got: 1\.5 in row 1$"),
        (PLAN, [True], r"plan is a text\. Got: True$"),
        (COUNTRY, [""], r"country has a value in every row, as it had in training\. Got: none$"),
        (SINCE, ["31.01.2026"], r"since is a date, or .* ISO 8601, such as .*\. Got: '31\.01\.2026'$"),
        (SINCE, [20260131], r"since is a date.* Got: 20260131$"),
        (SINCE, ["0001-01-01T00:00+23:59"], "since is a date"),
    ],
)
def test_values_of_another_kind_are_refused(column: Column, values: Values, error: str) -> None:
    """The error names the column, the rule, the value, and the row where there are several."""
    with pytest.raises(BadTensor, match=error):
        _alone(column, values)


def test_every_column_has_a_value_for_each_row() -> None:
    """A column that is shorter or longer than the others is refused."""
    with pytest.raises(BadTensor, match=r"age has one value for each of the 2 rows\. Got: 1"):
        TableReader(Table(name="row", columns=(AGE,))).from_values({"age": [1]}, 2)


def test_cells_are_read_as_values() -> None:
    """A .csv has texts only: words for no value, numbers, true and false."""
    cells = {"age": [" 41 ", "NA", "true"], "plan": [" gold", "n/a", "x"], "since": ["1970-01-01", "", "NaN"]}
    rows = TABLE.from_cells({**cells, "children": ["1", "2", "false"]}, 3)
    np.testing.assert_array_equal(rows[:, 0], np.array([41, np.nan, 1], np.float32))
    assert rows[:, 1].tolist() == [3, 0, 1]
    assert np.isnan(rows[:, 2]).tolist() == [False, True, True]
    with pytest.raises(BadTensor, match=r"age is a number\. Got: '4,5' in row 1"):
        TABLE.from_cells({**cells, "age": ["1", "4,5", "2"], "children": ["1"] * 3}, 3)


def test_an_array_is_for_numbers_only() -> None:
    """Its columns are in the order of the table's; a category would have to be a code."""
    numbers = TableReader(Table(name="row", columns=(CHILDREN, AGE)))
    assert numbers.from_array(np.array([[1, 2], [3, 4]], np.int32)).tolist() == [[1, 2], [3, 4]]
    with pytest.raises(BadTensor, match="rows have 2 numbers: children, age"):
        numbers.from_array(np.zeros((2, 3)))
    with pytest.raises(BadTensor, match="rows name their columns: age, plan"):
        TABLE.from_array(np.zeros((2, 4)))


def test_no_picture_is_a_row() -> None:
    """A file of pixels is refused."""
    with pytest.raises(UnsupportedMedia):
        TABLE.from_file(b"", "image/png")


def test_zeros_have_the_form_of_rows() -> None:
    """There may be none of them."""
    assert TABLE.zeros(0).shape == (0, 7)
    assert (TABLE.zeros(2).shape, TABLE.zeros(2).dtype) == ((2, 7), np.dtype(np.float32))
