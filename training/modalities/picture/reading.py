"""Pictures from the arrays of a data source."""

from typing import Protocol

from weir.catalog.inputs import Picture
from weir.errors import BadInput

NAME = "image"
"""of the input, in requests and in artifacts"""


class Shaped(Protocol):
    """Rows, as an array has them."""

    @property
    def shape(self) -> tuple[int, ...]:
        """Of all rows."""


def grey(pictures: Shaped, *, black: float = 0.0, white: float = 255.0) -> Picture:
    """Describe the input of a model that reads pictures `(rows, height, width)`, as raw values from black to white.

    Raises:
        BadInput: the array has another shape.
    """
    if len(pictures.shape) != 3 or 0 in pictures.shape:  # noqa: PLR2004 (rows, height, width)
        raise BadInput("pictures have the shape (rows, height, width)", pictures.shape)
    meaning = f"raw pixel values, {black:g} to {white:g}"
    return Picture(name=NAME, shape=(-1, *pictures.shape[1:]), meaning=meaning, range=(black, white))


WHITE = (255, 255, 255)


def colour(
    pictures: Shaped,
    *,
    black: float = 0.0,
    white: float = 255.0,
    background: tuple[int, int, int] | None = WHITE,
) -> Picture:
    """Describe the input of a model that reads pictures `(rows, height, width, 3)`: red, green and blue.

    Args:
        pictures: raw values.
        black: the lowest raw value.
        white: the highest.
        background: of pictures that requests send, where they are transparent: 0 to 255.

    Raises:
        BadInput: the array has another shape.
    """
    if len(pictures.shape) != 4 or pictures.shape[3] != 3 or 0 in pictures.shape:  # noqa: PLR2004 (rows, height, width, RGB)
        raise BadInput("pictures in colour have the shape (rows, height, width, 3)", pictures.shape)
    meaning = f"raw values of red, green and blue, {black:g} to {white:g}"
    shape = (-1, *pictures.shape[1:])
    return Picture(name=NAME, shape=shape, meaning=meaning, range=(black, white), background=background)
