"""weir.inputs.text: texts in bytes."""

import numpy as np
import pytest

from weir.catalog.inputs import Text
from weir.errors import BadTensor, UnsupportedMedia
from weir.inputs.text import TextReader

TEXT = TextReader(Text(name="text", most_bytes=6))


@pytest.mark.parametrize(
    ("text", "content"),
    [
        ("", b""),
        ("abc", b"abc"),
        ("abcdef", b"abcdef"),
        ("abcdefg", b"abcdef"),
        ("größe", "größ".encode()),
        ("ab😀", "ab😀".encode()),
        ("abc😀", "abc😀".encode()[:6]),
        ("a\0b", b"a b"),
    ],
)
def test_a_text_is_its_utf8_bytes(text: str, content: bytes) -> None:
    """What is longer is cut, zeros follow what is shorter, and a zero inside is a blank."""
    rows = TEXT.from_values({"text": [text, "x"]}, 2)
    assert rows.dtype == np.int32
    assert rows[0].tolist() == [*content, *[0] * (6 - len(content))]
    assert rows[1].tolist() == [ord("x"), 0, 0, 0, 0, 0]


@pytest.mark.parametrize("value", [None, 5, ["a"], "\ud800"])
def test_what_is_no_text_is_refused(value: object) -> None:
    """The error names the row."""
    with pytest.raises(BadTensor, match=r"text is a text.* in row 1"):
        TEXT.from_values({"text": ["a", value]}, 2)


def test_texts_that_fill_their_bytes_are_counted() -> None:
    """They were cut, or are exactly as long."""
    assert TEXT.filled(TEXT.from_values({"text": ["abcde", "abcdef", "abcdefg", ""]}, 4)) == 2


def test_other_forms_are_refused() -> None:
    """Texts are neither arrays of numbers nor pictures, and there is one for each row."""
    with pytest.raises(BadTensor, match="rows are texts named text"):
        TEXT.from_array(np.zeros((1, 6)))
    with pytest.raises(UnsupportedMedia):
        TEXT.from_file(b"", "image/png")
    with pytest.raises(BadTensor, match=r"text has one text for each of the 2 rows\. Got: 1"):
        TEXT.from_values({"text": ["a"]}, 2)


def test_texts_of_a_csv_and_none() -> None:
    """Cells are texts already."""
    cells = TEXT.from_cells({"text": ["ab", " N/A "]}, 2)
    assert cells[:, :2].tolist() == [[97, 98], [0, 0]]
    assert (TEXT.zeros(3).shape, TEXT.zeros(3).dtype) == ((3, 6), np.dtype(np.int32))
