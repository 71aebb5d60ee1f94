"""weir.inputs.transparency: pictures that are transparent in part, with Pillow's own composition as the oracle."""

import io
import struct
import zlib

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from weir.catalog.inputs import Picture
from weir.errors import BadBody
from weir.inputs.rows import RowReader
from weir.inputs.tensor import InputRows

SIZE = 8
GREY = Picture(name="image", shape=(-1, SIZE, SIZE))
COLOUR = Picture(name="image", shape=(-1, SIZE, SIZE, 3))
DIGIT = np.zeros((SIZE, SIZE), np.uint8)
"""the opacity of a stroke, soft at its ends"""
DIGIT[1:7, 3:5] = 255
DIGIT[(1, 6), 3:5] = 100
DARK, LIGHT = (20, 40, 60), (200, 220, 240)
WHITE, BLACK = (255, 255, 255), (0, 0, 0)


def _png(picture: Image.Image, **options: object) -> bytes:
    file = io.BytesIO()
    picture.save(file, "PNG", **options)
    return file.getvalue()


def _row(content: bytes, spec: Picture = GREY) -> InputRows:
    row: InputRows = RowReader((spec,)).from_file(content, "image/png")[0]
    return row


def _drawn(colour: tuple[int, int, int], opacity: NDArray[np.uint8] = DIGIT) -> Image.Image:
    """Draw one colour whose opacity varies."""
    picture = Image.new("RGBA", (opacity.shape[1], opacity.shape[0]), (*colour, 255))
    picture.putalpha(Image.fromarray(opacity))
    return picture


def _on(background: tuple[int, int, int], picture: Image.Image, mode: str = "L") -> NDArray[np.uint8]:
    whole = Image.alpha_composite(Image.new("RGBA", picture.size, (*background, 255)), picture.convert("RGBA"))
    return np.asarray(whole.convert(mode))


@pytest.mark.parametrize(("spec", "mode"), [(GREY, "L"), (COLOUR, "RGB")])
@pytest.mark.parametrize(("colour", "background"), [(DARK, WHITE), (BLACK, WHITE), (LIGHT, BLACK), (WHITE, BLACK)])
@pytest.mark.parametrize("form", ["RGBA", "LA"])
def test_strokes_stay_visible(
    colour: tuple[int, int, int], background: tuple[int, int, int], spec: Picture, mode: str, form: str
) -> None:
    """Dark ones are put on white, light ones on black, whatever colour the transparent pixels have."""
    picture = _drawn(colour).convert(form)
    np.testing.assert_array_equal(_row(_png(picture), spec), _on(background, picture, mode))
    hidden = np.array(_drawn(colour))
    hidden[hidden[..., 3] == 0, :3] = 128
    np.testing.assert_array_equal(_row(_png(Image.fromarray(hidden)), spec), _on(background, _drawn(colour), mode))


def test_a_palette_is_transparent_by_its_entries() -> None:
    """In steps, as in palettes that were made from pictures with soft edges; or one entry alone."""
    palette = Image.fromarray((DIGIT > 0).astype(np.uint8) + (DIGIT > 200), "P")
    palette.putpalette([*LIGHT, *DARK, *DARK])
    for transparency in (bytes([0, 100, 255]), 0):
        content = _png(palette, transparency=transparency)
        expected = _on(WHITE, Image.open(io.BytesIO(content)))
        assert expected.min() < 45
        assert expected.max() == 255
        np.testing.assert_array_equal(_row(content), expected)


def test_one_colour_or_grey_may_be_transparent() -> None:
    """A PNG without an alpha channel may name one; its pixels show the background."""
    grey = Image.fromarray(np.where(DIGIT > 0, 200, 30).astype(np.uint8))
    np.testing.assert_array_equal(_row(_png(grey, transparency=30)), np.where(DIGIT > 0, 200, 0))
    np.testing.assert_array_equal(
        _row(_png(grey.convert("RGB"), transparency=(30, 30, 30))), np.where(DIGIT > 0, 200, 0)
    )
    bits = grey.point(lambda value: 255 * (value > 100)).convert("1")
    np.testing.assert_array_equal(_row(_png(bits, transparency=1)), np.where(DIGIT > 0, 255, 0))


@pytest.mark.parametrize(("colour", "key", "samples"), [(0, (1000,), 1), (2, (1000, 2000, 3000), 3)])
def test_a_transparent_colour_of_16_bits_is_left_out(colour: int, key: tuple[int, ...], samples: int) -> None:
    """Pillow keeps 8 bits of a pixel, and could make others transparent in its place."""
    values = np.random.default_rng(0).integers(0, 2**16, (SIZE, SIZE, samples), np.uint16)
    values[0, 0] = key
    values[0, 1] = [(part & 255) << 8 for part in key]
    lines = b"".join(b"\0" + line.astype(">u2").tobytes() for line in values)
    parts = {
        b"IHDR": struct.pack(">IIBBBBB", SIZE, SIZE, 16, colour, 0, 0, 0),
        b"tRNS": struct.pack(f">{samples}H", *key),
        b"IDAT": zlib.compress(lines),
        b"IEND": b"",
    }
    content = b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in parts.items()
    )
    row = _row(content, COLOUR)
    np.testing.assert_array_equal(row, np.broadcast_to(values >> 8, row.shape))


def test_opaque_pixels_are_as_without_an_alpha_channel() -> None:
    """An alpha channel of 255 changes nothing, at any size."""
    colours = Image.fromarray(np.random.default_rng(0).integers(0, 256, (30, 20, 3), np.uint8))
    opaque = colours.copy()
    opaque.putalpha(255)
    np.testing.assert_array_equal(_row(_png(opaque)), _row(_png(colours)))


def test_a_larger_picture_is_resized_with_its_transparency() -> None:
    """Resized first or composed first, the picture is the same; the colour of transparent pixels does not bleed."""
    opacity = np.kron(DIGIT, np.ones((20, 20), np.uint8))
    picture = np.array(_drawn(DARK, opacity))
    picture[opacity == 0, :3] = 255, 0, 0
    composed = Image.fromarray(_on(WHITE, Image.fromarray(picture))).resize((SIZE, SIZE), Image.Resampling.LANCZOS)
    np.testing.assert_allclose(_row(_png(Image.fromarray(picture))), np.asarray(composed), atol=2)


def test_a_picture_that_is_all_transparent_is_refused() -> None:
    """There is nothing to answer; before, its hidden colours were."""
    content = _png(_drawn(LIGHT, np.zeros_like(DIGIT)))
    with pytest.raises(BadBody, match=r"some of a picture is not transparent\. Got: a picture that is all transparent"):
        _row(content)


@pytest.mark.parametrize(("colour", "background"), [(BLACK, "white"), (LIGHT, "black")])
def test_a_digit_in_the_alpha_channel_is_warned_of_once(
    colour: tuple[int, int, int], background: str, caplog: pytest.LogCaptureFixture
) -> None:
    """The model may have learned the other way round, and the caller should compose the picture."""
    for _ in range(2):
        _row(_png(_drawn(colour)))
    (record,) = caplog.records
    assert record.levelname == "WARNING"
    assert record.message == (
        f"only the alpha channel tells what a picture shows: all of it has one colour; it was put on {background}"
    )


def test_a_picture_with_colours_of_its_own_is_not_warned_of(caplog: pytest.LogCaptureFixture) -> None:
    """Nor is one that is evenly transparent: its alpha channel shows nothing."""
    colours = np.random.default_rng(0).integers(0, 256, (SIZE, SIZE, 3), np.uint8)
    for opacity in (DIGIT, np.full_like(DIGIT, 90)):
        picture = Image.fromarray(colours)
        picture.putalpha(Image.fromarray(opacity))
        _row(_png(picture))
    _row(_png(Image.fromarray(DIGIT)))
    assert not caplog.records


def test_faint_strokes_are_read() -> None:
    """Hardly visible is not invisible."""
    faint = _drawn(BLACK, (DIGIT // 60).astype(np.uint8))
    np.testing.assert_array_equal(_row(_png(faint)), _on(WHITE, faint))


def _named(background: tuple[int, int, int], *channels: int) -> Picture:
    return Picture(name="image", shape=(-1, SIZE, SIZE, *channels), background=background)


@pytest.mark.parametrize("background", [WHITE, BLACK, (200, 30, 90)])
@pytest.mark.parametrize("colour", [DARK, LIGHT])
def test_the_background_that_the_input_names_shows_through(
    background: tuple[int, int, int], colour: tuple[int, int, int], caplog: pytest.LogCaptureFixture
) -> None:
    """Whatever is visible, in colour and in grey; nothing is warned of, for training put pictures on the same."""
    picture = _drawn(colour)
    np.testing.assert_array_equal(_row(_png(picture), _named(background, 3)), _on(background, picture, "RGB"))
    np.testing.assert_array_equal(_row(_png(picture), _named(background)), _on(background, picture))
    content = _png(Image.fromarray(DIGIT % 3).convert("P"), transparency=bytes([90, 255, 0]))
    expected = _on(background, Image.open(io.BytesIO(content)), "RGB")
    np.testing.assert_array_equal(_row(content, _named(background, 3)), expected)
    assert not caplog.records


def test_opaque_pictures_have_no_background() -> None:
    """Their rows are the same on every background."""
    colours = Image.fromarray(np.random.default_rng(0).integers(0, 256, (30, 20, 3), np.uint8))
    np.testing.assert_array_equal(_row(_png(colours), _named((1, 2, 3), 3)), _row(_png(colours), COLOUR))


def test_a_picture_of_nothing_is_refused_on_every_background() -> None:
    """A row of one colour would be answered as if it showed something."""
    with pytest.raises(BadBody, match="some of a picture is not transparent"):
        _row(_png(_drawn(LIGHT, np.zeros_like(DIGIT))), _named(WHITE, 3))
