"""training.modalities.picture.jitter, with Pillow's own enhancements as the oracle."""

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageEnhance

from training.modalities.picture.jitter import recoloured

PICTURE = np.random.default_rng(0).integers(60, 180, (9, 8, 3)).astype(np.uint8)


class Chosen(np.random.Generator):
    """A generator that draws three given factors, the same for every picture."""

    def __init__(self, *factors: float) -> None:
        super().__init__(np.random.PCG64())
        self._factors = factors

    def uniform(self, low: object = 0, high: object = 1, size: object = None) -> NDArray[np.float64]:  # type: ignore[override]
        """Draw them."""
        assert isinstance(size, tuple)
        return np.stack([np.full(size[1:], factor) for factor in self._factors])


@pytest.mark.parametrize(
    ("factors", "enhance"),
    [
        ((0.9, 1, 1), lambda picture: ImageEnhance.Brightness(picture).enhance(0.9)),
        ((1, 1.2, 1), lambda picture: ImageEnhance.Contrast(picture).enhance(1.2)),
        ((1, 1, 0.7), lambda picture: ImageEnhance.Color(picture).enhance(0.7)),
    ],
)
def test_colours_are_changed_as_pillow_does(factors: tuple[float, ...], enhance: object) -> None:
    """Brightness, contrast and saturation, but for Pillow's rounding."""
    assert callable(enhance)
    expected = np.asarray(enhance(Image.fromarray(PICTURE)))
    out = recoloured(PICTURE[None].astype(np.float32), 0.3, Chosen(*factors), (0, 255))
    np.testing.assert_allclose(out[0], expected, atol=1.6)


def test_another_range_is_changed_alike() -> None:
    """Black and white are the ends of the range of the input, whatever they are."""
    pixels = PICTURE[None].astype(np.float32)
    bytes_ = recoloured(pixels, 0.3, np.random.default_rng(2), (0, 255))
    scaled = recoloured(pixels / 127.5 - 1, 0.3, np.random.default_rng(2), (-1, 1))
    np.testing.assert_allclose(scaled, bytes_ / 127.5 - 1, atol=1e-5)


def test_grey_has_no_saturation() -> None:
    """Grey pictures are those of colour whose channels are equal."""
    grey = PICTURE[None, :, :, 0].astype(np.float32)
    three = recoloured(np.repeat(grey[..., None], 3, axis=3), 0.3, np.random.default_rng(2), (0, 255))
    for one in (grey, grey[..., None]):
        out = recoloured(one, 0.3, np.random.default_rng(2), (0, 255)).reshape(grey.shape)
        np.testing.assert_allclose(out, three[..., 0], atol=1e-3)
