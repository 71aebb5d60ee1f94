"""A folder per label, with pictures or texts in it."""

import os
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from training.data import label_names
from training.data.columns.encoding import MEDIA_TYPES, encoded_texts, stored_dtype
from training.data.columns.inputs import most_bytes_of
from training.data.columns.pictures import PictureFiles
from training.data.columns.targets import naturally
from training.data.dataset import Dataset
from training.data.readers.text_encoding import lines_of
from training.data.spool import RowSpool
from training.task import Data
from weir.catalog.inputs import Input, Text
from weir.errors import BadInput

_PARTS = {
    "train": "train",
    "training": "train",
    "val": "validation",
    "valid": "validation",
    "validation": "validation",
    "test": "test",
    "testing": "test",
}
_ORDER = ("train", "validation", "test")
_TEXT = ".txt"
_BATCH = 512
"""files that are encoded at a time"""


@dataclass
class _Walk:
    """Files of a folder, and what was odd on the way."""

    files: list[Path] = field(default_factory=list)
    ignored: Counter[str] = field(default_factory=Counter)
    warnings: list[str] = field(default_factory=list)


def read(folder: Path, data: Data) -> Dataset:
    """Read a folder: the name of the folder that a file is in is its label; that of one above it is a group of labels.

    Folders `train`, `val` and `test` at the top are parts: the last two are the data's own sets for validation and
    test. Files other than pictures are ignored with a warning; where there are no pictures, `.txt` files are texts.

    Raises:
        BadInput: there is no such file, none in a folder of its label, or none that can be read.
    """
    walk = _Walk()
    _enter(folder, {folder.resolve()}, walk)
    pictures = [path for path in walk.files if path.suffix.lower() in MEDIA_TYPES]
    files = pictures or [path for path in walk.files if path.suffix.lower() == _TEXT]
    if not files:
        seen = ", ".join(f"{count} {kind or 'without extension'}" for kind, count in walk.ignored.most_common(5))
        got = f"{folder}: {seen or 'no files'}"
        raise BadInput(f"data.path has folders of {', '.join(MEDIA_TYPES)}, or of .txt, one for each label", got)
    has_parts = _has_parts(folder, files)
    placed = sorted(
        (_place(folder, path, has_parts=has_parts) for path in files), key=lambda one: (*one[:2], str(one[2]))
    )
    placed = [one for one in placed if one[1]]
    if not placed:
        raise BadInput(
            "pictures are in folders named as their labels", f"{len(files)} files, all at the top of {folder}"
        )
    return _dataset(placed, walk, data, is_text=not pictures)


@dataclass(frozen=True)
class _Encoded:
    """The rows of files that could be read."""

    described: Input
    rows: RowSpool
    readable: NDArray[np.bool_]
    """`(files,)`"""
    warnings: tuple[str, ...] = ()


def _dataset(placed: list[tuple[int, tuple[str, ...], Path]], walk: _Walk, data: Data, *, is_text: bool) -> Dataset:
    paths = [path for _, _, path in placed]
    labels, names, hierarchy = _labels([label for _, label, _ in placed])
    encoded = _texts(paths, data) if is_text else _pictures(paths, data)
    kept = np.flatnonzero(encoded.readable)
    parts = np.array([part for part, _, _ in placed])[kept]
    starts = {part: int((parts < number).sum()) for number, part in enumerate(_ORDER) if (parts == number).any()}
    end = len(kept)
    ignored = sum(walk.ignored.values()) - (len(paths) if is_text else 0)
    others = [f"{ignored} other files are ignored"] if ignored > 0 else []
    return Dataset(
        encoded.rows.finished(),
        labels[kept],
        names,
        (encoded.described,),
        test_from=starts.get("test", end if "validation" in starts else None),
        validation_from=starts.get("validation"),
        near_duplicates=True,
        hierarchy=hierarchy,
        notes=(_told(names, hierarchy, starts),),
        warnings=(*walk.warnings, *others, *encoded.warnings),
    )


def _enter(folder: Path, above: set[Path], walk: _Walk) -> None:
    """Walk over a folder and those in it, but not into one that it is itself in, as a symbolic link may lead to."""
    try:
        entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
    except OSError as exc:
        walk.warnings.append(f"the folder {folder.name} can't be read: {exc.strerror}")
        return
    for entry in entries:
        path = Path(entry.path)
        if entry.name.startswith("."):
            continue
        try:
            resolved = path.resolve() if entry.is_symlink() else folder.resolve() / entry.name
        except (OSError, RuntimeError):
            resolved = None
        if resolved is None or resolved in above:
            walk.warnings.append(
                f"{path.name} in {folder.name} is a symbolic link to a folder around it; it is skipped"
            )
        elif path.is_dir():
            _enter(path, {*above, resolved}, walk)
        elif path.is_file():
            walk.files.append(path)
            if path.suffix.lower() not in MEDIA_TYPES:
                walk.ignored[path.suffix.lower()] += 1
        else:
            walk.warnings.append(f"{path.name} in {folder.name} is a symbolic link to nothing; it is skipped")


def _has_parts(folder: Path, files: list[Path]) -> bool:
    """Tell whether the folders at the top are parts, training's among them."""
    tops = {parts[0].lower() for path in files if len(parts := path.relative_to(folder).parts) > 1}
    return all(top in _PARTS for top in tops) and "train" in {_PARTS[top] for top in tops}


def _place(folder: Path, path: Path, *, has_parts: bool) -> tuple[int, tuple[str, ...], Path]:
    """Return the number of a file's part, the names of the folders that it is in, and its path."""
    names = path.relative_to(folder).parts[:-1]
    if names and has_parts:
        return _ORDER.index(_PARTS[names[0].lower()]), names[1:], path
    return 0, names, path


def _labels(given: list[tuple[str, ...]]) -> tuple[NDArray[np.int64], tuple[str, ...], dict[str, tuple[str, ...]]]:
    """Number the labels: names of the innermost folders, with those around them where a name is there twice."""
    different = sorted(set(given))
    last = Counter(names[-1] for names in different)
    named = {names: names[-1] if last[names[-1]] == 1 else "/".join(names) for names in different}
    names = label_names.given(np.array(naturally(sorted(named.values()))))
    hierarchy: dict[str, tuple[str, ...]] = {}
    for path in different:
        if len(path) > 1:
            hierarchy[path[0]] = (*hierarchy.get(path[0], ()), named[path])
    numbers = {name: number for number, name in enumerate(names)}
    return np.array([numbers[named[one]] for one in given], np.int64), names, hierarchy


def _pictures(paths: list[Path], data: Data) -> _Encoded:
    files, readable = PictureFiles.like("image", paths, data.picture), []
    spool = RowSpool(data.memory_mb << 20, stored_dtype((files.described,)))
    for start in range(0, len(paths), _BATCH):
        rows, own = files.rows(paths[start : start + _BATCH])
        spool.append(rows[own])
        readable.append(own)
    return _Encoded(files.described, spool, np.concatenate(readable), files.warnings())


def _texts(paths: list[Path], data: Data) -> _Encoded:
    most = data.text.most_bytes or most_bytes_of(pl.Series([len(text.encode()) for text in _contents(paths, data)]))
    text = Text(name="text", most_bytes=most, meaning="UTF-8")
    spool = RowSpool(data.memory_mb << 20, stored_dtype((text,)))
    for start in range(0, len(paths), _BATCH):
        spool.append(encoded_texts(text, list(_contents(paths[start : start + _BATCH], data))))
    return _Encoded(text, spool, np.ones(len(paths), bool))


def _contents(paths: list[Path], data: Data) -> Iterator[str]:
    for path in paths:
        with lines_of(path, data.csv.encoding) as (lines, _):
            yield lines.read()


def _told(names: tuple[str, ...], hierarchy: dict[str, tuple[str, ...]], starts: dict[str, int]) -> str:
    grouped = f" in {len(hierarchy)} groups" if hierarchy else ""
    own = [part for part in _ORDER[1:] if part in starts]
    return f"folders: {len(names)} labels{grouped}" + (f", own sets for {' and '.join(own)}" if own else "")
