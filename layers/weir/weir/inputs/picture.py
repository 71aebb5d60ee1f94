"""One PNG or JPEG -> one row of a model whose input is a picture."""

import io
import warnings
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from weir.catalog.manifest import TensorSpec
from weir.errors import BadBody, TooLarge, UnsupportedMedia
from weir.inputs import picture_structure as parts
from weir.inputs.tensor import DTYPES, InputRows

if TYPE_CHECKING:
    from PIL.Image import Image

MAX_PIXELS = 16_000_000
"""a picture that claims more is refused before it is decoded; of so many a JPEG takes 240 MB, a PNG of 16 bits 460"""

MAX_SIDE = 65_535
"""in pixels, JPEG's own limit; Pillow's resizing takes 48 bytes for each: a PNG of one line would take 760 MB"""

MAX_PASSES = 400_000_000
"""pixels times scans: a progressive JPEG has about ten scans, each a pass over all pixels, and as little as 30 bytes"""

_SCAN_LEAST = 10_000
"""pixels that a scan counts as, at least"""

MEDIA_TYPES = ("image/png", "image/jpeg", "image/jpg")

_CHANNELS = {1: "L", 3: "RGB"}

_NOT_A_PICTURE = (OSError, EOFError, ValueError, SyntaxError, LookupError, TypeError, OverflowError, AssertionError)
"""what Pillow raises while it reads"""


def is_picture(spec: TensorSpec) -> bool:
    """Tell whether an input is a picture, whose range its datatype holds.

    Its shape is `(rows, height, width)`, or has 1 or 3 channels behind.
    """
    sizes = spec.shape[1:]
    shaped = len(sizes) == 2 or (len(sizes) == 3 and sizes[2] in _CHANNELS)  # noqa: PLR2004 (height, width, channels)
    least, most = _limits(DTYPES[spec.datatype])
    return shaped and least <= spec.range[0] and spec.range[1] <= most


def _limits(dtype: np.dtype[Any]) -> tuple[float, float]:
    if dtype.kind == "b":
        return 0, 1
    limits = np.finfo(dtype) if dtype.kind == "f" else np.iinfo(dtype)
    return float(limits.min), float(limits.max)


def row(content: bytes, media_type: str, specs: Sequence[TensorSpec]) -> InputRows:
    """Read a picture as the one row `(1, …)` of the one input: in its channels, at its size, in its range of values.

    Grey is 0.299 R + 0.587 G + 0.114 B (ITU-R 601-2); an alpha channel is dropped; resizing is Lanczos; of 16 bits the
    upper 8 count; whole numbers are rounded.

    Raises:
        UnsupportedMedia: another type than PNG and JPEG, or a model whose input is no picture.
        TooLarge: the picture has more than 16 million pixels, longer sides, more parts or scans than any should.
        BadBody: it can't be decoded.
    """
    if media_type not in MEDIA_TYPES:
        raise UnsupportedMedia("pictures are image/png or image/jpeg", media_type)
    if len(specs) != 1 or not is_picture(specs[0]):
        raise UnsupportedMedia("pictures are for models whose one input is a picture; others take tensors", media_type)
    spec = specs[0]
    values = np.asarray(_decoded(content, spec), np.float64).reshape(1, *spec.shape[1:])
    low, high = spec.range
    values = values * (high - low) / 255 + low
    dtype = DTYPES[spec.datatype]
    return (values if dtype.kind == "f" else np.rint(values)).astype(dtype)


def _decoded(content: bytes, spec: TensorSpec) -> "Image":
    from PIL import Image  # noqa: PLC0415 (most functions never see a picture)

    parts.check(content)
    height, width = spec.shape[1:3]
    mode = _CHANNELS[spec.shape[3] if len(spec.shape) > 3 else 1]  # noqa: PLR2004 (rows, height, width, channels)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what Pillow wonders at, it reads all the same
            picture = Image.open(io.BytesIO(content), formats=("PNG", "JPEG"))
            _check(picture, content)
            return _eight_bits(picture).convert(mode).resize((width, height), Image.Resampling.LANCZOS)
    except Image.DecompressionBombError as exc:
        raise TooLarge(f"a picture has at most {MAX_PIXELS} pixels", "far more") from exc
    except _NOT_A_PICTURE as exc:
        raise BadBody(parts.WHOLE, "a damaged one") from exc


def _check(picture: "Image", content: bytes) -> None:
    width, height = picture.size
    if width * height > MAX_PIXELS:
        raise TooLarge(f"a picture has at most {MAX_PIXELS} pixels", f"{width} x {height}")
    if max(width, height) > MAX_SIDE:
        raise TooLarge(f"a picture has sides of at most {MAX_SIDE} pixels", f"{width} x {height}")
    if (passes := parts.scans(content) * max(width * height, _SCAN_LEAST)) > MAX_PASSES:
        raise TooLarge(f"pixels times scans of a JPEG are at most {MAX_PASSES}", passes)


def _eight_bits(picture: "Image") -> "Image":
    """Take the upper 8 of 16 bits, which Pillow's own conversion would cut off at 255."""
    if not picture.mode.startswith("I"):
        return picture
    from PIL import Image  # noqa: PLC0415

    return Image.fromarray((np.asarray(picture) >> 8).astype(np.uint8))
