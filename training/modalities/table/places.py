"""Where the columns of a table stand in the array of a row."""

from collections.abc import Iterable

import numpy as np

from training.task import NetworkSpec
from weir.catalog.columns import Category, Column, width
from weir.catalog.inputs import Table
from weir.errors import BadInput


def places(table: Table) -> list[tuple[Column, slice]]:
    """Return every column with the places of its values."""
    ends = np.cumsum([width(column) for column in table.columns]).tolist()
    return [(column, slice(end - width(column), end)) for column, end in zip(table.columns, ends, strict=True)]


def of_numbers(table: Table, columns: Iterable[str] = ()) -> list[int]:
    """Return the places of numbers and parts of dates, of the named columns; none named: of all."""
    named = set(columns)
    return [
        place
        for column, where in places(table)
        if not isinstance(column, Category) and (not named or column.name in named)
        for place in range(where.start, where.stop)
    ]


def of_categories(table: Table, columns: Iterable[str] = ()) -> list[int]:
    """Return the places of categories, of the named columns; none named: of all."""
    named = set(columns)
    return [
        where.start
        for column, where in places(table)
        if isinstance(column, Category) and (not named or column.name in named)
    ]


def check_names(table: Table, columns: Iterable[str]) -> None:
    """Refuse columns that a table does not have, or that are named twice. Raises `BadInput`."""
    names = [column.name for column in table.columns]
    given = list(columns)
    if unknown := [name for name in given if name not in names]:
        raise BadInput(f"the columns of a network are some of {', '.join(names)}", ", ".join(unknown))
    if len(set(given)) != len(given):
        raise BadInput("the columns of a network are named once", ", ".join(given))


def check_changes(spec: NetworkSpec) -> None:
    """Refuse changes to training rows that only pictures have. Raises `BadInput`."""
    changes = {"shift": spec.shift, "flip": spec.flip, "erase": spec.erase}
    if given := [f"{key} = {value}" for key, value in changes.items() if value]:
        raise BadInput("the rows of a table are not shifted, mirrored or erased in training", ", ".join(given))
