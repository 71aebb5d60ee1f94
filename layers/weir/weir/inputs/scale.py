"""Whether the values of pictures are on the scale that their input declares: 0 to 1 is often sent for 0 to 255."""

from collections.abc import Sequence

from weir.catalog.inputs import Input, Picture
from weir.inputs.tensor import InputRows
from weir.observability import warn_once

_LEAST_SHARE = 0.02


def is_narrow(rows: InputRows, one: Picture) -> bool:
    """Tell whether the values of rows `(n, …)` differ, and yet fill under 2 % of a picture's range.

    Pixels of 0 to 1 do where 0 to 255 are declared, and pixels divided by 255 twice. Pictures that are almost black do,
    too, so this is a reason to warn and not to refuse. Values that are all the same tell nothing: a picture may be
    empty.
    """
    black, white = one.range
    least = (white - black) * _LEAST_SHARE
    largest = rows.item(rows.argmax())
    if largest - rows.item(0) >= least:  # so it is in most pictures: their first pixel is background
        return False
    return bool(0 < largest - rows.item(rows.argmin()) < least)


def described(one: Picture) -> str:
    """Say of a picture what `is_narrow` found."""
    black, white = one.range
    return f"fill under {100 * _LEAST_SHARE:g} % of the range of {one.name}, {black:g} to {white:g}"


def warn_if_narrow(rows: InputRows, inputs: Sequence[Input], model: str) -> None:
    """Log, once for each model, that the values of a caller's rows seem to be on another scale."""
    for one in inputs:
        own = rows if len(inputs) == 1 else rows[one.name]
        if isinstance(one, Picture) and own.dtype != object and is_narrow(own, one):
            warn_once(
                f"values sent to the model {model} {described(one)}: if they were scaled, such as to 0 to 1, its "
                "answers are wrong; pictures that are so dark are answered as they are"
            )
