"""training.modalities.table.samples."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.training.tables import TABLE
from training.modalities.table.samples import record, written
from weir.catalog.columns import Category, Date, Number
from weir.catalog.inputs import Table
from weir.engine.arrays import Floats
from weir.inputs.table import TableReader

NAN = float("nan")


@pytest.mark.parametrize(
    ("row", "values"),
    [
        ([1.5, 2, 3, 0, 1, 3, 0], {"height": 1.5, "rooms": 2, "colour": "green", "since": "1970-01-01"}),
        ([NAN, 2, 0, NAN, NAN, NAN, NAN], {"height": None, "rooms": 2, "colour": None, "since": None}),
        ([0, -1, 1, 19_000.5625, 1, 5, 13.5], {"height": 0, "rooms": -1, "colour": "?", "since": "2022-01-08T13:30"}),
    ],
)
def test_a_row_is_written_in_words(row: list[float], values: dict[str, object]) -> None:
    """Categories are their entries, dates are ISO 8601, what is missing is null, and what is unknown a mark."""
    assert json.loads(written(record(np.array(row, np.float32), TABLE))) == values


def test_yes_and_no_are_written_as_such() -> None:
    """A column of booleans has true and false; a date may lack its hour."""
    table = Table(name="row", columns=(Number(name="paid", datatype="BOOL"), Date(name="on")))
    row = record(np.array([1, 365, 1, 0, NAN], np.float32), table)
    assert row == {"paid": True, "on": "1971-01-01"}


@given(
    st.lists(
        st.fixed_dictionaries(
            {
                "height": st.none() | st.floats(width=32, allow_nan=False, allow_infinity=False),
                "rooms": st.integers(-(2**24), 2**24),
                "colour": st.none() | st.sampled_from(["red", "green", "blue", "new"]),
                "since": st.none() | st.datetimes().map(lambda moment: moment.replace(microsecond=0).isoformat()),
            }
        ),
        min_size=1,
        max_size=4,
    )
)
def test_a_row_in_words_is_the_same_row(records: list[dict[str, object]]) -> None:
    """What is written is encoded to the values that it was written from."""
    reader = TableReader(TABLE)

    def encoded(rows: list[dict[str, object]]) -> Floats:
        return reader.from_values({name: [row[name] for row in rows] for name in rows[0]}, len(rows))

    rows = encoded(records)
    np.testing.assert_array_equal(encoded([dict(record(row, TABLE)) for row in rows]), rows)


def test_what_is_unknown_is_in_no_vocabulary() -> None:
    """Its place is taken by a text that the model does not know, whatever the vocabulary has."""
    table = Table(name="row", columns=(Category(name="sign", vocabulary=("?", "??")),))
    assert record(np.array([1], np.float32), table) == {"sign": "???"}
