"""weir.inputs.picture, with Pillow's own conversions as the oracle."""

import gzip
import io
import struct
import tracemalloc
import zlib
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image

from tests.unit.weir.protocol.documents import document, read, tensor
from weir.catalog.inputs import DTYPES, Datatype, Input, Picture, Tensor
from weir.errors import BadBody, TooLarge, UnsupportedMedia, WeirError
from weir.inputs.rows import RowReader
from weir.inputs.tensor import InputRows

PNG, JPEG = "image/png", "image/jpeg"
HEIGHT, WIDTH = 4, 5

GREY = Picture(name="image", shape=(-1, HEIGHT, WIDTH))
ONE_CHANNEL = Picture(name="image", shape=(-1, HEIGHT, WIDTH, 1))
COLOUR = Picture(name="image", shape=(-1, HEIGHT, WIDTH, 3))
MODES = {1: "L", 3: "RGB"}

WHOLE = "a picture is a whole PNG or JPEG"


def _drawn(mode: str, height: int = HEIGHT, width: int = WIDTH) -> Image.Image:
    """Draw a picture of random pixels."""
    random = np.random.default_rng(5)
    if mode == "I;16":
        return Image.fromarray(random.integers(0, 2**16, (height, width), np.uint16))
    picture = Image.fromarray(random.integers(0, 256, (height, width, 3), np.uint8)).convert(mode)
    if mode in {"LA", "RGBA"}:
        picture.putalpha(Image.fromarray(random.integers(0, 256, (height, width), np.uint8)))
    return picture


def _saved(picture: Image.Image, form: str, **options: Any) -> bytes:  # noqa: ANN401 (Pillow's own options)
    file = io.BytesIO()
    picture.save(file, form, **options)
    return file.getvalue()


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def _png(
    width: int, height: int, pixels: bytes, *, colour: int = 0, depth: int = 8, before: bytes = b"", after: bytes = b""
) -> bytes:
    """Make a PNG by hand; its header may lie."""
    header = _chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0))
    data = _chunk(b"IDAT", zlib.compress(pixels))
    return b"\x89PNG\r\n\x1a\n" + header + before + data + after + _chunk(b"IEND", b"")


def _segment(marker: int, data: bytes) -> bytes:
    return b"\xff" + bytes([marker]) + struct.pack(">H", len(data) + 2) + data


def _scans(count: int) -> bytes:
    """Make a progressive JPEG of 8x8 grey pixels by hand, whose scans are empty."""
    header = _segment(0xDB, b"\0" + b"\1" * 64) + _segment(0xC2, struct.pack(">BHHB", 8, 8, 8, 1) + b"\1\x11\0")
    one_code = b"\1" + bytes(15)
    codes = _segment(0xC4, b"\0" + one_code + b"\0") + _segment(0xC4, b"\x10" + one_code + b"\0")
    first = _segment(0xDA, b"\1\1\0\0\0\0") + b"\x7f"
    further = _segment(0xDA, b"\1\1\0\1\x3f\0") + b"\x7f"
    return b"\xff\xd8" + header + codes + first + further * (count - 1) + b"\xff\xd9"


def _claiming(content: bytes, width: int, height: int) -> bytes:
    """Let a JPEG's header claim another size."""
    at = content.index(b"\xff\xc0") + 5
    return content[:at] + struct.pack(">HH", height, width) + content[at + 4 :]


def _row(content: bytes, one: Picture = GREY, media_type: str = PNG) -> InputRows:
    return RowReader((one,)).from_file(content, media_type)


def _by_pillow(content: bytes, one: Picture, background: str = "") -> NDArray[np.uint8]:
    channels = one.shape[3] if len(one.shape) == 4 else 1
    height, width = one.shape[1:3]
    picture: Image.Image = Image.open(io.BytesIO(content))
    if background:
        picture = Image.alpha_composite(Image.new("RGBA", picture.size, background), picture.convert("RGBA"))
    picture = picture.convert(MODES[channels])
    return np.asarray(picture.resize((width, height), Image.Resampling.LANCZOS)).reshape(1, *one.shape[1:])


FORMS = {
    "grey": (PNG, _saved(_drawn("L"), "PNG")),
    "colour": (PNG, _saved(_drawn("RGB"), "PNG")),
    "palette": (PNG, _saved(_drawn("P"), "PNG")),
    "1-bit": (PNG, _saved(_drawn("1"), "PNG")),
    "grey with alpha": (PNG, _saved(_drawn("LA"), "PNG")),
    "colour with alpha": (PNG, _saved(_drawn("RGBA"), "PNG")),
    "transparent colour": (PNG, _saved(_drawn("RGB"), "PNG", transparency=(1, 2, 3))),
    "transparent palette entry": (PNG, _saved(_drawn("P"), "PNG", transparency=3)),
    "jpeg grey": (JPEG, _saved(_drawn("L"), "JPEG")),
    "jpeg colour": (JPEG, _saved(_drawn("RGB"), "JPEG")),
    "jpeg cmyk": (JPEG, _saved(_drawn("CMYK"), "JPEG")),
    "jpeg progressive": (JPEG, _saved(_drawn("RGB"), "JPEG", progressive=True)),
    "jpeg of several": (JPEG, _saved(_drawn("RGB"), "MPO", save_all=True, append_images=[_drawn("L")])),
}


BACKGROUNDS = {"grey with alpha": "white", "colour with alpha": "white"}
"""what shows through; their visible pixels are rather dark"""


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("spec", [GREY, ONE_CHANNEL, COLOUR])
def test_a_picture_is_what_pillow_sees(form: str, spec: Picture) -> None:
    """The row of a picture, grey or in colour, is that of a tensor with the pixels that Pillow decodes."""
    media_type, content = FORMS[form]
    expected = _by_pillow(content, spec, BACKGROUNDS.get(form, ""))
    row = _row(content, spec, media_type)
    assert row.dtype == np.float32
    assert np.array_equal(row, expected)
    body = document(tensor("image", list(expected.shape), data=expected.ravel().tolist()))
    assert read(body, None, (spec,)).tobytes() == row.tobytes()


@pytest.mark.parametrize("spec", [GREY, COLOUR])
def test_of_16_bits_the_upper_8_count(spec: Picture) -> None:
    """A 16-bit sample counts by its upper 8 bits, in grey as in colour."""
    picture = _drawn("I;16")
    expected = np.asarray(picture) >> 8
    shown = expected if spec is GREY else np.repeat(expected[:, :, None], 3, axis=2)
    assert np.array_equal(_row(_saved(picture, "PNG"), spec)[0], shown)
    samples = np.random.default_rng(6).integers(0, 2**16, (HEIGHT, WIDTH, 3), np.uint16)
    lines = b"".join(b"\0" + line.astype(">u2").tobytes() for line in samples)
    colour = _row(_png(WIDTH, HEIGHT, lines, colour=2, depth=16), COLOUR)[0]
    assert np.array_equal(colour, samples >> 8)


@pytest.mark.parametrize("spec", [GREY, COLOUR])
@pytest.mark.parametrize(("height", "width"), [(1, 1), (2, 3), (9, 7), (300, 200), (1, 500)])
def test_pictures_are_brought_to_the_models_size(spec: Picture, height: int, width: int) -> None:
    """A picture of any size is resized to that of the model, with Lanczos."""
    content = _saved(_drawn("RGB", height, width), "PNG")
    assert np.array_equal(_row(content, spec), _by_pillow(content, spec))


RANGES: list[tuple[Datatype, tuple[float, float]]] = [
    ("FP32", (0.0, 255.0)),
    ("FP32", (0.0, 16.0)),
    ("FP32", (0.0, 1.0)),
    ("FP32", (-1.0, 1.0)),
    ("FP64", (-2.5, 7.25)),
    ("FP16", (0.0, 1.0)),
    ("UINT8", (0.0, 255.0)),
    ("UINT8", (0.0, 16.0)),
    ("INT8", (-128.0, 127.0)),
    ("INT32", (0.0, 100.0)),
    ("UINT64", (0.0, 255.0)),
    ("BOOL", (0.0, 1.0)),
]


@pytest.mark.parametrize(("datatype", "limits"), RANGES)
def test_black_and_white_are_the_ends_of_the_range(datatype: Datatype, limits: tuple[float, float]) -> None:
    """Values between them lie in proportion, rounded to the nearest value of the datatype."""
    ramp = Picture(name="image", shape=(-1, 16, 16), datatype=datatype, range=limits)
    pixels = np.arange(256, dtype=np.uint8).reshape(16, 16)
    row = _row(_saved(Image.fromarray(pixels), "PNG"), ramp)
    low, high = limits
    exact = low + (high - low) * pixels.astype(np.float64) / 255
    assert row.dtype == DTYPES[datatype]
    assert (row[0, 0, 0], row[0, -1, -1]) == limits
    if row.dtype.kind == "f":
        assert np.array_equal(row[0], exact.astype(row.dtype))
    else:
        assert (np.abs(row[0].astype(np.float64) - exact) <= 0.5).all()


@pytest.mark.parametrize("media_type", ["image/gif", "image/webp", "image/", "application/json", "", "IMAGE/PNG"])
def test_other_types_are_refused(media_type: str) -> None:
    """The error lists the media types that are read."""
    with pytest.raises(UnsupportedMedia, match=r"pictures are image/png or image/jpeg\. Got: "):
        _row(FORMS["grey"][1], GREY, media_type)


def test_a_jpeg_may_be_called_jpg() -> None:
    """The media type image/jpg, which many clients send, means image/jpeg."""
    _, content = FORMS["jpeg grey"]
    assert np.array_equal(_row(content, GREY, "image/jpg"), _row(content, GREY, JPEG))


@pytest.mark.parametrize(
    "inputs",
    [
        [Tensor(name="x", shape=(-1, 20))],
        [Tensor(name="x", shape=(-1, 4, 5))],
        [Tensor(name="x", shape=(-1, 4, 5, 3), datatype="INT8")],
        [GREY, Picture(name="y", shape=(-1, 4, 5))],
        [GREY, Tensor(name="y", shape=(-1, 4, 5))],
    ],
)
def test_models_that_read_no_picture_refuse_them(inputs: list[Input]) -> None:
    """A file is read for a model whose one input is a picture; a tensor of the same shape takes none."""
    with pytest.raises(UnsupportedMedia, match="pictures are for models whose one input is a picture"):
        RowReader(tuple(inputs)).from_file(FORMS["grey"][1], PNG)


@pytest.mark.parametrize("form", FORMS)
def test_a_picture_that_was_cut_is_refused(form: str) -> None:
    """A picture cut at any byte is refused, unless all of its pixels are still there."""
    media_type, content = FORMS[form]
    whole, refused = _row(content, COLOUR, media_type), 0
    for length in range(len(content)):
        try:
            row = _row(content[:length], COLOUR, media_type)
        except BadBody:
            refused += 1
        else:
            assert np.array_equal(row, whole)
    assert refused > len(content) / 3


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\x89PNG\r\n\x1a\n",
        b"\xff\xd8\xff",
        b"\xff\xd8\xff\xd9",
        b"GIF89a" + bytes(100),
        _saved(_drawn("P"), "GIF"),
        _saved(_drawn("RGB"), "BMP"),
        _saved(_drawn("RGB"), "TIFF"),
        _saved(_drawn("RGB"), "WEBP"),
        b'{"inputs": []}',
        bytes(1000),
        _png(0, 0, b""),
        _png(5, 0, b"\0\0"),
        _png(5, 4, b""),
        _png(5, 4, bytes(23)),
        _png(4000, 4000, bytes(23)),
        _png(5, 4, bytes(24), depth=3),
        _png(5, 4, bytes(24), colour=7),
        _png(5, 4, bytes(24), before=_chunk(b"gAMA", b"")),
        _png(5, 4, bytes(24), after=_chunk(b"gAMA", b"")),
        _png(5, 4, bytes(24), after=_chunk(b"cHRM", b"a")),
        _png(5, 4, bytes(24), before=_chunk(b"iCCP", b"a")),
        _png(5, 4, bytes(24))[:37] + struct.pack(">I", 2**31 - 1) + _png(5, 4, bytes(24))[41:],
    ],
)
def test_bytes_of_something_else_are_refused(content: bytes) -> None:
    """Bytes of another format, or a damaged picture, are bad input; no error of Pillow escapes."""
    for media_type in (PNG, JPEG):
        with pytest.raises(BadBody, match=WHOLE):
            _row(content, GREY, media_type)


@pytest.mark.parametrize(
    "content",
    [
        _png(5, 4, bytes(24), before=_chunk(b"acTL", bytes(8))),
        _png(5, 4, bytes(24), before=_chunk(b"aBcD", b"private")),
        _png(5, 4, bytes(24), after=_chunk(b"aBcD", b"private")),
        _png(5, 4, bytes(24), before=_chunk(b"eXIf", b"broken")),
    ],
)
def test_what_pillow_only_warns_of_is_read(content: bytes) -> None:
    """What Pillow only warns of is read, and no warning reaches the log."""
    assert np.array_equal(_row(content), np.zeros((1, HEIGHT, WIDTH)))


def test_a_jpegs_broken_exif_is_left_alone() -> None:
    """Pixels are read despite broken EXIF, without a warning."""
    content = _saved(_drawn("L"), "JPEG", exif=b"Exif\0\0II*\0\x08\0\0\0\x05\0\x12")
    assert np.array_equal(_row(content, GREY, JPEG), _row(FORMS["jpeg grey"][1], GREY, JPEG))


@pytest.mark.parametrize(
    ("media_type", "content", "rule"),
    [
        (PNG, _png(60_000, 60_000, b""), "a picture has at most 16000000 pixels"),
        (PNG, _png(2**31 - 1, 2**31 - 1, b""), "a picture has at most 16000000 pixels"),
        (PNG, _png(12_000, 12_000, b""), r"at most 16000000 pixels\. Got: 12000 x 12000"),
        (PNG, _png(4001, 4000, b""), r"at most 16000000 pixels\. Got: 4001 x 4000"),
        (PNG, _png(65_536, 1, b""), r"sides of at most 65535 pixels\. Got: 65536 x 1"),
        (PNG, _png(1, 16_000_000, b""), r"sides of at most 65535 pixels\. Got: 1 x 16000000"),
        (JPEG, _claiming(FORMS["jpeg grey"][1], 65_500, 65_500), "a picture has at most 16000000 pixels"),
        (JPEG, _claiming(FORMS["jpeg colour"][1], 4001, 4000), r"at most 16000000 pixels\. Got: 4001 x 4000"),
        (JPEG, _scans(40_001), r"pixels times scans of a JPEG are at most 400000000\. Got: 400010000"),
    ],
)
def test_pictures_that_are_too_large_are_refused_undecoded(media_type: str, content: bytes, rule: str) -> None:
    """A picture is refused by the size in its header, with next to no memory."""
    _row(FORMS["grey"][1])  # so that Pillow is loaded before memory is counted
    tracemalloc.start()
    try:
        with pytest.raises(TooLarge, match=rule):
            _row(content, GREY, media_type)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 1_000_000


def test_as_many_pixels_as_may_be_are_read() -> None:
    """A picture with the longest side, and one with the most scans, are read."""
    assert _row(_png(65_535, 2, bytes(2 * 65_536))).shape == (1, HEIGHT, WIDTH)
    assert np.array_equal(_row(_scans(200), GREY, JPEG), np.full((1, HEIGHT, WIDTH), 128))


TEXT_BOMB = zlib.compress(bytes(30_000_000), 1)
BOMBS = {
    "zTXt": _chunk(b"zTXt", b"a\0\0" + TEXT_BOMB),
    "iTXt": _chunk(b"iTXt", b"a\0\1\0\0\0" + TEXT_BOMB),
    "iCCP": _chunk(b"iCCP", b"a\0\0" + TEXT_BOMB),
    "many": _chunk(b"zTXt", b"a\0\0" + zlib.compress(bytes(1_000_000))) * 100,
}


@pytest.mark.parametrize("bomb", BOMBS)
@pytest.mark.parametrize("place", ["before", "after"])
def test_text_that_is_a_bomb_is_refused(bomb: str, place: str) -> None:
    """A text of more than a megabyte, or of 64 megabytes in all, is refused with little memory."""
    around = {place: BOMBS[bomb]}
    tracemalloc.start()
    try:
        with pytest.raises(BadBody, match=WHOLE):
            _row(_png(5, 4, bytes(24), before=around.get("before", b""), after=around.get("after", b"")))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < (80_000_000 if bomb == "many" else 5_000_000)


def _checked(content: bytes) -> bytes:
    """Recompute the checksums of a PNG's chunks, so that Pillow reads changed chunks."""
    fixed, at = bytearray(content), 8
    while at + 12 <= len(fixed):
        end = at + 8 + int.from_bytes(fixed[at : at + 4], "big")
        if end + 4 > len(fixed):
            break
        fixed[end : end + 4] = zlib.crc32(fixed[at + 4 : end]).to_bytes(4, "big")
        at = end + 4
    return bytes(fixed)


@settings(max_examples=400)
@example("grey", [(16, 255)], 1.0)
@example("jpeg colour", [(20, 0)], 1.0)
@given(
    st.sampled_from(sorted(FORMS)),
    st.lists(st.tuples(st.integers(0, 100) | st.integers(0, 2000), st.integers(0, 255)), min_size=1, max_size=8),
    st.sampled_from([1.0, 1.0, 1.0, 0.9, 0.5, 0.1]),
)
def test_a_damaged_picture_is_refused_or_read(form: str, changes: list[tuple[int, int]], kept: float) -> None:
    """Whichever bytes are changed or cut, the result is a row or an error of Weir."""
    media_type, content = FORMS[form]
    damaged = bytearray(content)
    for at, byte in changes:
        damaged[at % len(damaged)] = byte
    damaged = damaged[: int(len(damaged) * kept)]
    for body in (bytes(damaged), _checked(bytes(damaged)) if media_type == PNG else gzip.compress(damaged)):
        try:
            row = _row(body, COLOUR, media_type)
        except WeirError:
            continue
        assert row.shape == (1, HEIGHT, WIDTH, 3)
        assert (row >= 0).all()
        assert (row <= 255).all()
