"""weir.inputs.tensor."""

from typing import get_args

import numpy as np

from weir.catalog.manifest import Datatype, TensorSpec
from weir.inputs.tensor import DTYPES, joined, no_rows, zeros

ONE = (TensorSpec(name="image", shape=(-1, 2, 2), datatype="UINT8"),)
PAIR = (TensorSpec(name="a", shape=(-1, 2)), TensorSpec(name="b", shape=(-1, 3, 1), datatype="INT16"))
FIELDS = np.dtype([("a", "<f4", (2,)), ("b", "<i2", (3, 1))])


def test_every_datatype_of_a_manifest_is_numpys() -> None:
    """Of the size that its name says, little-endian."""
    assert set(DTYPES) == set(get_args(Datatype))
    for name, dtype in DTYPES.items():
        bits = int(name.lstrip("UINTFP")) if name != "BOOL" else 8
        assert dtype.itemsize * 8 == bits
        assert dtype.kind == {"B": "b", "U": "u", "I": "i", "F": "f"}[name[0]]
        assert dtype.byteorder in "|=<"


def test_one_input_is_its_own_array() -> None:
    """Nothing is copied."""
    array = np.arange(4, dtype=np.uint8).reshape(1, 2, 2)
    assert joined([array], ONE) is array


def test_several_inputs_are_fields_of_one_array() -> None:
    """Rows keep theirs together, whichever are taken."""
    a, b = np.arange(6, dtype=np.float32).reshape(3, 2), np.arange(9, dtype=np.int16).reshape(3, 3, 1)
    rows = joined([a, b], PAIR)
    assert (rows.shape, rows.dtype) == ((3,), FIELDS)
    some = rows[np.array([True, False, True])]
    assert np.array_equal(some["a"], a[[0, 2]])
    assert np.array_equal(some["b"], b[[0, 2]])


def test_there_can_be_no_rows() -> None:
    """Of the form that rows have."""
    assert (no_rows(ONE).shape, no_rows(ONE).dtype) == ((0, 2, 2), np.dtype(np.uint8))
    assert (no_rows(PAIR).shape, no_rows(PAIR).dtype) == ((0,), FIELDS)


def test_a_row_of_zeros_is_one_row() -> None:
    """Of the form that rows have, and nothing but zeros."""
    assert np.array_equal(zeros(ONE), np.zeros((1, 2, 2), np.uint8))
    row = zeros(PAIR)
    assert (row.shape, row.dtype) == ((1,), FIELDS)
    assert not row["a"].any()
    assert not row["b"].any()
