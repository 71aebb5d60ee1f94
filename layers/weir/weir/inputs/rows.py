"""Rows of a model: one array for all of its inputs."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from weir.catalog.inputs import Input, Picture, Table, TensorMetadata, Text
from weir.errors import BadTensor, UnsupportedMedia
from weir.inputs.picture import PictureReader
from weir.inputs.reader import Reader, reader_for
from weir.inputs.tensor import NO_FILES, InputRows, TensorReader
from weir.inputs.text import TextReader
from weir.inputs.values import Values


@dataclass(frozen=True)
class RowReader:
    """Reads rows of all inputs of a model; make it once, for it keeps what it looks values up in."""

    inputs: tuple[Input, ...]

    @cached_property
    def readers(self) -> tuple[Reader, ...]:
        """The reader of each input."""
        return tuple(map(reader_for, self.inputs))

    @cached_property
    def tensors(self) -> dict[str, TensorMetadata]:
        """The tensors and columns that requests send, by name."""
        return {tensor.name: tensor for one in self.inputs for tensor in one.tensors}

    @cached_property
    def plain(self) -> TensorReader | None:
        """The reader of the only input, when its tensor is what networks read."""
        first = self.readers[0]
        return first if len(self.readers) == 1 and isinstance(first, TensorReader) else None

    @cached_property
    def pictures(self) -> frozenset[str]:
        """The names of the inputs that may be sent as files."""
        return frozenset(one.name for one in self.inputs if isinstance(one, Picture))

    @cached_property
    def content_types(self) -> tuple[str, ...]:
        """MLServer's names of the codecs that go with what the model reads."""
        of_kinds = {Table: ("pd", "str"), Text: ("str",), Picture: ("base64",) if len(self.inputs) > 1 else ()}
        return tuple(sorted({"np", *(name for one in self.inputs for name in of_kinds.get(type(one), ()))}))

    @cached_property
    def ignores_others(self) -> bool:
        """Whether rows may have further columns: those of tables and texts may, for people send whole records."""
        return any(isinstance(one, Table | Text) for one in self.inputs)

    @cached_property
    def columns(self) -> bool:
        """Whether every tensor is a column or a text, one value a row."""
        return all(len(tensor.shape) == 1 for tensor in self.tensors.values())

    def check_names(self, names: Collection[str]) -> None:
        """Refuse names of tensors or columns that are missing, there twice, or not the model's. Raises `BadTensor`."""
        known = self.tensors
        if self.ignores_others and isinstance(names, Mapping) and known.keys() <= names.keys():
            return
        others = [name for name in names if name not in known] if self.ignores_others else []
        if len(names) - len(others) != len(known) or not known.keys() <= set(names):
            missing = [name for name in known if name not in names]
            got = _without(missing, others) if self.ignores_others and missing else list(names)
            raise BadTensor(f"the inputs are {', '.join(known)}", got)

    def from_values(self, values: Mapping[str, Values], count: int) -> InputRows:
        """Encode `count` rows from the values of all tensors, by name; of several inputs, files are decoded later.

        Raises:
            BadInput: a value is not the model's.
        """
        if len(self.readers) == 1:
            return self.readers[0].from_values(values, count)
        arrays = [
            reader.deferred(values, count) if isinstance(reader, PictureReader) else reader.from_values(values, count)
            for reader in self.readers
        ]
        return joined(arrays, self.inputs)

    def from_cells(self, cells: Mapping[str, Sequence[str]], count: int) -> InputRows:
        """Encode `count` rows from the cells of a .csv, by the names of its columns. Raises `BadTensor`."""
        return joined([reader.from_cells(cells, count) for reader in self.readers], self.inputs)

    def from_array(self, array: NDArray[Any]) -> InputRows:
        """Take the rows of an array of the only input.

        Raises:
            BadTensor: the model has several inputs, or the array is not of this one.
        """
        if len(self.readers) != 1:
            raise BadTensor(f"rows name their inputs: {', '.join(self.tensors)}", "an array")
        return self.readers[0].from_array(array)

    def from_file(self, content: bytes, media_type: str) -> InputRows:
        """Read a file, such as a PNG, as one row of a model with one input.

        Raises:
            UnsupportedMedia: the model has several inputs, or reads no files of this type.
            TooLarge: the file has more pixels, or takes more time or memory, than a request may.
            BadBody: it can't be decoded.
        """
        if len(self.readers) != 1:
            raise UnsupportedMedia(NO_FILES, media_type)
        return self.readers[0].from_file(content, media_type)

    def zeros(self, count: int = 1) -> InputRows:
        """Make rows of zeros."""
        return joined([reader.zeros(count) for reader in self.readers], self.inputs)

    def filled_texts(self, rows: InputRows) -> int:
        """Count the texts that fill their `most_bytes`: they were cut, or are exactly as long."""
        several = len(self.inputs) > 1
        return sum(reader.filled(rows[reader.described.name] if several else rows) for reader in self._texts)

    @cached_property
    def _texts(self) -> tuple[TextReader, ...]:
        return tuple(reader for reader in self.readers if isinstance(reader, TextReader))

    @cached_property
    def max_row_bytes(self) -> int:
        """The most bytes that a row takes in JSON; longer values of columns that aren't read count, too."""
        return sum(map(_max_bytes, self.inputs))


_SHOWN = 5
"""names that an error repeats: a misspelt column is among those that came instead"""


def _without(missing: Sequence[str], others: Sequence[str]) -> str:
    """Say which names are missing, and which came instead."""
    more = ", …" if len(others) > _SHOWN else ""
    return f"no {', '.join(missing)}" + (f", but {', '.join(others[:_SHOWN])}{more}" if others else "")


_NUMBER_BYTES = 32
"""of one number, written as text"""
_COLUMN_BYTES = 1_024
"""of one column of a table, with its name"""
_ESCAPED_BYTES = 6
"""of one character of a text: \\u0000"""


def _max_bytes(one: Input) -> int:
    match one:
        case Table():
            return _COLUMN_BYTES * len(one.columns)
        case Text():
            return _ESCAPED_BYTES * one.most_bytes + _COLUMN_BYTES
        case _:
            return _NUMBER_BYTES * one.row_values


def joined(arrays: Sequence[InputRows], inputs: Sequence[Input]) -> InputRows:
    """Make one array of rows of the arrays `(n, …)` of each input; what decodes itself later stays an object."""
    if len(arrays) == 1:
        return arrays[0]
    dtypes = [
        (one.name, array.dtype) if array.dtype == object else (one.name, one.dtype, one.row_shape)
        for one, array in zip(inputs, arrays, strict=True)
    ]
    rows = np.empty(len(arrays[0]), dtypes)
    for one, array in zip(inputs, arrays, strict=True):
        rows[one.name] = array
    return rows
