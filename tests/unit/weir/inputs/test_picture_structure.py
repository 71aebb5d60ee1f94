"""weir.inputs.picture_structure: pictures whose chunks or segments would cost more than their pixels."""

import io
import struct
import time
import zlib

import pytest
from PIL import Image

from weir.catalog.inputs import Picture
from weir.errors import BadBody, BadInput, TooLarge
from weir.inputs import picture_structure
from weir.inputs.picture_structure import MAX_PARTS
from weir.inputs.rows import RowReader

IMAGE = (Picture(name="image", shape=(-1, 4, 4)),)


def _encoded(form: str, size: tuple[int, int] = (8, 8), **options: object) -> bytes:
    stream = io.BytesIO()
    Image.new("RGB", size).save(stream, form, **options)
    return stream.getvalue()


def _chunk(kind: bytes, data: bytes = b"") -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


PNG, JPEG = _encoded("PNG"), _encoded("JPEG")
HEAD = 8 + 25  # signature, IHDR


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(PNG[:HEAD] + _chunk(b"prIv") * 100_000 + PNG[HEAD:], id="empty chunks"),
        pytest.param(PNG[:HEAD] + _chunk(b"tEXt", b"a\0b") * 100_000 + PNG[HEAD:], id="texts"),
        pytest.param(PNG[:-12] + _chunk(b"tEXt", b"a\0b") * 100_000 + PNG[-12:], id="texts at the end"),
        pytest.param(JPEG[:2] + b"\xff\xe5\0\2" * 1_000_000 + JPEG[2:], id="empty segments"),
        pytest.param(JPEG[:2] + b"\xff" * 4_000_000 + JPEG[2:], id="fill bytes"),
        pytest.param(JPEG[:2] + b"\0" * 4_000_000 + JPEG[2:], id="other bytes between"),
        pytest.param(JPEG[:2] + b"\xff\xd0" * 2_000_000 + JPEG[2:], id="restarts"),
    ],
)
def test_an_abnormal_number_of_parts_is_refused_at_once(content: bytes) -> None:
    """A picture on whose chunks or segments Pillow would spend seconds is refused within one."""
    start = time.perf_counter()
    with pytest.raises(BadInput):
        RowReader(IMAGE).from_file(content, "image/png")
    assert time.perf_counter() - start < 1


def test_scans_count_by_their_pixels() -> None:
    """A hundred scans of a large picture are refused as thousands of a small one are."""
    scan = b"\xff\xda\0\x08\1\1\0\0\x3f\0"
    large = _encoded("JPEG", (3_000, 3_000), progressive=True)
    assert RowReader(IMAGE).from_file(large, "image/jpeg").shape == (1, 4, 4)
    with pytest.raises(TooLarge, match="pixels times scans"):
        RowReader(IMAGE).from_file(large[:-2] + scan * 100 + large[-2:], "image/jpeg")


@pytest.mark.parametrize("form", ["PNG", "JPEG"])
def test_ordinary_pictures_have_few_parts(form: str) -> None:
    """A picture with a profile, EXIF and a million pixels of noise stays far below the limits."""
    noise = Image.effect_noise((1_000, 1_000), 100)
    stream = io.BytesIO()
    noise.save(stream, form, icc_profile=b"x" * 500_000, exif=b"Exif\0\0" + b"y" * 20_000, progressive=True)
    picture_structure.check(stream.getvalue())
    assert picture_structure.scans(stream.getvalue()) < 20


def test_chunks_may_be_as_many_as_an_encoder_writes() -> None:
    """A PNG of exactly the most chunks is read, and one more chunk is refused."""
    body = PNG[:HEAD] + _chunk(b"prIv") * (MAX_PARTS - 3) + PNG[HEAD:]  # IHDR, IDAT, IEND
    picture_structure.check(body)
    with pytest.raises(TooLarge, match="a picture has at most 2000 chunks or segments"):
        picture_structure.check(body + _chunk(b"prIv"))


@pytest.mark.parametrize("content", [b"", b"GIF89a", b"\xff\xd8", b"\xff\xd8\xff\xe0", PNG[:4], b"\xff\xd8\xff\xd9"])
def test_what_is_no_picture_is_refused(content: bytes) -> None:
    """Bytes with no signature of a picture, and a JPEG without a scan, are refused."""
    with pytest.raises(BadBody):
        picture_structure.check(content)
