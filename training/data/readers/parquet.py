"""Parquet files."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import polars as pl

from training.data.columns.frame import Frame
from training.data.readers.batching import MOST_BYTES, MOST_ROWS
from training.task import Data
from weir.errors import BadInput

UNPACKED = 4
"""times as much memory as a file takes, about"""


def read(path: Path, data: Data) -> Frame:
    """Read a file. Raises `BadInput`."""
    del data
    with _explained(path):
        return Frame(pl.read_parquet(path), path.parent)


def batches(path: Path, data: Data) -> Iterator[Frame]:
    """Read a file, some rows at a time. Raises `BadInput`."""
    del data
    with _explained(path):
        lazy = pl.scan_parquet(path)
        count = lazy.select(pl.len()).collect().item()
    each = max(1, min(MOST_ROWS, MOST_BYTES * count // (UNPACKED * path.stat().st_size)))
    for start in range(0, count, each):
        with _explained(path):
            part = lazy.slice(start, each).collect()
        yield Frame(part, path.parent)


@contextmanager
def _explained(path: Path) -> Iterator[None]:
    try:
        yield
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError) as exc:  # a panic is no Exception
        raise BadInput(f"{path.name} is a Parquet file", exc) from exc
