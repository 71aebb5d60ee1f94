"""training.modalities.picture.augmentation."""

import numpy as np
import pytest

from training.modalities.picture.augmentation import augmented, erased, flipped, shifted
from training.task import NetworkSpec

RANDOM = np.random.default_rng(0)


def test_flipped_pictures_are_mirrored_or_not() -> None:
    """The chosen pictures are mirrored, and the others stay."""
    images = RANDOM.uniform(size=(200, 3, 4)).astype(np.float32)
    mirrored = RANDOM.uniform(size=200) < 0.5
    out = flipped(images, mirrored)
    np.testing.assert_array_equal(out[mirrored], images[mirrored][:, :, ::-1])
    np.testing.assert_array_equal(out[~mirrored], images[~mirrored])


def test_shifted_pictures_are_moved_by_at_most_that_much() -> None:
    """Each is one of the 25 moves by at most two pixels, and its edge fills the gap."""
    image = RANDOM.uniform(size=(1, 6, 5)).astype(np.float32)
    padded = np.pad(image[0], 2, mode="edge")
    moves = {padded[y : y + 6, x : x + 5].tobytes() for y in range(5) for x in range(5)}
    out = shifted(np.repeat(image, 300, axis=0), 2, np.random.default_rng(0))
    assert {np.ascontiguousarray(picture).tobytes() for picture in out} == moves


@pytest.mark.parametrize("side", [1, 2, 3, 20])
def test_erased_pictures_lose_a_square(side: int) -> None:
    """About half lose a square around any pixel; at an edge, the part of it that is inside."""
    image = RANDOM.uniform(1, 2, (6, 5)).astype(np.float32)
    squares = set()
    for y in range(6):
        for x in range(5):
            expected, top, left = image.copy(), y - side // 2, x - side // 2
            expected[max(top, 0) : top + side, max(left, 0) : left + side] = 0
            squares.add(expected.tobytes())
    out = erased(np.repeat(image[None], 2000, axis=0), side, np.random.default_rng(0))
    whole = (out == image).all(axis=(1, 2))
    assert 0.45 < whole.mean() < 0.55
    assert {picture.tobytes() for picture in out[~whole]} == squares


@pytest.mark.parametrize("flip", [False, True])
def test_pictures_are_changed_as_the_description_asks(flip: bool) -> None:
    """Half of them are mirrored, or none is."""
    pictures = RANDOM.uniform(1, 2, (100, 6, 5)).astype(np.float32)
    spec = NetworkSpec(name="n", architecture="mlp", epochs=1, flip=flip)
    out = augmented(pictures, spec, np.random.default_rng(1))
    mirrored = (out != pictures).any(axis=(1, 2))
    np.testing.assert_array_equal(out, flipped(pictures, mirrored))
    assert (0.3 < mirrored.mean() < 0.7) == flip
