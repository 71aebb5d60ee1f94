"""A table that tests build networks for: numbers with and without gaps, a category, and a date."""

import numpy as np

from training.data.splits.split import Split
from weir.catalog.columns import Category, Date, Number
from weir.catalog.inputs import Table

TABLE = Table(
    name="row",
    columns=(
        Number(name="height", optional=True),
        Number(name="rooms", datatype="INT64"),
        Category(name="colour", vocabulary=("red", "green", "blue")),
        Date(name="since", optional=True),
    ),
)
HEIGHT, ROOMS, COLOUR, DAYS, MONTH, WEEKDAY, HOUR = range(7)
"""places of the values of a row"""


def rows(count: int, seed: int = 0) -> Split:
    """Draw rows whose label depends on the height, the colour and the month; one in nine lacks each."""
    random = np.random.default_rng(seed)
    values = np.zeros((count, TABLE.row_values), np.float32)
    values[:, HEIGHT] = random.normal(0, 1, count)
    values[:, ROOMS] = random.integers(0, 3, count)
    values[:, COLOUR] = random.integers(2, 5, count)
    values[:, DAYS] = random.integers(18_000, 20_000, count)
    values[:, MONTH], values[:, WEEKDAY] = random.integers(1, 13, count), random.integers(0, 7, count)
    labels = values[:, HEIGHT] + 2 * (values[:, COLOUR] == 3) + values[:, MONTH] / 12 > 1
    values[::9, HEIGHT] = np.nan
    values[4::9, DAYS:] = np.nan
    values[7::9, COLOUR] = 0
    return Split(values, labels.astype(np.int64))
