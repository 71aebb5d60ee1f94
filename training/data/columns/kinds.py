"""The kind of a column that the task does not name: one rule, told in the output."""

import re
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from training.data.columns import values
from training.data.columns.encoding import MEDIA_TYPES
from training.task import Kind

MOST_WRONG = 0.1
"""share of the values that may be none of the kind of their column; they count as missing, with a warning"""
_SAMPLE = 1000
_FEW = 2
"""any two numbers may follow each other"""
_NAMED = re.compile(r"(?:^|[_ ])(?:id|ID|Id|uuid|index)$|[a-z]I[dD]$")
_WORDS, _BYTES = 3, 40
"""of a text, on average: fewer are a category's"""


@dataclass(frozen=True)
class Guess:
    """The kind of a column, or None for one that is left out."""

    kind: Kind | None
    why: str = ""
    """of one that is left out"""


def guessed(  # noqa: PLR0911 (a list of rules, the first of which applies)
    series: pl.Series, decimal: str, folder: Path, *, alone: bool
) -> Guess:
    """Guess the kind of a column.

    The first that applies:

    - without a value, with one value in all rows, or of lists or bytes: left out;
    - booleans; numbers in nine of ten values, unless they are codes such as 00417: a number. Whole numbers, all
      different, that count the rows or are named `id` or `…_id` are left out;
    - dates of ISO 8601 in nine of ten values: a date;
    - names of .png and .jpg files that exist: a picture;
    - over half of the values different, and on average three words or 40 bytes long, or in the only column: a text;
    - all values different: left out, as an identifier;
    - anything else: a category.
    """
    found = series.drop_nulls()
    if not len(found):
        return Guess(None, "no row has a value")
    if series.dtype.is_nested() or series.dtype == pl.Binary:
        return Guess(None, f"its values are of the type {series.dtype}")
    distinct = found.n_unique()
    if distinct == 1 and len(found) == len(series):
        return Guess(None, "all rows have one value")
    if series.dtype == pl.Boolean or values.is_number(series) or _is_numbers(found, decimal):
        if len(found) == len(series) == distinct and _is_identifier(found, decimal):
            return Guess(None, "it numbers the rows, as an identifier does")
        return Guess("number")
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


def _is_identifier(found: pl.Series, decimal: str) -> bool:
    """Tell whether different numbers are those of rows: whole, and without a gap and in order, or named so."""
    read = values.numbers(found, decimal)
    if len(read) <= _FEW or not bool((read == read.round()).all()):
        return False
    return bool(_NAMED.search(found.name)) or bool((read.diff().drop_nulls() == 1).all())
