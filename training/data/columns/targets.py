"""The labels of rows, from the column of a file."""

import re
from collections.abc import Sequence

import numpy as np
import polars as pl
from numpy.typing import NDArray

from training.data import label_names
from training.data.columns import values
from weir.errors import BadInput

MOST_LABELS = 1000
_FEW = 20
"""different numbers that are labels, however many rows there are"""
_SHARE = 0.1
"""of the rows: more different numbers are a quantity"""
_NONE = -1


def labels_of(series: pl.Series) -> tuple[NDArray[np.int64], tuple[str, ...]]:
    """Return the number of each row's label, -1 where it has none, and the names of the labels in natural order.

    Raises:
        BadInput: the column has no value, as many different ones as rows, or over 1,000; or they are quantities.
    """
    texts = values.texts(series)
    found = texts.drop_nulls()
    if not len(found):
        raise BadInput(f"data.target has labels; {series.name}", "no row has one")
    distinct = found.n_unique()
    _check_quantity(series, distinct, len(found))
    if distinct == len(found) > 2:  # noqa: PLR2004 (of two rows, each may have its label)
        raise BadInput(f"rows share the labels of data.target; {series.name}", f"{distinct} labels for as many rows")
    if distinct > MOST_LABELS:
        raise BadInput(f"data.target has at most {MOST_LABELS} labels; {series.name}", f"{distinct}")
    own = naturally(found.unique().to_list())
    names = label_names.given(np.array(own))
    numbers = texts.replace_strict(own, list(range(len(names))), default=None, return_dtype=pl.Int64)
    return numbers.fill_null(_NONE).to_numpy().astype(np.int64), names


def _check_quantity(series: pl.Series, distinct: int, rows: int) -> None:
    """Refuse numbers that are to be predicted as such: with fractions, or of very many values."""
    if series.dtype == pl.Boolean or values.is_boolean(series) or distinct <= min(_FEW, rows - 1):
        return
    read = values.numbers(series, ".").drop_nulls()
    if len(read) < rows:
        return
    fractions = bool((read != read.round()).any())
    if fractions or distinct > max(_FEW, _SHARE * rows) or distinct == rows:
        got = f"{distinct} different numbers in {rows} rows, as of a regression; bins of them would be labels"
        raise BadInput(f"data.target names a label for each row, not a quantity; {series.name}", got)


def naturally(names: Sequence[str]) -> list[str]:
    """Sort names so that 2 comes before 10: numbers in them by their value, whole numbers with a sign first."""

    def key(name: str) -> tuple[bool, float, list[tuple[bool, int, str]]]:
        try:
            number = float(name)
        except ValueError:
            parts = re.split(r"(\d+)", name)
            return True, 0.0, [(not part.isdecimal(), int(part) if part.isdecimal() else 0, part) for part in parts]
        return False, number if number == number else 0.0, [(True, 0, name)]  # noqa: PLR0124 (NaN)

    return sorted(names, key=key)
