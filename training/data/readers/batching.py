"""How many rows are read at a time."""

from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

MOST_ROWS = 50_000
"""also those by which the kinds of columns are guessed, where files are larger than memory"""
MOST_BYTES = 64 << 20

T = TypeVar("T")


def batched(rows: Iterable[T], size: Callable[[T], int]) -> Iterator[list[T]]:
    """Collect rows into lists of at most 50,000, of at most about 64 MiB by their sizes; none is empty."""
    batch: list[T] = []
    total = 0
    for row in rows:
        batch.append(row)
        total += size(row)
        if len(batch) == MOST_ROWS or total >= MOST_BYTES:
            yield batch
            batch, total = [], 0
    if batch:
        yield batch
