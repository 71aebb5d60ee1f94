"""Which rows of a table training can't use."""

import numpy as np
from numpy.typing import NDArray

from training.modalities.modality import Masks
from training.modalities.table.places import places
from weir.catalog.columns import MISSING, Category
from weir.catalog.inputs import Table
from weir.engine.arrays import Floats
from weir.errors import BadInput


def as_rows(inputs: NDArray[np.generic], table: Table) -> Floats:
    """Return the values of a data set as rows `(rows, values)` in float32; every NaN has the same bits.

    Raises:
        BadInput: the values have another shape, are none, or are no numbers.
    """
    if inputs.shape[1:] != table.row_shape or not len(inputs):
        raise BadInput(f"rows of the table have the shape (rows, {table.row_values})", inputs.shape)
    if inputs.dtype.kind not in "fiub":
        raise BadInput("the values of a table are numbers; a category is the code of its entry", inputs.dtype)
    with np.errstate(over="ignore"):
        rows: Floats = inputs.astype(np.float32)
    rows[np.isnan(rows)] = np.nan
    return rows


def unusable(rows: Floats, table: Table) -> Masks:
    """Mark the rows that training can't use: reason -> mask `(rows,)`, true where it applies."""
    not_finite, out_of_range = np.isinf(rows).any(axis=1), np.zeros(len(rows), bool)
    for column, where in places(table):
        values = rows[:, where]
        if isinstance(column, Category):
            least = MISSING if column.optional else MISSING + 1
            known = (values == np.floor(values)) & (values >= least) & (values < column.codes)
            out_of_range |= ~known.all(axis=1)
        elif not column.optional:
            not_finite |= np.isnan(values).any(axis=1)
    return {"not_finite": not_finite, "out_of_range": out_of_range, "empty": ~_present(rows, table).any(axis=1)}


def _present(rows: Floats, table: Table) -> NDArray[np.bool_]:
    """Tell which values are there, `(n, values)`: NaN is no number or date, code 0 no category."""
    codes = np.zeros(rows.shape[1], bool)
    for column, where in places(table):
        codes[where] = isinstance(column, Category)
    present: NDArray[np.bool_] = np.where(codes, rows != MISSING, ~np.isnan(rows))
    return present


def constant_inputs(rows: Floats) -> int:
    """Count the values of a row that are the same, or missing, in all rows."""
    same = (rows == rows[0]) | (np.isnan(rows) & np.isnan(rows[0]))
    return int(same.all(axis=0).sum())
