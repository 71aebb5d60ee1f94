"""weir.inputs.orientation: pictures that a camera stored turned, with Pillow's own turning as the oracle."""

import io
import struct
import zlib

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageOps

from weir.catalog.inputs import Picture
from weir.inputs.picture import PictureReader

HEIGHT, WIDTH = 4, 7
STORED = {
    1: (),
    2: (Image.Transpose.FLIP_LEFT_RIGHT,),
    3: (Image.Transpose.ROTATE_180,),
    4: (Image.Transpose.FLIP_TOP_BOTTOM,),
    5: (Image.Transpose.TRANSPOSE,),
    6: (Image.Transpose.ROTATE_90,),
    7: (Image.Transpose.TRANSVERSE,),
    8: (Image.Transpose.ROTATE_270,),
}
"""orientation -> how a camera that writes it turned the picture"""


def _input(*shape: int) -> PictureReader:
    return PictureReader(Picture(name="image", shape=(-1, *shape), background=(255, 255, 255)))


def _upright(height: int = HEIGHT, width: int = WIDTH) -> Image.Image:
    return Image.fromarray(np.random.default_rng(0).integers(0, 256, (height, width, 3), np.uint8))


def _exif(orientation: object) -> Image.Exif:
    exif = Image.Exif()
    exif[0x0112] = orientation
    return exif


def _saved(picture: Image.Image, form: str = "PNG", **options: object) -> bytes:
    file = io.BytesIO()
    picture.save(file, form, **options)
    return file.getvalue()


def _turned(orientation: int, picture: Image.Image) -> Image.Image:
    for turn in STORED[orientation]:
        picture = picture.transpose(turn)
    return picture


def _by_pillow(content: bytes, size: tuple[int, int], mode: str = "RGB") -> NDArray[np.uint8]:
    whole = ImageOps.exif_transpose(Image.open(io.BytesIO(content))).convert(mode)
    return np.asarray(whole.resize(size, Image.Resampling.LANCZOS))


@pytest.mark.parametrize("orientation", STORED)
def test_a_turned_picture_is_read_upright(orientation: int) -> None:
    """Its row is that of the picture before it was turned, in colour and in grey."""
    content = _saved(_turned(orientation, _upright()), exif=_exif(orientation))
    np.testing.assert_array_equal(_input(HEIGHT, WIDTH, 3).from_content(content)[0], np.asarray(_upright()))
    np.testing.assert_array_equal(_input(HEIGHT, WIDTH).from_content(content)[0], np.asarray(_upright().convert("L")))


@pytest.mark.parametrize("orientation", STORED)
def test_a_turned_photo_is_turned_and_stretched(orientation: int) -> None:
    """A photo is turned when it is small; its pixels are those of Pillow, that turns it first, but for rounding."""
    content = _saved(_turned(orientation, _upright(60, 90)), "JPEG", exif=_exif(orientation))
    row = _input(8, 10, 3).from_content(content)[0]
    np.testing.assert_allclose(row, _by_pillow(content, (10, 8)), atol=1.01)


@pytest.mark.parametrize("orientation", STORED)
def test_a_turned_picture_may_be_transparent(orientation: int) -> None:
    """The background shows through where the upright picture is transparent."""
    picture = _upright().convert("RGBA")
    opacity = np.zeros((HEIGHT, WIDTH), np.uint8)
    opacity[0, 1:] = 255
    picture.putalpha(Image.fromarray(opacity))
    row = _input(HEIGHT, WIDTH, 3).from_content(_saved(_turned(orientation, picture), exif=_exif(orientation)))[0]
    np.testing.assert_array_equal(row, np.where(opacity[..., None], np.asarray(_upright()), 255))


@pytest.mark.parametrize(
    "exif", [_exif(0), _exif(9), _exif(65_535), _exif(6).tobytes()[:20], b"Exif\0\0", b"Exif\0\0MM"]
)
def test_an_orientation_that_does_not_exist_turns_nothing(exif: Image.Exif | bytes) -> None:
    """Nor does a damaged one: pixels are read as they are stored."""
    content = _saved(_upright(), exif=exif)
    np.testing.assert_array_equal(_input(HEIGHT, WIDTH, 3).from_content(content)[0], np.asarray(_upright()))


def test_exif_may_stand_behind_the_pixels_of_a_png() -> None:
    """The chunk is read wherever it is."""
    plain, data = _saved(_turned(6, _upright())), _exif(6).tobytes().removeprefix(b"Exif\0\0")
    chunk = b"eXIf" + data
    behind = plain[:-12] + struct.pack(">I", len(data)) + chunk + struct.pack(">I", zlib.crc32(chunk)) + plain[-12:]
    np.testing.assert_array_equal(_input(HEIGHT, WIDTH, 3).from_content(behind)[0], np.asarray(_upright()))
