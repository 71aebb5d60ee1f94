"""A row of a table as a file that a person can read, such as the body of a request has it."""

import json
import math
from datetime import UTC, datetime, timedelta

from training.modalities.table.places import places
from weir.catalog.columns import FIRST_CODE, Category, Column, Date
from weir.catalog.inputs import Table
from weir.engine.arrays import Floats

EXTENSION = ".json"

Value = str | float | int | bool | None


def file(row: Floats, table: Table) -> bytes:
    """Write one row `(values,)` as JSON: column -> value in words, null where it is missing."""
    values = {column.name: _value(column, row[where].tolist()) for column, where in places(table)}
    return (json.dumps(values, ensure_ascii=False, indent=1) + "\n").encode()


def _value(column: Column, values: list[float]) -> Value:
    first = values[0]
    if math.isnan(first):
        return None
    if isinstance(column, Category):
        return column.vocabulary[int(first) - FIRST_CODE] if first >= FIRST_CODE else None
    if isinstance(column, Date):
        return _date(first, values[-1])
    match column.datatype:
        case "BOOL":
            return bool(first)
        case "INT64":
            return int(first)
        case _:
            return first


def _date(days: float, hours: float) -> str:
    midnight = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(days=math.floor(days))
    if math.isnan(hours) or not hours:
        return midnight.date().isoformat()
    return (midnight + timedelta(hours=hours)).isoformat(timespec="minutes").removesuffix("+00:00")
