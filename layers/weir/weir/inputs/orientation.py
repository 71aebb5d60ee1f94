"""Which way up a picture is: cameras keep the pixels as the sensor has them, and say in EXIF how to turn them."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from PIL.Image import Image, Transpose

_ORIENTATION = 0x0112
"""tag of EXIF; 1 is upright"""

# Pillow's `Image.Transpose`, by its numbers: most functions never see a picture, and so never import Pillow.
_FLIP_LEFT_RIGHT, _FLIP_TOP_BOTTOM, _ROTATE_90, _ROTATE_180, _ROTATE_270, _TRANSPOSE, _TRANSVERSE = range(7)

_TURNINGS = {
    2: _FLIP_LEFT_RIGHT,
    3: _ROTATE_180,
    4: _FLIP_TOP_BOTTOM,
    5: _TRANSPOSE,
    6: _ROTATE_270,
    7: _TRANSVERSE,
    8: _ROTATE_90,
}
"""orientation -> what turns a picture upright (Exif 2.32, 4.6.4 A)"""

SIDEWAYS = frozenset({_TRANSPOSE, _ROTATE_270, _TRANSVERSE, _ROTATE_90})
"""turnings that swap width and height"""


def turning(picture: "Image") -> "Transpose | None":
    """Return what turns a picture upright; None where it is, or where its EXIF is damaged."""
    from PIL import Image  # noqa: PLC0415

    try:
        turn = _TURNINGS.get(picture.getexif().get(_ORIENTATION, 1))
    except Exception:  # noqa: BLE001 (Pillow raises whatever it met; the pixels are sound)
        return None
    return None if turn is None else Image.Transpose(turn)
