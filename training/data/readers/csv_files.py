"""CSV files of any usual delimiter, quoting, encoding and decimal sign.

Python's own parser reads them, for it refuses a broken quote and knows its line; cells go into columns by the chunk.
"""

import csv
import itertools
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any, TextIO

import polars as pl

from training.data.columns.frame import Frame
from training.data.readers.batching import batched
from training.data.readers.text_encoding import lines_of
from training.task import Data
from weir.errors import BadInput
from weir.inputs.cells import MISSING_WORDS

_DELIMITERS = ",;\t|"
_SNIFFED_LINES = 50
_LONGEST_CELL = 1 << 30
"""characters; Python's own limit, 131,072, refuses long texts"""
_DECIMAL_COMMA = re.compile(r"\s*[-+]?(\d+|\d{1,3}(\.\d{3})+),(\d{1,2}|\d{4,})\s*|\s*[-+]?0,\d+\s*")
"""a number that is no grouping of thousands, such as 1,234"""
_DECIMAL_POINT = re.compile(r"\s*[-+]?\d+\.(\d{1,2}|\d{4,})\s*|\s*[-+]?0\.\d+\s*")
_NUMBER = re.compile(r"\s*[-+]?[\d.,]+\s*")
_FALLBACKS = ("cp1252", "latin-1")


def read(path: Path, data: Data) -> Frame:
    """Read a file whose first line names the columns.

    Raises:
        BadInput: it has another encoding, a broken quote, no header, a name twice, or a line of more or fewer cells.
    """
    frames = list(batches(path, data))
    return replace(frames[0], columns=pl.concat([frame.columns for frame in frames]))


def batches(path: Path, data: Data) -> Iterator[Frame]:
    """Read a file, some rows at a time, of which the first tell the decimal sign. Raises as `read` does."""
    limit = csv.field_size_limit(_LONGEST_CELL)
    try:
        with lines_of(path, data.csv.encoding) as (lines, encoding):
            delimiter = data.csv.delimiter or _delimiter(lines)
            lines.seek(0)
            decimal: str | None = data.csv.decimal
            for columns in _columns(path, lines, delimiter):
                decimal = decimal or _decimal(columns)
                yield _told(Frame(columns, path.parent, decimal), path, data, encoding, delimiter)
    except csv.Error as exc:
        raise BadInput(f"{path.name} is a .csv", exc) from exc
    finally:
        csv.field_size_limit(limit)


def _told(frame: Frame, path: Path, data: Data, encoding: str, delimiter: str) -> Frame:
    """Say how a file is read."""
    shown = {"\t": "tab"}.get(delimiter, delimiter)
    note = f"{path.suffix.lower()} read as {encoding}, delimiter {shown}, decimal sign {frame.decimal}"
    warning = (f"{path.name} is not UTF-8; it is read as {encoding}",) if encoding in _FALLBACKS else ()
    return replace(frame, notes=(note,), warnings=() if data.csv.encoding else warning)


def _delimiter(lines: TextIO) -> str:
    """Choose the delimiter that divides the most of the first lines into as many cells as the header, then the most."""
    first = list(islice(filter(str.strip, lines), _SNIFFED_LINES))

    def fits(delimiter: str) -> tuple[bool, int, int]:
        try:
            counts = [len(cells) for cells in csv.reader(first, delimiter=delimiter)]
        except csv.Error:
            return False, 0, 0
        header = counts[0] if counts else 0
        return header > 1, counts.count(header) if header > 1 else 0, header

    return max(_DELIMITERS, key=fits)


def _columns(path: Path, lines: TextIO, delimiter: str) -> Iterator[pl.DataFrame]:
    """Yield the rows of a file, some at a time, and none at the end: a file without rows has columns."""
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    rows = _rows(path, reader)
    names = _names(path, next(rows, None))
    for chunk in itertools.chain(batched(rows, _characters), ([],)):
        for number, row in chunk:
            if len(row) != len(names):
                cells = f"a cell for each of its {len(names)} columns (delimiter {delimiter!r})"
                rule = f"each line of {path.name} has {cells}"
                raise BadInput(rule, f"{len(row)} in line {number}")
        yield _present(_chunk(names, [row for _, row in chunk]))


def _characters(row: tuple[int, list[str]]) -> int:
    return sum(map(len, row[1]))


def _present(frame: pl.DataFrame) -> pl.DataFrame:
    """Leave out the words that stand for no value."""
    words = sorted(MISSING_WORDS)
    return frame.with_columns(
        pl.when(pl.all().str.strip_chars().str.to_lowercase().is_in(words)).then(None).otherwise(pl.all()).name.keep()
    )


def _rows(path: Path, reader: Any) -> Iterator[tuple[int, list[str]]]:  # noqa: ANN401 (the type of csv's readers has no public name)
    """Yield the lines that are not blank, each with the number of the line on which it begins."""
    while True:
        start = reader.line_num + 1
        try:
            row = next(reader, None)
        except csv.Error as exc:
            rule = (
                f'a quote in {path.name} is closed before the next cell, and one inside of quotes is written twice ("")'
            )
            raise BadInput(rule, f"{exc}, in the row that begins on line {start}") from exc
        if row is None:
            return
        if any(cell.strip() for cell in row) or len(row) > 1:
            yield start, row


def _names(path: Path, header: tuple[int, list[str]] | None) -> list[str]:
    """Read the names of the columns; one without a name gets its number."""
    if header is None:
        raise BadInput(f"{path.name} has rows", "an empty file")
    names = [name.strip() or f"column {place}" for place, name in enumerate(header[1], 1)]
    if all(_NUMBER.fullmatch(name) for name in names):
        raise BadInput(f"the first line of {path.name} names the columns", ", ".join(names))
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise BadInput(f"the columns of {path.name} have different names", f"{twice[0]}, {names.count(twice[0])} times")
    return names


def _chunk(names: Sequence[str], rows: list[list[str]]) -> pl.DataFrame:
    cells = zip(*rows, strict=True) if rows else ([] for _ in names)
    return pl.DataFrame([pl.Series(name, list(column), pl.String) for name, column in zip(names, cells, strict=True)])


def _decimal(frame: pl.DataFrame) -> str:
    """Tell the decimal sign by the numbers of the first rows."""
    cells = [cell for column in frame.head(1000) for cell in column.to_list() if cell]
    commas, points = (sum(map(bool, map(sign.fullmatch, cells))) for sign in (_DECIMAL_COMMA, _DECIMAL_POINT))
    return "," if commas > points else "."
