"""Parquet files."""

from pathlib import Path

import polars as pl

from training.data.frame import Frame
from training.task import Data
from weir.errors import BadInput


def read(path: Path, data: Data) -> Frame:
    """Read a file. Raises `BadInput`."""
    del data
    try:
        return Frame(pl.read_parquet(path), path.parent)
    except (pl.exceptions.PolarsError, OSError) as exc:
        raise BadInput(f"{path.name} is a Parquet file", exc) from exc
