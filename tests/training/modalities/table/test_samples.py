"""training.modalities.table.samples."""

import json

import numpy as np
import pytest

from tests.training.tables import TABLE
from training.modalities.table.samples import file
from weir.catalog.columns import Date, Number
from weir.catalog.inputs import Table

NAN = float("nan")


@pytest.mark.parametrize(
    ("row", "values"),
    [
        ([1.5, 2, 3, 0, 1, 3, 0], {"height": 1.5, "rooms": 2, "colour": "green", "since": "1970-01-01"}),
        ([NAN, 2, 0, NAN, NAN, NAN, NAN], {"height": None, "rooms": 2, "colour": None, "since": None}),
        ([0, -1, 1, 19_000, 1, 2, 13.5], {"height": 0, "rooms": -1, "colour": None, "since": "2022-01-08T13:30"}),
    ],
)
def test_a_row_is_written_in_words(row: list[float], values: dict[str, object]) -> None:
    """Categories are their entries, dates are ISO 8601, and what is missing or unknown is null."""
    assert json.loads(file(np.array(row, np.float32), TABLE)) == values


def test_yes_and_no_are_written_as_such() -> None:
    """A column of booleans has true and false; a date may lack its hour."""
    table = Table(name="row", columns=(Number(name="paid", datatype="BOOL"), Date(name="on")))
    written = json.loads(file(np.array([1, 365, 1, 0, NAN], np.float32), table))
    assert written == {"paid": True, "on": "1971-01-01"}
