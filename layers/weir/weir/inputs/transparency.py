"""Pictures that are transparent in part: the background of the input shows through."""

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


def composed(picture: "Image", background: tuple[int, int, int] | None) -> "Image":
    """Put an RGBA picture on a background.

    None is white or black, whichever is further from the mean brightness of what is visible: black strokes stay visible
    on white, white ones on black. When then only the alpha channel tells what a picture shows, because all that is
    visible has one colour, a warning is logged, once a process.

    Raises:
        BadBody: nothing is visible.
    """
    from PIL import Image  # noqa: PLC0415 (most functions never see a picture)

    if picture.getchannel("A").getextrema() == (0, 0):
        raise BadBody("some of a picture is not transparent", "a picture that is all transparent")
    if background is None:
        background = _contrasting(picture)
    return Image.alpha_composite(Image.new("RGBA", picture.size, (*background, _OPAQUE)), picture)


def _contrasting(picture: "Image") -> tuple[int, int, int]:
    """Choose white or black for an RGBA picture of which something is visible."""
    opacity, brightness = np.asarray(picture.getchannel("A")), np.asarray(picture.convert("L"))
    bright = np.average(brightness, weights=opacity) > _MIDDLE
    shade, name = (0, "black") if bright else (255, "white")
    visible = brightness[opacity >= opacity.max() / 2]
    if np.ptp(visible) <= _ALIKE < np.ptp(opacity):
        warn_once(f"only the alpha channel tells what a picture shows: all of it has one colour; it was put on {name}")
    return (shade, shade, shade)
