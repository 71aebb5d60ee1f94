"""The encoding of a text file: as the task says, by its first bytes, UTF-8, or else Windows-1252."""

import codecs
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from weir.errors import BadInput

_BOMS = {  # UTF-32's first: UTF-16's begins it
    codecs.BOM_UTF32_LE: "utf-32",
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
    codecs.BOM_UTF8: "utf-8-sig",
}
_CHUNK = 1 << 20
_MANY_NULS = 0.25
"""share of the first bytes: a text in UTF-16 without a mark has about half"""


@contextmanager
def lines_of(path: Path, encoding: str | None) -> Iterator[tuple[TextIO, str]]:
    """Open a text file, with the line ends that it has; also return the name of its encoding.

    Raises:
        BadInput: the file can't be read, the encoding is unknown, or the file is in another.
    """
    try:
        name = _known(encoding) if encoding else _sniffed(path)
        with path.open(encoding=name, newline="") as lines:
            yield lines, name
    except OSError as exc:
        raise BadInput("data.path names files that can be read", exc) from exc
    except UnicodeError as exc:
        raise BadInput(f"{path.name} is text in {name}; data.csv.encoding names another", exc) from exc


def _known(name: str) -> str:
    try:
        "".encode(name)
    except (LookupError, ValueError) as exc:
        rule = "data.csv.encoding is an encoding of text that Python knows, such as utf-8 or cp1252"
        raise BadInput(rule, name) from exc
    return codecs.lookup(name).name


def _sniffed(path: Path) -> str:
    with path.open("rb") as file:
        start = file.read(4096)
    for mark, name in _BOMS.items():
        if start.startswith(mark):
            return name
    if start and start.count(0) > _MANY_NULS * len(start):
        return "utf-16-le" if start[1::2].count(0) > start[::2].count(0) else "utf-16-be"
    if 0 in start:
        raise BadInput("data.path names text, or files whose names end with their format", f"{path.name}: bytes of 0")
    return "utf-8" if _is_utf8(path) else "cp1252" if _decodes(path, "cp1252") else "latin-1"


def _is_utf8(path: Path) -> bool:
    return _decodes(path, "utf-8")


def _decodes(path: Path, encoding: str) -> bool:
    decoder = codecs.getincrementaldecoder(encoding)()
    try:
        with path.open("rb") as file:
            while chunk := file.read(_CHUNK):
                decoder.decode(chunk)
            decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True
