"""training.modalities.picture.augmentation."""

import msgspec
import numpy as np
import pytest
from scipy import ndimage

from training.modalities.picture.augmentation import augmented, erased, flipped, resized, shifted
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


GREY_AND_COLOUR = [(100, 6, 5), (100, 6, 5, 3)]


@pytest.mark.parametrize("shape", GREY_AND_COLOUR)
@pytest.mark.parametrize(
    "asked", [{"flip": True}, {"shift": 2}, {"erase": 3}, {"scale": 0.2}, {"colour": 0.3}, {"flip": True, "scale": 0.1}]
)
def test_changed_pictures_keep_shape_and_range(shape: tuple[int, ...], asked: dict[str, float]) -> None:
    """Grey or in colour, in the range of the input; the same seed gives the same changes."""
    pictures = RANDOM.uniform(-1, 1, shape).astype(np.float32)
    spec = msgspec.convert({"name": "n", "architecture": "mlp", **asked}, NetworkSpec)
    once, again = (augmented(pictures, spec, np.random.default_rng(1), (-1, 1)) for _ in range(2))
    assert once.shape == shape
    assert once.dtype == np.float32
    assert (once != pictures).any()
    assert once.min() >= -1
    assert once.max() <= 1
    np.testing.assert_array_equal(once, again)


@pytest.mark.parametrize("shape", GREY_AND_COLOUR)
def test_nothing_is_changed_that_is_not_asked_for(shape: tuple[int, ...]) -> None:
    """A description without augmentation leaves pictures as they are."""
    pictures = RANDOM.uniform(0, 255, shape).astype(np.float32)
    spec = NetworkSpec(name="n", architecture="mlp")
    np.testing.assert_array_equal(augmented(pictures, spec, np.random.default_rng(1)), pictures)


def test_colours_move_together() -> None:
    """What happens to a picture in colour happens to its three channels alike."""
    grey = RANDOM.uniform(0, 255, (50, 6, 5)).astype(np.float32)
    spec = NetworkSpec(name="n", architecture="mlp", flip=True, shift=2, scale=0.2)
    colour = np.repeat(grey[..., None], 3, axis=3)
    one, three = (augmented(pictures, spec, np.random.default_rng(1)) for pictures in (grey, colour))
    np.testing.assert_array_equal(three, np.repeat(one[..., None], 3, axis=3))


@pytest.mark.parametrize("factor", [0.7, 0.92, 1.0, 1.08, 1.5])
def test_resized_pictures_are_those_of_scipy(factor: float) -> None:
    """Around the centre, bilinearly, with the edge repeated."""
    picture = RANDOM.uniform(0, 255, (7, 10)).astype(np.float32)
    centre = (np.array(picture.shape) - 1) / 2
    expected = ndimage.affine_transform(
        picture.astype(np.float64), np.eye(2) / factor, centre - centre / factor, order=1, mode="nearest"
    )
    np.testing.assert_allclose(resized(picture[None], np.array([factor]))[0], expected, rtol=1e-4)


def test_colour_is_erased_to_a_random_colour() -> None:
    """Each square has one colour of its own, within the range."""
    pictures = np.full((400, 8, 8, 3), -1, np.float32)
    out = erased(pictures, 3, np.random.default_rng(0), (0.0, 9.0))
    colours = [np.unique(one[(one >= 0).all(axis=-1)], axis=0) for one in out if (one >= 0).any()]
    assert 0.4 < len(colours) / len(out) < 0.6
    assert {len(each) for each in colours} == {1}
    assert len(np.unique(np.concatenate(colours), axis=0)) == len(colours)
