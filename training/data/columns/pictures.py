"""Picture files -> the rows of one input."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from training.data.columns.encoding import MEDIA_TYPES, encoded_picture, picture
from training.task import PictureKeys
from weir.catalog.inputs import Picture
from weir.errors import BadInput

_SNIFFED = 50
"""pictures that tell whether all are grey"""
_UNUSABLE = (OSError, ValueError, SyntaxError, Image.DecompressionBombError)


@dataclass(frozen=True)
class Pictures:
    """The rows of files `(n, height, width[, 3])`; zeros where one can't be read."""

    described: Picture
    rows: NDArray[Any]
    readable: NDArray[np.bool_]
    warnings: tuple[str, ...]


def read_pictures(name: str, paths: Sequence[Path | None], keys: PictureKeys) -> Pictures:
    """Read pictures as `keys` say; one that can't be read is warned of, and so is the count of all.

    Raises:
        BadInput: none can be read.
    """
    channels = keys.channels or (1 if _are_grey(paths) else 3)
    described = picture(name, keys, channels)
    rows = np.zeros((len(paths), *described.row_shape), np.float32)
    failures: dict[int, str] = {}
    for number, path in enumerate(paths):
        try:
            rows[number] = _row(described, path)[0]
        except (BadInput, OSError) as exc:
            failures[number] = f"{path.name if path else 'no path'}: {exc}"
    if failures and len(failures) == len(paths):
        raise BadInput("some pictures can be read", f"none of {len(paths)}; {next(iter(failures.values()))}")
    readable = np.ones(len(paths), bool)
    readable[list(failures)] = False
    warning = f"{len(failures)} of {len(paths)} pictures can't be read and are left out, such as "
    return Pictures(described, rows, readable, (warning + next(iter(failures.values())),) if failures else ())


def read_as(described: Picture, paths: Sequence[Path]) -> NDArray[np.float32]:
    """Read pictures as the rows of an input that is known. Raises `BadInput` for one that can't be read."""
    rows = np.zeros((len(paths), *described.row_shape), np.float32)
    for number, path in enumerate(paths):
        try:
            rows[number] = _row(described, path)[0]
        except OSError as exc:
            raise BadInput("every picture can be read", f"{path.name}: {exc}") from exc
    return rows


def _row(described: Picture, path: Path | None) -> NDArray[np.float32]:
    if path is None or path.suffix.lower() not in MEDIA_TYPES:
        raise BadInput(f"pictures are files of {', '.join(MEDIA_TYPES)}", path.name if path else "nothing")
    return encoded_picture(described, path.read_bytes(), path.suffix.lower())


def _are_grey(paths: Sequence[Path | None]) -> bool:
    """Tell whether the first pictures that can be read all have one channel, or equal ones."""
    found = [path for path in paths if path is not None][:_SNIFFED]
    seen = [grey for path in found if (grey := _is_grey(path)) is not None]
    return bool(seen) and all(seen)


def _is_grey(path: Path) -> bool | None:
    try:
        with Image.open(path) as opened:
            if opened.mode in ("1", "L", "LA", "I", "I;16"):
                return True
            opened.thumbnail((64, 64))
            red, green, blue = np.moveaxis(np.asarray(opened.convert("RGB")), -1, 0)
            return bool((red == green).all() and (green == blue).all())
    except _UNUSABLE:
        return None
