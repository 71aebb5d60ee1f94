"""The names of labels: as a file gives them, or their numbers."""

import unicodedata
from collections import Counter

import numpy as np
from numpy.typing import NDArray

from weir.errors import BadInput


def given(names: NDArray[np.generic]) -> tuple[str, ...]:
    """Read the names of labels 0, 1, ….

    Names that differ only in blanks, or in how Unicode composes their letters, count as equal: nobody tells them apart.

    Raises:
        BadInput: they are neither texts nor whole numbers, or one is empty, unprintable, or there twice.
    """
    if names.ndim != 1 or names.dtype.kind not in "Uiu":
        raise BadInput("label_names are texts, or whole numbers, (labels,)", f"{names.dtype} {names.shape}")
    read = tuple(str(name) for name in names.tolist())
    for number, name in enumerate(read):
        if not name.strip() or not name.isprintable():
            raise BadInput("label_names are printable, and none is empty", f"{name!r} for label {number}")
    (seen, times), *_ = [*Counter(map(_as_seen, read)).most_common(1), ("", 0)]
    if times > 1:
        raise BadInput("label_names are all different", f"{seen!r}, {times} times")
    return read


def numbered(y: NDArray[np.generic]) -> tuple[str, ...]:
    """Name labels by their numbers: 0 to the largest, each of which needs rows.

    Raises:
        BadInput: they are no whole numbers, all below 0, or the largest is at least the number of rows.
    """
    if y.dtype.kind not in "iu":
        raise BadInput("y holds whole numbers from 0", y.dtype)
    largest = int(y.max())
    if not 0 <= largest < len(y):
        raise BadInput(f"y numbers the labels from 0 without gaps, of {len(y)} rows to {len(y) - 1} at most", largest)
    return tuple(str(label) for label in range(largest + 1))


def _as_seen(name: str) -> str:
    return " ".join(unicodedata.normalize("NFC", name).split())
