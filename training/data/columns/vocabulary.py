"""The vocabulary of categories, settled on training rows."""

from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from weir.catalog.columns import FIRST_CODE, UNKNOWN, Category, width
from weir.catalog.inputs import Input, Table

FEWEST_ROWS = 5
"""training rows that an entry of a vocabulary has; rarer ones are unknown, so that networks learn what to do then"""
MOST_ENTRIES = 300
"""of a vocabulary: the most frequent"""


def settled(
    rows: NDArray[Any], inputs: tuple[Input, ...], train: NDArray[np.intp]
) -> tuple[NDArray[Any], tuple[Input, ...], tuple[str, ...]]:
    """Leave rare entries out of the vocabularies, and give their rows the code of unknown ones.

    Args:
        rows: of all splits, encoded with vocabularies that have every value of the data.
        inputs: with these vocabularies.
        train: numbers of the training rows.

    Returns:
        Rows and inputs with vocabularies of at most 300 entries, each in 5 training rows or more; and notes.
    """
    if not any(isinstance(one, Table) for one in inputs):
        return rows, inputs, ()
    settled_inputs: list[Input] = []
    notes: list[str] = []
    rows = rows.copy()
    for one in inputs:
        if not isinstance(one, Table):
            settled_inputs.append(one)
            continue
        values = rows[one.name] if rows.dtype.names else rows
        columns, place = [], 0
        for column in one.columns:
            if isinstance(column, Category):
                column = _settle(values[:, place], column, train)  # noqa: PLW2901
                notes += _note(column, next(c for c in one.columns if c.name == column.name))
            columns.append(column)
            place += width(column)
        settled_inputs.append(msgspec.structs.replace(one, columns=tuple(columns)))
    return rows, tuple(settled_inputs), tuple(notes)


def _settle(codes: NDArray[Any], column: Category, train: NDArray[np.intp]) -> Category:
    """Give the codes `(n,)` of a column their places in the shorter vocabulary; entries keep their order."""
    counts = np.bincount(codes[train].astype(np.int64), minlength=column.codes)[FIRST_CODE:]
    most = np.argsort(-counts, kind="stable")[:MOST_ENTRIES]
    kept = np.sort(most[counts[most] >= FEWEST_ROWS])
    places = np.full(column.codes, UNKNOWN)
    places[0] = 0
    places[FIRST_CODE + kept] = FIRST_CODE + np.arange(len(kept))
    codes[:] = places[codes.astype(np.int64)]
    return msgspec.structs.replace(column, vocabulary=tuple(column.vocabulary[number] for number in kept.tolist()))


def _note(column: Category, before: object) -> list[str]:
    assert isinstance(before, Category)
    left = len(before.vocabulary) - len(column.vocabulary)
    if not left:
        return []
    rule = f"in fewer than {FEWEST_ROWS} training rows" if len(column.vocabulary) < MOST_ENTRIES else "rarer"
    return [f"{column.name}: {len(column.vocabulary)} categories; {left} {rule} count as unknown"]
