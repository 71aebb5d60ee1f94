"""A picture: a PNG, a JPEG, or a tensor of pixels."""

import io
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from weir.catalog.inputs import Picture
from weir.errors import BadBody, BadTensor, TooLarge, UnsupportedMedia
from weir.inputs import orientation, picture_structure
from weir.inputs.tensor import InputRows, TensorReader
from weir.inputs.transparency import composed, with_alpha
from weir.inputs.values import Values

if TYPE_CHECKING:
    from PIL.Image import Image

MAX_PIXELS = 16_000_000
"""a picture that claims more is refused before it is decoded; at this size a JPEG takes 240 MB, a 16-bit PNG 460 MB"""

MAX_SIDE = 65_535
"""in pixels, JPEG's own limit; resizing takes 48 bytes for each: a PNG of one line of pixels would take 760 MB"""

MAX_SCANNED_PIXELS = 400_000_000
"""pixels times scans of a JPEG: each scan is a pass over all pixels; ten are usual, and one may be 30 bytes long"""

_MIN_PIXELS_PER_SCAN = 10_000
"""each scan counts as at least this many pixels, however small the picture"""

MEDIA_TYPES = ("image/png", "image/jpeg", "image/jpg")

_MODES = {1: "L", 3: "RGB"}
"""channels -> Pillow's name for them"""

_NOT_A_PICTURE = (OSError, EOFError, ValueError, SyntaxError, LookupError, TypeError, OverflowError, AssertionError)
"""what Pillow raises on damaged files"""


@dataclass(frozen=True)
class PictureReader(TensorReader):
    """Reads the rows of a picture: from a PNG or JPEG; in every other form it is a tensor."""

    described: Picture

    def from_values(self, values: Mapping[str, Values], count: int) -> InputRows:
        """Take an array of pixels as it is, and decode files (bytes), one a row. Raises `BadInput`."""
        given = values[self.described.name]
        if isinstance(given, np.ndarray):
            return super().from_values(values, count)
        return np.concatenate([PictureFile(self, content).row for content in _files(given)])

    def deferred(self, values: Mapping[str, Values], count: int) -> InputRows:
        """Do the same, but only check files: rows are objects `(count,)` that decode themselves when they are needed.

        Raises:
            BadInput: a file is no PNG or JPEG, or has too many pixels.
        """
        given = values[self.described.name]
        if isinstance(given, np.ndarray):
            return super().from_values(values, count)
        rows = np.empty(count, object)
        rows[:] = [PictureFile(self, content) for content in _files(given)]
        return rows

    def check(self, content: bytes) -> None:
        """Check the structure and the size of a file, without decoding it. Raises `TooLarge` and `BadBody`."""
        from PIL import Image  # noqa: PLC0415 (most functions never see a picture)

        picture_structure.check(content)
        try:
            _check(Image.open(io.BytesIO(content), formats=("PNG", "JPEG")), content)
        except Image.DecompressionBombError as exc:
            raise TooLarge(f"a picture has at most {MAX_PIXELS} pixels", "far more") from exc
        except _NOT_A_PICTURE as exc:
            raise BadBody(picture_structure.WHOLE, "a damaged one") from exc

    def from_file(self, content: bytes, media_type: str) -> InputRows:
        """Read a PNG or JPEG as the one row `(1, …)`: in its channels, at its size, in its range of values.

        It is turned upright by its EXIF orientation, and stretched to the size of the input (Lanczos, anti-aliased).
        Grey is 0.299 R + 0.587 G + 0.114 B (ITU-R 601-2); what is transparent is put on the background of the input
        (`weir.inputs.transparency`); of 16 bits the upper 8 count; colour profiles are not applied; whole numbers are
        rounded. Of an animation the first picture counts.

        Raises:
            UnsupportedMedia: another type than PNG and JPEG.
            TooLarge: the picture has more than 16 million pixels, longer sides, or an abnormal number of chunks or
                scans.
            BadBody: it can't be decoded, or is all transparent.
        """
        if media_type not in MEDIA_TYPES:
            raise UnsupportedMedia("pictures are image/png or image/jpeg", media_type or "something else")
        one = self.described
        pixels = np.asarray(_decoded(content, one), np.float64).reshape(1, *one.row_shape)
        black, white = one.range
        values = pixels * (white - black) / 255 + black
        return (values if one.dtype.kind == "f" else np.rint(values)).astype(one.dtype)

    def from_content(self, content: bytes) -> InputRows:
        """Read a file by its first bytes, where nothing else says what it is. Raises as `from_file` does."""
        return self.from_file(content, picture_structure.media_type(content))


class PictureFile:
    """A file that is decoded when a network reads it, and once."""

    def __init__(self, reader: PictureReader, content: bytes) -> None:
        """Check a file. Raises `TooLarge` and `BadBody`."""
        reader.check(content)
        self._reader, self._content = reader, content

    @cached_property
    def row(self) -> InputRows:
        """The row `(1, …)`. Raises `BadBody` for a file that can't be decoded."""
        return self._reader.from_content(self._content)


def _files(values: Values) -> Iterator[bytes]:
    for value in values:
        if not isinstance(value, bytes):
            raise BadTensor("a picture is sent as pixels, or as a PNG or JPEG", value)
        yield value


def _decoded(content: bytes, one: Picture) -> "Image":
    from PIL import Image  # noqa: PLC0415 (most functions never see a picture)

    picture_structure.check(content)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Pillow reads what it warns of
            picture = Image.open(io.BytesIO(content), formats=("PNG", "JPEG"))
            _check(picture, content)
            picture.load()  # what follows the pixels of a PNG is read, too: its EXIF may stand there
            return _resized(_eight_bits(picture), one)
    except Image.DecompressionBombError as exc:
        raise TooLarge(f"a picture has at most {MAX_PIXELS} pixels", "far more") from exc
    except _NOT_A_PICTURE as exc:
        raise BadBody(picture_structure.WHOLE, "a damaged one") from exc


def _resized(picture: "Image", one: Picture) -> "Image":
    """Bring a picture to the size, the channels and the background of an input, upright."""
    from PIL import Image  # noqa: PLC0415

    mode = _MODES[one.channels]
    transparent = with_alpha(picture)
    turn = orientation.turning(picture)
    size = (one.height, one.width) if turn in orientation.SIDEWAYS else (one.width, one.height)
    small = (transparent or picture.convert(mode)).resize(size, Image.Resampling.LANCZOS)
    if turn is not None:  # turned when small, which costs less and gives the same pixels
        small = small.transpose(turn)
    return composed(small, one.background).convert(mode) if transparent else small


def _check(picture: "Image", content: bytes) -> None:
    width, height = picture.size
    if width * height > MAX_PIXELS:
        raise TooLarge(f"a picture has at most {MAX_PIXELS} pixels", f"{width} x {height}")
    if max(width, height) > MAX_SIDE:
        raise TooLarge(f"a picture has sides of at most {MAX_SIDE} pixels", f"{width} x {height}")
    if (scanned := picture_structure.scans(content) * max(width * height, _MIN_PIXELS_PER_SCAN)) > MAX_SCANNED_PIXELS:
        raise TooLarge(f"pixels times scans of a JPEG are at most {MAX_SCANNED_PIXELS}", scanned)


def _eight_bits(picture: "Image") -> "Image":
    """Take the upper 8 of 16 bits; Pillow's own conversion would cut values off at 255."""
    if not picture.mode.startswith("I"):
        return picture
    from PIL import Image  # noqa: PLC0415

    return Image.fromarray((np.asarray(picture) >> 8).astype(np.uint8))
