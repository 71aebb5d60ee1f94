"""Picture files -> the rows of one input."""

from collections.abc import Sequence
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


class PictureFiles:
    """Reads pictures as rows, batch by batch; those that can't be read are counted."""

    def __init__(self, described: Picture) -> None:
        """Read pictures as those of an input."""
        self.described = described
        self._count = self._failures = 0
        self._first = ""

    @classmethod
    def like(cls, name: str, paths: Sequence[Path | None], keys: PictureKeys) -> "PictureFiles":
        """Describe the input by the task and by the first pictures, which are grey or not."""
        return cls(picture(name, keys, keys.channels or (1 if _are_grey(paths) else 3)))

    def rows(self, paths: Sequence[Path | None]) -> tuple[NDArray[Any], NDArray[np.bool_]]:
        """Read a batch: rows `(n, height, width[, 3])`, and whether each could be read; those that can't are zeros."""
        rows = np.zeros((len(paths), *self.described.row_shape), np.float32)
        readable = np.ones(len(paths), bool)
        for number, path in enumerate(paths):
            try:
                rows[number] = _row(self.described, path)[0]
            except (BadInput, OSError) as exc:
                readable[number] = False
                self._failures += 1
                self._first = self._first or f"{path.name if path else 'no path'}: {exc}"
        self._count += len(paths)
        return rows, readable

    def warnings(self) -> tuple[str, ...]:
        """Say how many could not be read. Raises `BadInput` if that is all."""
        if not self._failures:
            return ()
        if self._failures == self._count:
            raise BadInput("some pictures can be read", f"none of {self._count}; {self._first}")
        told = f"{self._failures} of {self._count} pictures can't be read and are left out, such as {self._first}"
        return (told,)


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
