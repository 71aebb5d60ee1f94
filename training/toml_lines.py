"""Where in a TOML file a key stands, for messages about it."""

import re
from collections.abc import Iterator, Sequence

Path = tuple[str | int, ...]
"""keys of tables, and numbers of entries in an array, from the top of the file"""

_HEADER = re.compile(r"^\s*(\[\[?)\s*(.+?)\s*\]\]?\s*(#.*)?$")
_KEY = re.compile(r"""^\s*((?:"[^"]*"|'[^']*'|[\w-]+)(?:\s*\.\s*(?:"[^"]*"|'[^']*'|[\w-]+))*)\s*=""")
_PART = re.compile(r""""[^"]*"|'[^']*'|[\w-]+""")


def path_of(message: str) -> Path:
    """Read the path of an error of msgspec, such as ``$.levels[0].name``; `[...]`, any key of a table, ends it."""
    found = re.search(r"`\$([^`]*)`", message)
    parts = re.findall(r"\.([^.\[]+)|\[(\d+)\]|(\[\.\.\.\])", found.group(1)) if found else []
    path: list[str | int] = []
    for key, number, any_key in parts:
        if any_key:
            break
        path.append(key or int(number))
    return tuple(path)


def line_of(text: str, path: Path) -> int | None:
    """Return the number of the line, from 1, on which a key stands, or else the table that it would be in.

    Keys inside of inline tables and of texts over several lines are not looked for.
    """
    best, length = None, 0
    for number, found in _keys(text):
        shared = _shared(found, path)
        if shared > length and shared >= min(len(found), len(path)):
            best, length = number, shared
    return best


def _keys(text: str) -> Iterator[tuple[int, Path]]:
    """Walk over the headers and keys of a file."""
    table: Path = ()
    counts: dict[Path, int] = {}
    for number, line in enumerate(text.splitlines(), 1):
        if header := _HEADER.match(line):
            table = _split(header.group(2))
            if header.group(1) == "[[":
                counts[table] = counts.get(table, -1) + 1
            table = _numbered(table, counts)
            yield number, table
        elif key := _KEY.match(line):
            yield number, (*table, *_split(key.group(1)))


def _split(dotted: str) -> Path:
    return tuple(part.strip("\"'") for part in _PART.findall(dotted))


def _numbered(table: Path, counts: dict[Path, int]) -> Path:
    """Put the number of the last entry behind each array of tables on the way."""
    path: list[str | int] = []
    for end, key in enumerate(table, 1):
        path.append(key)
        if (last := counts.get(table[:end])) is not None:
            path.append(last)
    return tuple(path)


def _shared(one: Sequence[str | int], other: Sequence[str | int]) -> int:
    length = 0
    for a, b in zip(one, other, strict=False):
        if a != b:
            break
        length += 1
    return length
