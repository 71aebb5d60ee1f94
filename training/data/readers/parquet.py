"""Parquet files."""

from pathlib import Path

import polars as pl

from training.data.columns.frame import Frame
from training.task import Data
from weir.errors import BadInput


def read(path: Path, data: Data) -> Frame:
    """Read a file. Raises `BadInput`."""
    del data
    try:
        return Frame(pl.read_parquet(path), path.parent)
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError) as exc:  # a panic is no Exception
        raise BadInput(f"{path.name} is a Parquet file", exc) from exc
