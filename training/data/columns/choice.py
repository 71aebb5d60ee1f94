"""Which columns networks read, and as what."""

from dataclasses import dataclass

import polars as pl

from training.data.columns import values
from training.data.columns.frame import Frame
from training.data.columns.kinds import MOST_WRONG, guessed
from training.task import Data, Kind
from weir.errors import BadInput


@dataclass(frozen=True)
class Chosen:
    """The columns that networks read, in the order of the files."""

    kinds: dict[str, Kind]
    warnings: tuple[str, ...]


def choose(frame: Frame, data: Data) -> Chosen:
    """Choose the columns: all but the target, those ignored, and those that hold nothing to learn from.

    The columns of groups and times are read only if the task gives them a kind.

    Raises:
        BadInput: a column is not of the kind that the task gives it, or none is left.
    """
    aside = {data.target, *data.ignore, *({data.group, data.time} - set(data.columns))}
    names = [name for name in frame.columns.columns if name not in aside]
    kinds: dict[str, Kind] = {}
    left_out: list[str] = []
    warnings: list[str] = []
    for name in names:
        series = frame.columns[name]
        kind = data.columns.get(name)
        if kind is None:
            guess = guessed(series, frame.decimal, frame.folder, alone=len(names) == 1)
            if guess.kind is None:
                left_out.append(f"{name} is left out: {guess.why}")
                continue
            kind = guess.kind
        elif not len(series.drop_nulls()):
            raise BadInput(f"data.columns gives a kind to columns with values; {name}", "no row has one")
        warnings += _odd(series, kind, frame.decimal)
        kinds[name] = kind
    if not kinds:
        raise BadInput("the data have columns beside the target to learn from", "; ".join(left_out) or "none")
    return Chosen(kinds, (*left_out, *warnings))


def odd_values(frame: Frame, chosen: Chosen) -> dict[str, str]:
    """Warn of values of further rows that are none of the kind of their column, by its name.

    Raises:
        BadInput: there are many.
    """
    found = {name: _odd(frame.columns[name], kind, frame.decimal) for name, kind in chosen.kinds.items()}
    return {name: warnings[0] for name, warnings in found.items() if warnings}


def _odd(series: pl.Series, kind: Kind, decimal: str) -> list[str]:
    """Warn of values that are none of the kind of their column, and of mixed ones. Raises `BadInput` for many."""
    if kind in ("number", "date"):
        read = values.numbers(series, decimal) if kind == "number" else values.dates(series)
        wrong = series.is_not_null() & read.is_null()
        if not (count := int(wrong.sum())):
            return []
        example = series.filter(wrong)[0]
        if count > MOST_WRONG * (len(series) - series.null_count()):
            rule = f"a column of the kind {kind} has {'numbers' if kind == 'number' else 'dates of ISO 8601'}"
            raise BadInput(f"{rule}; {series.name}", f"{count} other values, such as {example}")
        return [f"{series.name}: {count} values are no {kind}s, such as {example!r}; they count as missing"]
    if kind == "category" and series.dtype == pl.String:
        read = values.numbers(series, decimal)
        found, given = len(read) - read.null_count(), len(series) - series.null_count()
        if MOST_WRONG * given < found < given:
            return [f"{series.name}: {found} of {given} values are numbers, the others texts; it is read as a category"]
    return []
