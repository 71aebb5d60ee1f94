"""A text -> its UTF-8 bytes, in one INT32 array."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from weir.catalog.inputs import Text
from weir.errors import BadTensor, UnsupportedMedia
from weir.inputs.cells import text
from weir.inputs.tensor import NO_FILES
from weir.inputs.values import Values

_NUL, _BLANK = b"\0", b" "


@dataclass(frozen=True)
class TextReader:
    """Reads texts as rows of bytes."""

    described: Text

    def from_values(self, values: Mapping[str, Values], count: int) -> NDArray[np.int32]:
        """Encode the tensor of this input as `encoded` does. Raises `BadTensor`."""
        given = values[self.described.name]
        if len(given) != count:
            raise BadTensor(f"{self.described.name} has one text for each of the {count} rows", len(given))
        return self.encoded(given)

    def encoded(self, texts: Values) -> NDArray[np.int32]:
        """Encode texts as rows `(n, most_bytes)`: what is longer is cut, and 0 follows what is shorter.

        A character of value 0 becomes a blank, since 0 marks the end.

        Raises:
            BadTensor: a value is no text, or has half of a surrogate pair, which UTF-8 does not have.
        """
        name, most = self.described.name, self.described.most_bytes
        rows = np.zeros((len(texts), most), np.int32)
        for row, one in enumerate(texts):
            if not isinstance(one, str):
                raise BadTensor(f"{name} is a text", f"{one!r}{_at(row, texts)}")
            try:
                content = one[:most].encode()[:most].replace(_NUL, _BLANK)
            except UnicodeEncodeError as exc:
                raise BadTensor(f"{name} is a text that UTF-8 can write", f"{exc}{_at(row, texts)}") from exc
            rows[row, : len(content)] = np.frombuffer(content, np.uint8)
        return rows

    def from_cells(self, cells: Mapping[str, Sequence[str]], count: int) -> NDArray[np.int32]:
        """Encode the texts of a .csv. Raises `BadTensor`."""
        name = self.described.name
        return self.from_values({name: [text(cell) for cell in cells[name]]}, count)

    def from_array(self, array: NDArray[Any]) -> NDArray[np.int32]:
        """Refuse an array of numbers. Raises `BadTensor`."""
        raise BadTensor(f"rows are texts named {self.described.name}", f"an array of {array.dtype}")

    def from_file(self, content: bytes, media_type: str) -> NDArray[np.int32]:
        """Refuse a file: no picture is a text. Raises `UnsupportedMedia`."""
        del content
        raise UnsupportedMedia(NO_FILES, media_type)

    def zeros(self, count: int) -> NDArray[np.int32]:
        """Make empty texts."""
        return np.zeros((count, self.described.most_bytes), np.int32)

    def filled(self, rows: NDArray[np.int32]) -> int:
        """Count the texts of rows `(n, most_bytes)` that fill all of it: they were cut, or are exactly as long."""
        return int(np.count_nonzero(rows[:, -1]))


def _at(row: int, texts: Values) -> str:
    """Say which row it is, where there are several."""
    return "" if len(texts) == 1 else f" in row {row}"
