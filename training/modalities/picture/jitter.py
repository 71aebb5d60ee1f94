"""Random changes to the brightness, contrast and saturation of training pictures."""

import numpy as np

from weir.engine.arrays import Floats

_GREY = np.array([0.299, 0.587, 0.114], np.float32)
"""red, green and blue in grey (ITU-R 601-2), as in `weir.inputs.picture`"""


def recoloured(pictures: Floats, most: float, random: np.random.Generator, limits: tuple[float, float]) -> Floats:
    """Change each picture `(n, height, width)`, or with channels behind, by factors from `1 - most` to `1 + most`.

    Brightness: the distance of every value from black. Contrast: from the mean brightness of the picture. Saturation,
    in colour: from the grey of each pixel. Values stay within the limits, black and white.
    """
    black, white = limits
    ends = (len(pictures), *[1] * (pictures.ndim - 1))
    brightness, contrast, saturation = random.uniform(1 - most, 1 + most, (3, *ends)).astype(np.float32)
    changed = black + brightness * (pictures - black)
    mean = _grey(changed).reshape(len(pictures), -1).mean(axis=1).reshape(ends)
    changed = mean + contrast * (changed - mean)
    if pictures.shape[3:] == (3,):
        grey = _grey(changed)
        changed = grey + saturation * (changed - grey)
    limited: Floats = np.clip(changed, np.float32(black), np.float32(white))
    return limited


def _grey(pictures: Floats) -> Floats:
    """Return the brightness of every pixel, `(n, height, width, 1)` of colours; grey is its own."""
    if pictures.shape[3:] != (3,):
        return pictures
    grey: Floats = (pictures @ _GREY)[..., None]
    return grey
