"""weir.inputs.reader: the verbs of every kind of input."""

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from weir.catalog.inputs import Input, Picture, Tensor
from weir.errors import BadTensor, UnsupportedMedia
from weir.inputs.reader import reader_for
from weir.inputs.tensor import TensorReader

KINDS: list[Tensor | Picture] = [
    Tensor(name="x", shape=(-1, 2, 3)),
    Picture(name="x", shape=(-1, 2, 3)),
    Picture(name="x", shape=(-1, 1, 2, 3)),
]


@pytest.mark.parametrize("one", KINDS)
@pytest.mark.parametrize("dtype", ["u1", "<f8", "?"])
def test_arrays_are_whole_or_flat_rows(one: Input, dtype: str) -> None:
    """Both forms give rows of the input's shape, and keep their datatype."""
    flat = (np.arange(12) % 2).astype(dtype).reshape(2, 6)
    for array in (flat, flat.reshape(2, *one.row_shape)):
        rows = reader_for(one).from_array(array)
        assert (rows.shape, rows.dtype) == ((2, *one.row_shape), array.dtype)
        assert np.array_equal(rows.reshape(2, 6), flat)


@pytest.mark.parametrize("one", KINDS)
@pytest.mark.parametrize("array", [np.zeros(()), np.zeros(6), np.zeros((3, 7)), np.zeros((3, 3, 2)), np.zeros((3, 0))])
def test_arrays_of_another_shape_are_refused(one: Input, array: NDArray[Any]) -> None:
    """The error states the shape of a row."""
    with pytest.raises(BadTensor, match=r"rows have the shape \[.*\], or 6 values\. Got: "):
        reader_for(one).from_array(array)


@pytest.mark.parametrize("one", KINDS)
def test_a_line_of_texts_is_one_row(one: Tensor | Picture) -> None:
    """Values are row-major, and in FP32."""
    row = TensorReader(one).from_line(["1", " 2.5", "-3", "4e0", "5", "0.1"])
    assert (row.shape, row.dtype) == (one.row_shape, np.dtype(np.float32))
    assert row.ravel().tolist() == np.array([1, 2.5, -3, 4, 5, 0.1], np.float32).tolist()


@pytest.mark.parametrize("one", KINDS)
@pytest.mark.parametrize(
    ("cells", "rule"),
    [
        ([], r"a row has 6 values\. Got: 0"),
        (["1"] * 7, r"a row has 6 values\. Got: 7"),
        (["1"] * 5 + [""], "a row holds numbers"),
        (["1", "x"] * 3, "a row holds numbers"),
        (["1", "1e39"] * 3, r"values are finite in FP32\. Got: 1e39"),
        (["nan"] * 6, r"values are finite in FP32\. Got: nan"),
    ],
)
def test_texts_that_are_no_row_are_refused(one: Tensor | Picture, cells: list[str], rule: str) -> None:
    """The error shows the text as it came."""
    with pytest.raises(BadTensor, match=rule):
        TensorReader(one).from_line(cells)


@pytest.mark.parametrize("one", KINDS)
@pytest.mark.parametrize("count", [0, 1, 5])
def test_zeros_have_the_form_of_rows(one: Input, count: int) -> None:
    """An array of rows may also be empty."""
    rows = reader_for(one).zeros(count)
    assert (rows.shape, rows.dtype) == ((count, *one.row_shape), one.dtype)
    assert not rows.any()


def test_no_file_is_a_tensor() -> None:
    """Only a picture is read from a file."""
    with pytest.raises(UnsupportedMedia, match="others take tensors"):
        reader_for(KINDS[0]).from_file(b"", "image/png")
