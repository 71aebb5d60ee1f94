"""The input of networks that tests build."""

import numpy as np

from training.modalities.picture.reading import colour, grey
from weir.catalog.inputs import Picture


def picture(height: int, width: int, white: float = 255.0) -> Picture:
    """Describe a grey picture of this size."""
    return grey(np.zeros((1, height, width)), white=white)


def colour_picture(height: int, width: int) -> Picture:
    """Describe a picture of this size in colour."""
    return colour(np.zeros((1, height, width, 3)))
