"""The vocabulary of categories, settled on training rows."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from training.data.columns.targets import naturally
from training.data.rows import Rows, chunks, take
from training.data.spool import changed
from weir.catalog.columns import FIRST_CODE, MISSING, UNKNOWN, Category, width
from weir.catalog.inputs import Input, Table

FEWEST_ROWS = 5
"""training rows that an entry of a vocabulary has; rarer ones are unknown, so that networks learn what to do then"""
MOST_ENTRIES = 300
"""of a vocabulary: the most frequent"""


def settled(
    rows: Rows, inputs: tuple[Input, ...], train: NDArray[np.intp]
) -> tuple[Rows, tuple[Input, ...], tuple[str, ...]]:
    """Leave rare entries out of the vocabularies, and give their rows the code of unknown ones.

    Args:
        rows: of all splits, encoded with vocabularies that have every value of the data.
        inputs: with these vocabularies.
        train: numbers of the training rows.

    Returns:
        Rows and inputs with vocabularies of at most 300 entries, each in 5 training rows or more; and notes.
    """
    categories = _categories(inputs)
    if not categories:
        return rows, inputs, ()
    counted = _counted(take(rows, train), categories)
    changes = [_settle(one, counts) for one, counts in zip(categories, counted, strict=True)]
    after = {(change.of.input, change.of.column.name): change.column for change in changes}
    settled_inputs = tuple(_with_columns(one, after) for one in inputs)
    notes = tuple(change.note for change in changes if change.note)
    return changed(rows, partial(_recoded, changes)), settled_inputs, notes


@dataclass(frozen=True)
class _Coded:
    """A category, and where its code is."""

    input: str
    place: int
    """in a row of the input"""
    column: Category

    def codes(self, rows: NDArray[Any]) -> NDArray[Any]:
        """Return the view `(n,)` of its codes."""
        return (rows[self.input] if rows.dtype.names else rows)[:, self.place]


@dataclass(frozen=True)
class _Change:
    """New codes of the entries of a vocabulary."""

    of: _Coded
    codes: NDArray[np.intp]
    """old code -> new code"""
    column: Category
    note: str


def _categories(inputs: tuple[Input, ...]) -> list[_Coded]:
    found: list[_Coded] = []
    for one in inputs:
        place = 0
        for column in one.columns if isinstance(one, Table) else ():
            if isinstance(column, Category):
                found.append(_Coded(one.name, place, column))
            place += width(column)
    return found


def _with_columns(one: Input, after: Mapping[tuple[str, str], Category]) -> Input:
    if not isinstance(one, Table):
        return one
    columns = tuple(after.get((one.name, column.name), column) for column in one.columns)
    return msgspec.structs.replace(one, columns=columns)


def _counted(rows: Rows, categories: list[_Coded]) -> list[NDArray[np.intp]]:
    """Count the rows of each entry of each vocabulary."""
    counts = [np.zeros(one.column.codes, np.intp) for one in categories]
    for chunk in chunks(rows):
        for number, one in enumerate(categories):
            counts[number] += np.bincount(one.codes(chunk).astype(np.int64), minlength=one.column.codes)
    return [count[FIRST_CODE:] for count in counts]


def _settle(one: _Coded, counts: NDArray[np.intp]) -> _Change:
    """Choose the entries that stay, in natural order."""
    vocabulary = one.column.vocabulary
    most = np.argsort(-counts, kind="stable")[:MOST_ENTRIES]
    numbers = {vocabulary[number]: number for number in most[counts[most] >= FEWEST_ROWS].tolist()}
    kept = tuple(naturally(list(numbers)))
    codes = np.full(one.column.codes, UNKNOWN)
    codes[MISSING] = MISSING
    for place, name in enumerate(kept):
        codes[FIRST_CODE + numbers[name]] = FIRST_CODE + place
    column = msgspec.structs.replace(one.column, vocabulary=kept)
    return _Change(one, codes, column, _note(one.column, column))


def _recoded(changes: list[_Change], rows: NDArray[Any]) -> NDArray[Any]:
    for change in changes:
        own = change.of.codes(rows)
        own[:] = change.codes[own.astype(np.int64)]
    return rows


def _note(before: Category, after: Category) -> str:
    left = len(before.vocabulary) - len(after.vocabulary)
    if not left:
        return ""
    rule = f"in fewer than {FEWEST_ROWS} training rows" if len(after.vocabulary) < MOST_ENTRIES else "rarer"
    return f"{after.name}: {len(after.vocabulary)} categories; {left} {rule} count as unknown"
