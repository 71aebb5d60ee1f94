"""The cells of a .csv -> values of a column: the same texts stand for nothing, in training as in batch files."""

from collections.abc import Sequence

from weir.catalog.columns import Column, Number
from weir.errors import BadTensor

MISSING_WORDS = frozenset(("", "na", "n/a", "#n/a", "nan", "nil", "none", "null"))
"""cells that stand for no value, in lower case; those that pandas reads so, but for words that people may mean"""

_BOOLEANS = {"true": 1.0, "false": 0.0}


def is_missing(cell: str) -> bool:
    """Tell whether a cell stands for no value."""
    return cell.strip().lower() in MISSING_WORDS


def parsed(column: Column, cells: Sequence[str]) -> list[object]:
    """Read the cells of a column: numbers of a number's, texts of the others, None where there is no value.

    Raises:
        BadTensor: a cell of a number's column is none.
    """
    read = _number if isinstance(column, Number) else str.strip
    values: list[object] = []
    for row, cell in enumerate(cells):
        try:
            values.append(None if is_missing(cell) else read(cell))
        except ValueError as exc:
            got = repr(cell) if len(cells) == 1 else f"{cell!r} in row {row}"
            raise BadTensor(f"{column.name} is a number", got) from exc
    return values


def text(cell: str) -> str:
    """Read the cell of a text: empty where there is no value, as in training."""
    return "" if is_missing(cell) else cell


def _number(cell: str) -> float:
    word = cell.strip().lower()
    return _BOOLEANS[word] if word in _BOOLEANS else float(word)
