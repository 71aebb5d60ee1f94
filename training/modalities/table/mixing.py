"""Rows of a table, mixed column by column: neither a code nor a missing value can be half of another."""

import numpy as np

from weir.catalog.columns import width
from weir.catalog.inputs import Table
from weir.engine.arrays import Floats

_FOREIGN = 0.1
"""chance that a row takes a column from the row before"""


def swapped(rows: Floats, table: Table, random: np.random.Generator) -> Floats:
    """Take each column of the rows `(n, values)` from the row before with a small chance; of the first from the last.

    Most columns stay, because a teacher's answers on rows unlike any real one harm the student. After the corruption of
    SCARF: Bahri, Jiang, Tay & Metzler 2022, arXiv 2106.15147.
    """
    widths = [width(column) for column in table.columns]
    foreign = np.repeat(random.random((len(rows), len(widths))) < _FOREIGN, widths, axis=1)
    return np.where(foreign, np.roll(rows, 1, axis=0), rows)
