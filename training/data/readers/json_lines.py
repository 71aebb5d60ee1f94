"""JSON Lines: an object of named values a line."""

from collections.abc import Iterator, Sequence
from operator import itemgetter
from pathlib import Path

import msgspec
import polars as pl

from training.data.columns.frame import Frame
from training.data.readers.batching import batched
from training.data.readers.text_encoding import lines_of
from training.task import Data
from weir.errors import BadInput

_Object = dict[str, str | bool | int | float | None]
_decoder = msgspec.json.Decoder(_Object)


def read(path: Path, data: Data) -> Frame:
    """Read a file; a value that a line does not name is null. Raises `BadInput`."""
    del data
    return _frame(path, [one for _, one in _objects(path)], ())


def batches(path: Path, data: Data) -> Iterator[Frame]:
    """Read a file, some rows at a time; its columns are those that the first of them name. Raises `BadInput`."""
    del data
    names: tuple[str, ...] = ()
    for batch in batched(_objects(path), itemgetter(0)):
        frame = _frame(path, [one for _, one in batch], names)
        names = tuple(frame.columns.columns)
        yield frame


def _frame(path: Path, objects: list[_Object], names: Sequence[str]) -> Frame:
    """Make columns of objects: those named, or else all that one has."""
    own = list(dict.fromkeys(name for one in objects for name in one))
    if not own:
        raise BadInput(f"{path.name} has rows", "none")
    others = set(own) - set(names) if names else set()
    told = f"{path.name} has columns that its first rows do not have, which are left out: "
    columns = [_column(name, [one.get(name) for one in objects]) for name in names or own]
    return Frame(pl.DataFrame(columns), path.parent, warnings=(told + ", ".join(sorted(others)),) if others else ())


def _objects(path: Path) -> Iterator[tuple[int, _Object]]:
    """Yield the length of each line, and its object."""
    with lines_of(path, None) as (lines, _):
        for number, line in enumerate(lines, 1):
            if not line.strip():
                continue
            try:
                yield len(line), _decoder.decode(line)
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
