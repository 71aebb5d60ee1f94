"""Columns of rows, as files have them."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from weir.errors import BadInput


@dataclass(frozen=True)
class Frame:
    """Named columns, and how they were read."""

    columns: pl.DataFrame
    """texts as the files have them, null where there is none; of typed files numbers, booleans and dates as well"""
    folder: Path
    """that of the files: paths of pictures start here"""
    decimal: str = "."
    """decimal sign of numbers that are texts"""
    notes: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


def joined(frames: Sequence[Frame]) -> Frame:
    """Put frames of the same columns one below the other.

    Raises:
        BadInput: their columns differ, or there is no row.
    """
    first, *others = frames
    names = first.columns.columns
    for other in others:
        if set(other.columns.columns) != set(names):
            different = set(other.columns.columns) ^ set(names)
            raise BadInput(
                "all files of data.path have the same columns", f"only some have {', '.join(sorted(different))}"
            )
    try:
        columns = pl.concat([frame.columns.select(names) for frame in frames], how="vertical_relaxed")
    except pl.exceptions.PolarsError:
        texts = [frame.columns.select(pl.col(names).cast(pl.String)) for frame in frames]
        columns = pl.concat(texts)
    if not columns.height:
        raise BadInput("data.path has rows", f"none below the columns {', '.join(names)}")
    notes = tuple(dict.fromkeys(note for frame in frames for note in frame.notes))
    warnings = tuple(dict.fromkeys(warning for frame in frames for warning in frame.warnings))
    decimal = "," if any(frame.decimal == "," for frame in frames) else "."
    return Frame(columns, first.folder, decimal, notes, warnings)
