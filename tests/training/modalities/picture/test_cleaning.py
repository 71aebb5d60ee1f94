"""training.modalities.picture.cleaning."""

import math

import numpy as np
import pytest

from tests.training.pictures import picture
from training.modalities.picture.cleaning import as_rows, constant_inputs, unusable
from weir.catalog.inputs import Picture
from weir.errors import BadInput


def test_each_reason_marks_its_rows() -> None:
    """A row may have several reasons; a sound one has none."""
    rows = np.arange(6 * 4, dtype=np.float32).reshape(6, 2, 2)
    rows[1, 0, 0], rows[2, 0, 0], rows[3, 0, 0], rows[4], rows[5] = np.nan, -1, 51, 7, np.inf
    masks = unusable(rows, picture(2, 2, white=50.0))
    assert {reason: np.flatnonzero(mask).tolist() for reason, mask in masks.items()} == {
        "not_finite": [1, 5],
        "out_of_range": [2, 3, 5],
        "constant_row": [4, 5],
    }


def test_pixels_that_never_change_are_counted() -> None:
    """A pixel counts where all rows have one value."""
    rows = np.array([[[1, 2], [3, 4]], [[1, 5], [3, 6]]], np.float32)
    assert constant_inputs(rows) == 2


@pytest.mark.parametrize(
    ("shape", "dtype"),
    [((3, 4), float), ((3, 2, 3), float), ((0, 2, 2), float), ((3, 2, 2), str), ((3, 2, 2), complex)],
)
def test_arrays_that_are_no_such_pictures_are_refused(shape: tuple[int, ...], dtype: type) -> None:
    """Another size, no rows, and values that are no real numbers are refused."""
    with pytest.raises(BadInput, match=r"pictures have the shape \(rows, 2, 2\)|pixels are numbers"):
        as_rows(np.zeros(shape, dtype), picture(2, 2))


@pytest.mark.parametrize("shape", [(2, 2, 3), (2, 2, 1)])
def test_pictures_may_have_channels(shape: tuple[int, ...]) -> None:
    """Rows in colour are checked value by value, as grey ones are; the error states their shape."""
    described = Picture(name="image", shape=(-1, *shape), range=(0.0, 50.0))
    rows = as_rows(np.arange(3 * math.prod(shape), dtype=np.uint8).reshape(3, *shape), described)
    assert rows.dtype == np.float32
    assert rows.shape == (3, *shape)
    rows[0, 1, 1, 0], rows[1] = 51, 7
    assert {reason: np.flatnonzero(mask).tolist() for reason, mask in unusable(rows, described).items()} == {
        "not_finite": [],
        "out_of_range": [0],
        "constant_row": [1],
    }
    assert constant_inputs(np.repeat(rows[2:], 2, axis=0)) == math.prod(shape)
    with pytest.raises(BadInput, match=rf"pictures have the shape \(rows, 2, 2, {shape[2]}\)"):
        as_rows(np.zeros((3, 2, 2)), described)
