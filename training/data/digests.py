"""Rows are known again by a digest of their values."""

import hashlib
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from training.data.rows import Rows, by_chunk, chunks, of_input
from weir.engine.arrays import Labels

BYTES = 8
"""of a digest: among a million rows two share one with a chance of 3e-8"""


def digests(rows: NDArray[Any]) -> list[bytes]:
    """Compute the digest of each row of `(n, …)`, from its values as float32; -0 is 0, as it is to every network.

    Rows of several inputs are a structured array `(n,)`; missing values of a table, NaN, are all equal.
    """
    if rows.dtype.names:
        fields = [digests(rows[name]) for name in rows.dtype.names]
        return [_digest(b"".join(parts)) for parts in zip(*fields, strict=True)]
    zero, nan = np.float32(0), np.float32(np.nan)
    has_nan = rows.dtype.kind == "f" and len(rows) > 0 and bool(np.isnan(np.min(rows)))
    if not has_nan:
        return [_digest((row.astype("<f4") + zero).tobytes()) for row in rows]
    return [_digest(np.where(np.isnan(row), nan, row.astype("<f4") + zero).tobytes()) for row in rows]


def numbered(rows: Rows) -> NDArray[np.uint64]:
    """Compute the digest of each row as a number, `(n,)`."""
    return by_chunk(lambda chunk: np.frombuffer(b"".join(digests(chunk)), np.uint64), rows)


def values(rows: Rows) -> Iterator[bytes]:
    """Yield the values of rows as little-endian float32, one input after the other."""
    for name in rows.dtype.names or ("",):
        for chunk in chunks(of_input(rows, name)):
            yield chunk.astype("<f4").tobytes()


def _digest(content: bytes) -> bytes:
    return hashlib.blake2b(content, digest_size=BYTES).digest()


def labelled(rows: NDArray[Any], labels: Labels) -> str:
    """Name rows and their labels `(n,)` by their content, in whatever order they come: a sha256."""
    pairs = {digest + label.tobytes() for digest, label in zip(digests(rows), labels.astype("<i8"), strict=True)}
    return hashlib.sha256(b"".join(sorted(pairs))).hexdigest()


def repeated(numbers: NDArray[np.uint64]) -> NDArray[np.bool_]:
    """Mark the rows whose digest `(n,)` an earlier one has."""
    marked = np.ones(len(numbers), bool)
    marked[np.unique(numbers, return_index=True)[1]] = False
    return marked
