"""Pictures that are transparent in part: white or black shows through, so that what is drawn stays visible."""

from typing import TYPE_CHECKING

import numpy as np

from weir.errors import BadBody
from weir.observability import warn_once

if TYPE_CHECKING:
    from PIL.Image import Image

_OPAQUE = 255
_MIDDLE = 127.5
_ALIKE = 8
"""of 255: a brightness or an opacity that varies by no more counts as constant"""


def with_alpha(picture: "Image") -> "Image | None":
    """Return a picture as RGBA if some pixel is not opaque: by an alpha channel, or by a PNG's tRNS chunk.

    A tRNS chunk that names a grey or a colour of more than 8 bits makes nothing transparent: Pillow can't apply it.
    """
    key = picture.info.get("transparency")
    if not picture.has_transparency_data or (isinstance(key, int | tuple) and np.max(key) > _OPAQUE):
        return None
    converted = picture.convert("RGBA")
    return None if converted.getchannel("A").getextrema() == (_OPAQUE, _OPAQUE) else converted


def composed(picture: "Image") -> "Image":
    """Put an RGBA picture on white or black, whichever is further from the mean brightness of what is visible.

    Black strokes stay visible on white, white ones on black. When only the alpha channel tells what a picture shows,
    because all that is visible has one colour, a warning is logged, once a process.

    Raises:
        BadBody: nothing is visible.
    """
    from PIL import Image  # noqa: PLC0415 (most functions never see a picture)

    opacity, brightness = np.asarray(picture.getchannel("A")), np.asarray(picture.convert("L"))
    if not opacity.any():
        raise BadBody("some of a picture is not transparent", "a picture that is all transparent")
    bright = np.average(brightness, weights=opacity) > _MIDDLE
    shade, name = (0, "black") if bright else (255, "white")
    visible = brightness[opacity >= opacity.max() / 2]
    if np.ptp(visible) <= _ALIKE < np.ptp(opacity):
        warn_once(f"only the alpha channel tells what a picture shows: all of it has one colour; it was put on {name}")
    return Image.alpha_composite(Image.new("RGBA", picture.size, (shade, shade, shade, _OPAQUE)), picture)
