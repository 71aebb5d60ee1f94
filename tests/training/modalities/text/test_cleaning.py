"""training.modalities.text.cleaning."""

import numpy as np
import pytest

from tests.training.texts import rows, text
from training.data.cleaning import Cleaning
from training.modalities.text.cleaning import as_rows, constant_inputs, unusable
from weir.errors import BadInput


def test_each_reason_marks_its_rows() -> None:
    """Texts without bytes, values that are no bytes, and texts with a gap can't be used; one byte is enough."""
    texts = rows(4, "", "a", "abcd", "ab", "a\0b", "")
    texts[3, 1], texts[5, 3] = 256, -1
    masks = unusable(texts)
    assert {reason: np.flatnonzero(mask).tolist() for reason, mask in masks.items()} == {
        "out_of_range": [3, 4, 5],
        "empty": [0],
    }


@pytest.mark.parametrize("dtype", ["u1", "i2", "i4", "u8", "i8"])
def test_rows_become_int32(dtype: str) -> None:
    """Whole numbers of any size are taken; what int32 can't hold is still no byte."""
    given = rows(3, "abc", "d").astype(dtype)
    given[1, 2] = min(np.iinfo(dtype).max, 2**32 + 97)
    taken = as_rows(given, text(3))
    assert taken.dtype == np.int32
    np.testing.assert_array_equal(taken[0], given[0])
    assert unusable(taken)["out_of_range"].tolist() == [False, True]


@pytest.mark.parametrize(
    ("shape", "dtype"), [((3, 5), int), ((3,), int), ((0, 4), int), ((3, 4), float), ((3, 4), str), ((3, 4), bool)]
)
def test_arrays_that_are_no_such_texts_are_refused(shape: tuple[int, ...], dtype: type) -> None:
    """Another size, no rows, and values that are no whole numbers are refused."""
    with pytest.raises(BadInput, match=r"texts have the shape \(rows, 4\)|the bytes of texts are whole numbers"):
        as_rows(np.zeros(shape, dtype), text(4))


def test_bytes_that_never_change_are_counted() -> None:
    """A place counts where all texts have the same byte, not where all have ended."""
    assert constant_inputs(rows(6, "abcd", "axc", "aycd")) == 2


def test_empty_texts_are_named_in_the_summary() -> None:
    """Who cleans texts reads how many were empty."""
    assert Cleaning(empty=2, kept=5).summary() == "5 rows kept, dropped: 2 empty"
