"""A picture as a file that a person can look at."""

import io

import numpy as np
from PIL import Image

from weir.catalog.inputs import Picture
from weir.engine.arrays import Floats

EXTENSION = ".png"


def file(row: Floats, picture: Picture) -> bytes:
    """Write one row `(height, width)`, or with channels behind, as a PNG."""
    black, white = picture.range
    pixels = np.rint((row - black) * (255 / (white - black))).astype(np.uint8)
    if picture.channels == 1:
        pixels = pixels.reshape(picture.height, picture.width)
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "PNG")
    return stream.getvalue()
