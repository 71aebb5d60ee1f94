"""A row of a table in words, as a request has it."""

import itertools
import json
import math
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from training.modalities.table.places import places
from weir.catalog.columns import FIRST_CODE, UNKNOWN, Category, Column, Date
from weir.catalog.inputs import Table
from weir.engine.arrays import Floats

EXTENSION = ".json"

Value = str | float | int | bool | None


def record(row: Floats, table: Table) -> dict[str, Value]:
    """Return the values of one row `(values,)` by column, None where there is none.

    The entry of an unknown category is not known; in its place is a text that is in no vocabulary.
    """
    return {column.name: _value(column, row[where].tolist()) for column, where in places(table)}


def written(values: Mapping[str, object]) -> bytes:
    """Write values by name as JSON for a person."""
    return (json.dumps(values, ensure_ascii=False, indent=1) + "\n").encode()


def _value(column: Column, values: list[float]) -> Value:
    first = values[0]
    if math.isnan(first):
        return None
    if isinstance(column, Category):
        return _entry(column, int(first))
    if isinstance(column, Date):
        return _date(first, values[-1])
    match column.datatype:
        case "BOOL":
            return bool(first)
        case "INT64":
            return int(first)
        case _:
            return first


def _entry(column: Category, code: int) -> str | None:
    if code == UNKNOWN:
        return next(text for length in itertools.count(1) if (text := "?" * length) not in column.vocabulary)
    return column.vocabulary[code - FIRST_CODE] if code >= FIRST_CODE else None


def _date(days: float, hours: float) -> str:
    """Write a moment to the second; days of FP32 tell the day, but not the minute."""
    hours = 0 if math.isnan(hours) else hours
    moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(days=round(days - hours / 24), seconds=round(hours * 3600))
    if not hours:
        return moment.date().isoformat()
    return moment.isoformat(timespec="seconds" if moment.second else "minutes").removesuffix("+00:00")
