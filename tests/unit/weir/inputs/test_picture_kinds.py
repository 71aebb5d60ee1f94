"""weir.inputs.picture: kinds of picture files that a folder may hold, each read right or refused with one error."""

import io
import warnings

import numpy as np
import pytest
from PIL import Image

from weir.catalog.inputs import Picture
from weir.errors import BadBody, BadInput, TooLarge, UnsupportedMedia
from weir.inputs.picture import PictureReader
from weir.inputs.picture_structure import media_type

READER = PictureReader(Picture(name="image", shape=(-1, 6, 5, 3), background=(255, 255, 255)))
RED, BLUE = (220, 30, 40), (20, 40, 200)


def _saved(picture: Image.Image, form: str, **options: object) -> bytes:
    file = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        picture.save(file, form, **options)
    return file.getvalue()


def _plain(mode: str, colour: object, size: tuple[int, int] = (5, 6)) -> Image.Image:
    return Image.new(mode, size, colour)  # type: ignore[arg-type]


def _ycck() -> bytes:
    """Make a JPEG in YCCK of plain red, which Pillow does not write: CMYK whose marker of Adobe says YCCK.

    Pillow inverts what it writes, so the file has Y, Cb and Cr of the inks, as Adobe's programs write them.
    """
    red, green, blue = RED
    luma = 0.299 * red + 0.587 * green + 0.114 * blue
    values = (luma, 128 + 0.564 * (blue - luma), 128 + 0.713 * (red - luma), 0)
    content = bytearray(_saved(_plain("CMYK", tuple(map(round, values)), (16, 16)), "JPEG"))
    content[content.index(b"Adobe") + 11] = 2
    return bytes(content)


def _frames(form: str) -> bytes:
    later = [_plain("RGB", BLUE)]
    return _saved(_plain("RGB", RED), form, save_all=True, append_images=later, duration=100)


SIXTEEN = Image.fromarray(np.full((6, 5), 200 * 256 + 77, np.uint16))

READ = {
    "grey": (_saved(_plain("L", 90), "PNG"), (90, 90, 90)),
    "16-bit grey": (_saved(SIXTEEN, "PNG"), (200, 200, 200)),
    "palette": (_saved(_plain("RGB", RED).quantize(2), "PNG"), RED),
    "palette with a transparent entry": (_saved(_plain("P", 0), "PNG", transparency=bytes([128])), (127, 127, 127)),
    "1-bit": (_saved(_plain("1", 1), "PNG"), (255, 255, 255)),
    "half transparent": (_saved(_plain("RGBA", (0, 0, 0, 128)), "PNG"), (127, 127, 127)),
    "grey with alpha": (_saved(_plain("LA", (0, 51)), "PNG"), (204, 204, 204)),
    "jpeg": (_saved(_plain("RGB", RED), "JPEG"), RED),
    "jpeg cmyk": (_saved(_plain("CMYK", (*(255 - value for value in RED), 0)), "JPEG"), RED),
    "jpeg ycck": (_ycck(), RED),
    "jpeg grey": (_saved(_plain("L", 90), "JPEG"), (90, 90, 90)),
    "animated png": (_frames("PNG"), RED),
    "one of several in a jpeg": (_frames("MPO"), RED),
}
"""kind -> a picture of one colour, and the colour on white"""


@pytest.mark.parametrize("kind", READ)
def test_a_picture_has_the_colour_that_people_see(kind: str) -> None:
    """Within what JPEG rounds; of several pictures in a file the first counts."""
    content, colour = READ[kind]
    row = READER.from_content(content)
    assert row.shape == (1, 6, 5, 3)
    np.testing.assert_allclose(row[0], np.broadcast_to(colour, (6, 5, 3)), atol=3)


OTHERS = {
    "image/gif": _frames("GIF"),
    "image/webp": _frames("WEBP"),
    "image/bmp": _saved(_plain("RGB", RED), "BMP"),
    "image/tiff": _saved(_plain("RGB", RED), "TIFF"),
    "image/svg+xml": b'<?xml version="1.0"?><svg/>',
    "something else": b"name,label\n",
}


@pytest.mark.parametrize("kind", OTHERS)
def test_other_formats_are_refused_by_their_name(kind: str) -> None:
    """Whatever the name of the file says: it is told by its first bytes."""
    with pytest.raises(UnsupportedMedia) as refused:
        READER.from_content(OTHERS[kind])
    assert str(refused.value) == f"pictures are image/png or image/jpeg. Got: {kind}"
    with pytest.raises(BadBody, match="a picture is a whole PNG or JPEG"):
        READER.from_file(OTHERS[kind], "image/png")


BROKEN = {
    "empty": (b"", UnsupportedMedia, "image/png or image/jpeg. Got: something else"),
    "a png cut": (_saved(Image.effect_noise((64, 64), 50), "PNG")[:900], BadBody, "a whole PNG or JPEG"),
    "a jpeg cut": (_saved(Image.effect_noise((64, 64), 50), "JPEG")[:900], BadBody, "a whole PNG or JPEG"),
    "100 megapixels": (_saved(_plain("1", 0, (10_000, 10_000)), "PNG"), TooLarge, "at most 16000000 pixels"),
    "a long side": (_saved(_plain("1", 0, (70_000, 1)), "PNG"), TooLarge, "sides of at most 65535 pixels"),
    "all transparent": (_saved(_plain("RGBA", (9, 9, 9, 0)), "PNG"), BadBody, "some of a picture is not transparent"),
}


@pytest.mark.parametrize("kind", BROKEN)
def test_a_broken_picture_has_one_clear_error(kind: str) -> None:
    """The error states the rule, and none of Pillow's escapes."""
    content, error, rule = BROKEN[kind]
    with pytest.raises(BadInput, match=rule) as refused:
        READER.from_content(content)
    assert type(refused.value) is error


@pytest.mark.parametrize("form", ["PNG", "JPEG"])
def test_a_file_is_told_by_its_first_bytes(form: str) -> None:
    """A JPEG whose name ends in .png is read as the JPEG it is."""
    content = _saved(_plain("RGB", RED), form)
    assert media_type(content) == f"image/{form.lower()}"
    for stated in ("image/png", "image/jpeg"):
        np.testing.assert_array_equal(READER.from_file(content, stated), READER.from_content(content))


@pytest.mark.parametrize(("height", "width"), [(1, 1), (300, 2), (33, 500), (1000, 1500)])
def test_a_picture_of_any_size_is_stretched_without_aliasing(height: int, width: int) -> None:
    """Stripes of one pixel become even grey: every pixel of the row is a mean."""
    stripes = np.indices((height, width)).sum(axis=0) % 2 * 255
    row = READER.from_content(_saved(Image.fromarray(stripes.astype(np.uint8)), "PNG"))
    assert row.shape == (1, 6, 5, 3)
    if min(height, width) > 30:
        np.testing.assert_allclose(row, 127.5, atol=12)
