"""training.modalities.picture.reading."""

import numpy as np
import pytest

from training.modalities.picture.reading import colour, grey
from weir.catalog.inputs import Picture, check_inputs
from weir.errors import BadInput


def test_pictures_are_described_by_their_size_and_range() -> None:
    """The description is the input of a manifest."""
    one = grey(np.zeros((7, 4, 5)), white=16.0)
    assert one == Picture(name="image", shape=(-1, 4, 5), range=(0.0, 16.0), meaning="raw pixel values, 0 to 16")
    check_inputs([one])


@pytest.mark.parametrize("shape", [(), (3,), (3, 4), (3, 4, 5, 3), (0, 4, 5), (3, 0, 5)])
def test_arrays_that_are_no_grey_pictures_are_refused(shape: tuple[int, ...]) -> None:
    """The error states the shape of grey pictures."""
    with pytest.raises(BadInput, match=r"pictures have the shape \(rows, height, width\)\. Got: "):
        grey(np.zeros(shape))


def test_pictures_in_colour_have_a_background() -> None:
    """White, where nothing else is said; the description is the input of a manifest."""
    one = colour(np.zeros((7, 4, 5, 3)))
    meaning = "raw values of red, green and blue, 0 to 255"
    assert one == Picture(name="image", shape=(-1, 4, 5, 3), meaning=meaning, background=(255, 255, 255))
    assert colour(np.zeros((7, 4, 5, 3)), background=(0, 9, 0)).background == (0, 9, 0)
    check_inputs([one])


@pytest.mark.parametrize("shape", [(7, 4, 5), (7, 4, 5, 1), (7, 4, 5, 4), (0, 4, 5, 3), (3, 7, 4, 5, 3)])
def test_arrays_that_are_not_in_colour_are_refused(shape: tuple[int, ...]) -> None:
    """The error states the shape of pictures in colour."""
    with pytest.raises(BadInput, match=r"in colour have the shape \(rows, height, width, 3\)\. Got: "):
        colour(np.zeros(shape))
