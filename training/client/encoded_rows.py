"""Rows of a training, as those who use its model send them."""

import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from training.client import arrays, columns
from training.client.limits import Document
from training.modalities import modality_of
from weir.api.inference import RequestBody
from weir.catalog.inputs import Input
from weir.inputs.rows import RowReader


@dataclass(frozen=True)
class EncodedRows:
    """Rows as networks read them; those of a table, of texts or of several inputs are sent in words."""

    inputs: tuple[Input, ...]
    rows: NDArray[Any]

    def requests(self, metadata: Document) -> Iterator[RequestBody]:
        """Write the rows as requests, each of rows that the API takes at once."""
        if self._reader.plain is not None:
            return arrays.requests(self.rows, self._reader.plain.described, metadata)
        return columns.requests(self._columns, self._reader, metadata)

    def request(self) -> bytes:
        """Write the rows as the body of one request of the protocol that a person can read."""
        if self._reader.plain is not None:
            return arrays.request(self.rows, self._reader.plain.described)
        return columns.request(self._columns, self._reader)

    def file(self) -> tuple[str, bytes]:
        """Write the rows as a batch file: its extension, and its content."""
        if self._reader.plain is not None:
            stream = io.BytesIO()
            np.save(stream, self.rows)
            return ".npy", stream.getvalue()
        return ".jsonl", b"".join(msgspec.json.encode(record) + b"\n" for record in self._records)

    def example(self) -> tuple[str, bytes]:
        """Write the last row as a file that a person can look at: its extension, and its content."""
        return modality_of(self.inputs).example(self.rows[-1])

    @cached_property
    def _reader(self) -> RowReader:
        return RowReader(self.inputs)

    @cached_property
    def _records(self) -> Sequence[dict[str, Any]]:
        modality = modality_of(self.inputs)
        return [modality.record(row) for row in self.rows]

    @cached_property
    def _columns(self) -> columns.Columns:
        return {name: [record[name] for record in self._records] for name in self._reader.tensors}
