"""JSON Lines: an object of named values a line."""

from collections.abc import Iterator
from pathlib import Path

import msgspec
import polars as pl

from training.data.columns.frame import Frame
from training.data.readers.text_encoding import lines_of
from training.task import Data
from weir.errors import BadInput

_decoder = msgspec.json.Decoder(dict[str, str | bool | int | float | None])


def read(path: Path, data: Data) -> Frame:
    """Read a file; a value that a line does not name is null. Raises `BadInput`."""
    del data
    objects = list(_objects(path))
    names = list(dict.fromkeys(name for one in objects for name in one))
    if not names:
        raise BadInput(f"{path.name} has rows", "none")
    columns = [_column(name, [one.get(name) for one in objects]) for name in names]
    return Frame(pl.DataFrame(columns), path.parent)


def _objects(path: Path) -> Iterator[dict[str, str | bool | int | float | None]]:
    with lines_of(path, None) as (lines, _):
        for number, line in enumerate(lines, 1):
            if not line.strip():
                continue
            try:
                yield _decoder.decode(line)
            except (msgspec.MsgspecError, UnicodeEncodeError) as exc:
                rule = f"each line of {path.name} is a JSON object of texts, numbers, booleans and nulls"
                raise BadInput(rule, f"line {number}: {exc}") from exc


def _column(name: str, values: list[str | bool | int | float | None]) -> pl.Series:
    """Make a column of one type: booleans, numbers, or else texts."""
    types = {type(value) for value in values if value is not None}
    if types <= {bool}:
        return pl.Series(name, values, pl.Boolean)
    if types <= {int, float}:
        whole = types == {int} and all(abs(value) < 2**63 for value in values if isinstance(value, int))
        numbers = values if whole else [None if value is None else float(value) for value in values]
        return pl.Series(name, numbers, pl.Int64 if whole else pl.Float64)
    return pl.Series(name, [None if value is None else _text(value) for value in values], pl.String)


def _text(value: str | float) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
