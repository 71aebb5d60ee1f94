"""Columns of rows, as files have them."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
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

    def like(self, first: "Frame") -> "Frame":
        """Put the columns into the order of another frame. Raises `BadInput` if they are not the same."""
        names, own = first.columns.columns, self.columns.columns
        if set(own) != set(names):
            different = ", ".join(sorted(set(own) ^ set(names)))
            raise BadInput("all files of data.path have the same columns", f"only some have {different}")
        return replace(self, columns=self.columns.select(names))


def joined(frames: Sequence[Frame]) -> Frame:
    """Put frames of the same columns one below the other.

    Raises:
        BadInput: their columns differ, or there is no row.
    """
    first = frames[0]
    names = first.columns.columns
    frames = [frame.like(first) for frame in frames]
    try:
        columns = pl.concat([frame.columns for frame in frames], how="vertical_relaxed")
    except pl.exceptions.PolarsError:
        texts = [frame.columns.select(pl.all().cast(pl.String)) for frame in frames]
        columns = pl.concat(texts)
    if not columns.height:
        raise BadInput("data.path has rows", f"none below the columns {', '.join(names)}")
    notes = tuple(dict.fromkeys(note for frame in frames for note in frame.notes))
    warnings = tuple(dict.fromkeys(warning for frame in frames for warning in frame.warnings))
    decimal = "," if any(frame.decimal == "," for frame in frames) else "."
    return Frame(columns, first.folder, decimal, notes, warnings)
