"""A .csv -> its header, if it has one, and its lines of cells."""

import csv
import io
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice

from weir.errors import BadBody
from weir.inputs.cells import MISSING_WORDS

_DELIMITERS = ",;\t"
_SNIFFED_LINES = 20
_FEWEST_NUMBERED = 4
"""cells of a header 0, 1, 2 …: a first row of fewer values may well be 0, or 0 and 1"""


def lines(data: bytes, cells: int) -> list[list[str]]:
    """Split a .csv into its lines, and these into cells, `cells` of them in most rows; blank lines are left out.

    Raises:
        BadBody: it is no UTF-8, or quotes what no .csv does.
    """
    return _read(data, lambda text: _delimiter(text, cells))


def named_lines(data: bytes, names: Iterable[str]) -> list[list[str]]:
    """Split a .csv whose first line has names, at the delimiter that finds the most of them there. Raises `BadBody`."""
    wanted = set(names)

    def found(text: str, delimiter: str) -> int:
        header: list[str] = next(_lines(text, delimiter), [])
        return len(wanted.intersection(cell.strip() for cell in header))

    return _read(data, lambda text: max(_DELIMITERS, key=lambda delimiter: found(text, delimiter)))


def _read(data: bytes, delimiter_of: Callable[[str], str]) -> list[list[str]]:
    try:
        text = data.decode("utf-8-sig")
        return list(_lines(text, delimiter_of(text)))
    except (UnicodeDecodeError, csv.Error) as exc:
        raise BadBody("a .csv is UTF-8 text, values separated by commas, semicolons or tabs", exc) from exc


def _lines(text: str, delimiter: str) -> Iterator[list[str]]:
    """Split a .csv into its lines, and these into cells; blank lines are left out."""
    return (line for line in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter) if line)


def _delimiter(text: str, cells: int) -> str:
    """Choose the delimiter that splits the most of the first lines into as many cells as a row has, or else the most.

    `csv.Sniffer` takes a digit for the delimiter of lines that have as many of it.
    """
    first = list(islice(filter(str.strip, io.StringIO(text)), _SNIFFED_LINES))

    def fits(delimiter: str) -> tuple[int, int]:
        found = [line.count(delimiter) + 1 for line in first]
        return found.count(cells), sum(found)

    return max(_DELIMITERS, key=fits)


def is_header(cells: Sequence[str]) -> bool:
    """Tell whether the cells of a first line are names: 0, 1, … or words, the first of which stands for no value.

    A row whose values are numbers but for some that are missing is a bad row, and no header.
    """
    names = [cell.strip() for cell in cells]
    numbered = len(names) >= _FEWEST_NUMBERED and names == [str(number) for number in range(len(names))]
    words = [any(map(str.isalpha, name)) and not _is_number(name) for name in names]
    only_words = any(words) and all(word or not name for word, name in zip(words, names, strict=True))
    return numbered or only_words or (words[0] and names[0].lower() not in _NO_HEADER)


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True


_NO_HEADER = MISSING_WORDS | {"missing", "unknown"}
"""words for a value that is not there, in lower case"""
