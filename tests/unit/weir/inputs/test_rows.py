"""weir.inputs.rows."""

import numpy as np

from weir.catalog.inputs import Tensor
from weir.inputs.rows import RowReader, joined

ONE = (Tensor(name="image", shape=(-1, 2, 2), datatype="UINT8"),)
PAIR = (Tensor(name="a", shape=(-1, 2)), Tensor(name="b", shape=(-1, 3, 1), datatype="INT16"))
FIELDS = np.dtype([("a", "<f4", (2,)), ("b", "<i2", (3, 1))])


def test_one_input_is_its_own_array() -> None:
    """The array of the only input is returned, not copied."""
    array = np.arange(4, dtype=np.uint8).reshape(1, 2, 2)
    assert joined([array], ONE) is array


def test_several_inputs_are_fields_of_one_array() -> None:
    """Indexing rows keeps the values of all inputs together."""
    a, b = np.arange(6, dtype=np.float32).reshape(3, 2), np.arange(9, dtype=np.int16).reshape(3, 3, 1)
    rows = joined([a, b], PAIR)
    assert (rows.shape, rows.dtype) == ((3,), FIELDS)
    some = rows[np.array([True, False, True])]
    assert np.array_equal(some["a"], a[[0, 2]])
    assert np.array_equal(some["b"], b[[0, 2]])


def test_there_can_be_no_rows() -> None:
    """An array of no rows has the shape and datatype of rows."""
    assert (RowReader(ONE).zeros(0).shape, RowReader(ONE).zeros(0).dtype) == ((0, 2, 2), np.dtype(np.uint8))
    assert (RowReader(PAIR).zeros(0).shape, RowReader(PAIR).zeros(0).dtype) == ((0,), FIELDS)


def test_a_row_of_zeros_is_one_row() -> None:
    """A row of zeros has the shape and datatype of rows, and each value is zero."""
    assert np.array_equal(RowReader(ONE).zeros(), np.zeros((1, 2, 2), np.uint8))
    row = RowReader(PAIR).zeros()
    assert (row.shape, row.dtype) == ((1,), FIELDS)
    assert not row["a"].any()
    assert not row["b"].any()
