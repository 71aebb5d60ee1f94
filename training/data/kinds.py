"""The kind of a column that the task does not name: one rule, told in the output."""

from dataclasses import dataclass
from pathlib import Path

import polars as pl

from training.data import values
from training.data.encoding import MEDIA_TYPES
from training.task import Kind

MOST_WRONG = 0.1
"""share of the values that may be none of the kind of their column; they count as missing, with a warning"""
_SAMPLE = 1000
_WORDS, _BYTES = 3, 40
"""of a text, on average: fewer are a category's"""


@dataclass(frozen=True)
class Guess:
    """The kind of a column, or None for one that is left out."""

    kind: Kind | None
    why: str = ""
    """of one that is left out"""


def guessed(series: pl.Series, decimal: str, folder: Path, *, alone: bool) -> Guess:
    """Guess the kind of a column.

    In this order: without a value, or with one value in all rows: left out. Booleans, and numbers in at least nine of
    ten values: a number, unless they are codes such as 00417; numbers that count the rows are left out. Dates of ISO
    8601, likewise: a date. Names of .png and .jpg files that exist: a picture. Over half of the values different, and on
    average of three words or 40 bytes: a text. All values different: left out, as an identifier. Anything else: a
    category. A column of texts that is the only one, and over half of whose values differ, is a text.
    """
    found = series.drop_nulls()
    if not len(found):
        return Guess(None, "no row has a value")
    distinct = found.n_unique()
    if distinct == 1 and len(found) == len(series):
        return Guess(None, "all rows have one value")
    if series.dtype.is_nested() or series.dtype == pl.Binary:
        return Guess(None, f"its values are of the type {series.dtype}")
    if series.dtype == pl.Boolean or values.is_number(series) or _is_numbers(found, decimal):
        return Guess(None, "it numbers the rows") if _counts(found, decimal) and len(found) == len(series) else Guess("number")
    if series.dtype.is_temporal() or _is_dates(found):
        return Guess("date")
    return _of_texts(values.texts(found).drop_nulls(), distinct, folder, alone=alone)


def _of_texts(found: pl.Series, distinct: int, folder: Path, *, alone: bool) -> Guess:
    sample = found.head(_SAMPLE)
    if all(Path(one).suffix.lower() in MEDIA_TYPES for one in sample) and (folder / sample[0]).is_file():
        return Guess("picture")
    words = float(sample.str.split(" ").list.len().mean() or 0)  # type: ignore[arg-type]
    length = float(sample.str.len_bytes().mean() or 0)  # type: ignore[arg-type]
    differ = 2 * distinct > len(found)
    if differ and (alone or words >= _WORDS or length >= _BYTES):
        return Guess("text")
    if distinct == len(found) and len(found) > 1:
        return Guess(None, "it has as many values as rows, as an identifier has")
    return Guess("category")


def _is_numbers(found: pl.Series, decimal: str) -> bool:
    read = values.numbers(found, decimal)
    if read.null_count() > MOST_WRONG * len(found):
        return False
    return not (found.str.contains(r"^0\d+$").any() and found.str.len_chars().n_unique() == 1)


def _is_dates(found: pl.Series) -> bool:
    return values.dates(found.head(_SAMPLE)).null_count() <= MOST_WRONG * min(len(found), _SAMPLE)


def _counts(found: pl.Series, decimal: str) -> bool:
    """Tell whether whole numbers are those of rows: all different, without a gap, and in order."""
    read = values.numbers(found, decimal)
    steps = read.diff().drop_nulls()
    return len(read) > 2 and bool((steps == 1).all())  # noqa: PLR2004 (any two numbers may follow each other)
