"""training.data.label_names."""

import numpy as np
import pytest
from numpy.typing import NDArray

from training.data.label_names import given, numbered
from weir.errors import BadInput


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (np.array(["cat", "black cat", "café"]), ("cat", "black cat", "café")),
        (np.array(["a", "A"]), ("a", "A")),
        (np.array([7, 3]), ("7", "3")),
    ],
)
def test_names_are_texts_or_whole_numbers(names: NDArray[np.generic], expected: tuple[str, ...]) -> None:
    """Upper and lower case are different letters, as they are for a model that reads handwriting."""
    assert given(names) == expected


TEXTS = "label_names are texts, or whole numbers"
PRINTABLE = "label_names are printable, and none is empty"
DIFFERENT = "label_names are all different"


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (np.array([b"cat", b"dog"]), rf"{TEXTS}.* Got: \|S3 \(2,\)"),
        (np.array([0.0, 1.0]), TEXTS),
        (np.array([True, False]), TEXTS),
        (np.array([["a", "b"]]), rf"{TEXTS}.* Got: <U1 \(1, 2\)"),
        (np.array("ab"), TEXTS),
        (np.array(["cat", ""]), rf"{PRINTABLE}\. Got: '' for label 1"),
        (np.array([" ", "cat"]), rf"{PRINTABLE}\. Got: ' ' for label 0"),
        (np.array(["cat\n", "dog"]), rf"{PRINTABLE}\. Got: 'cat\\n' for label 0"),
        (np.array(["cat", "dog", "cat"]), rf"{DIFFERENT}\. Got: 'cat', 2 times"),
        (np.array(["cat", "dog", " cat"]), rf"{DIFFERENT}\. Got: 'cat', 2 times"),
        (np.array(["black cat", "black  cat"]), DIFFERENT),
        (np.array(["caf\u00e9", "cafe\u0301"]), DIFFERENT),
        (np.array([3, 3]), DIFFERENT),
    ],
)
def test_names_that_nobody_could_tell_apart_are_refused(names: NDArray[np.generic], message: str) -> None:
    """So are names that are no texts: bytes would be served as b'cat'."""
    with pytest.raises(BadInput, match=message):
        given(names)


def test_labels_without_names_are_numbered() -> None:
    """From 0 to the largest one; a negative one is left to cleaning."""
    assert numbered(np.array([2, 0, 1, 1], np.uint8)) == ("0", "1", "2")
    assert numbered(np.array([-1, 0, 1])) == ("0", "1")


@pytest.mark.parametrize("largest", [10**9, 2**63 - 1, 2**64 - 1, 3])
def test_numbers_beyond_the_rows_are_refused(largest: int) -> None:
    """Not every number up to the largest can have a row then; a list of all of them could fill the memory."""
    with pytest.raises(BadInput, match=rf"y numbers the labels from 0 .* to 2 at most\. Got: {largest}"):
        numbered(np.array([0, 1, largest], np.uint64))


@pytest.mark.parametrize("y", [np.array([0.0, 1.0]), np.array([True, False]), np.array(["a", "b"]), np.array([-1, -2])])
def test_what_numbers_no_labels_is_refused(y: NDArray[np.generic]) -> None:
    """Other types, and numbers that are all negative."""
    with pytest.raises(BadInput, match=r"y (holds whole numbers|numbers the labels) from 0"):
        numbered(y)
