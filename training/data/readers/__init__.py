"""Files of rows: one reader a format. Each gives a `Frame`, or a `Dataset` where files have no columns."""

from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

from training.data.columns.frame import Frame, joined
from training.data.columns.tabular import dataset
from training.data.dataset import Dataset
from training.data.readers import csv_files, folders, json_lines, parquet
from training.data.readers.files import found
from training.data.sources import npz
from training.task import Data
from weir.errors import BadInput


class _Format(Protocol):
    """Interface of the reader of a format."""

    def read(self, path: Path, data: Data) -> Frame:
        """Read a file. Raises `BadInput`."""

    def batches(self, path: Path, data: Data) -> Iterator[Frame]:
        """Read a file, some rows at a time. Raises `BadInput`."""


_FORMATS: dict[str, _Format] = {
    ".csv": csv_files,
    ".tsv": csv_files,
    ".txt": csv_files,
    ".parquet": parquet,
    ".pq": parquet,
    ".jsonl": json_lines,
    ".ndjson": json_lines,
}
_UNPACKED = {".parquet": parquet.UNPACKED, ".pq": parquet.UNPACKED}


def load(data: Data) -> Dataset:
    """Load the files of `data.path`.

    Raises:
        BadInput: there are none, one can't be read, or they are no rows with labels.
        StoreUnavailable: S3 or the AWS profile refuses.
    """
    with found(data.path) as files:
        if files.folder is not None and not _tables_in(files.folder):
            return folders.read(files.folder, data)
        paths = files.paths if files.folder is None else _tables_in(files.folder)
        if paths[0].suffix.lower() == ".npz":
            if len(paths) > 1:
                raise BadInput("one .npz is read at a time", f"{len(paths)} files")
            return npz.load(str(paths[0]), data.memory_mb << 20)
        return dataset(_frames(paths, data), data)


def _frames(paths: tuple[Path, ...], data: Data) -> Iterator[Frame]:
    """Read files whole, or some rows at a time where they are larger than memory. Raises `BadInput`."""
    if sum(path.stat().st_size * _UNPACKED.get(path.suffix.lower(), 1) for path in paths) <= data.memory_mb << 20:
        yield read(paths, data)
        return
    _check_formats(paths)
    first: Frame | None = None
    for path in paths:
        for frame in _FORMATS[path.suffix.lower()].batches(path, data):
            first = first or frame
            yield frame.like(first)
    if first is None:
        raise BadInput("data.path has rows", "none")


def read(paths: tuple[Path, ...], data: Data) -> Frame:
    """Read files with the same columns, one below the other. Raises `BadInput`."""
    _check_formats(paths)
    return joined([_FORMATS[path.suffix.lower()].read(path, data) for path in paths])


def _check_formats(paths: tuple[Path, ...]) -> None:
    others = [path for path in paths if path.suffix.lower() not in _FORMATS]
    if others:
        rule = f"data.path names files of {', '.join(_FORMATS)}, one .npz, or a folder of pictures"
        raise BadInput(rule, others[0].name)


def _tables_in(folder: Path) -> tuple[Path, ...]:
    """List the tables of a folder, unless it has folders, as one of pictures does."""
    entries = sorted(folder.iterdir())
    tables = tuple(entry for entry in entries if entry.suffix.lower() in _FORMATS and entry.is_file())
    return () if any(entry.is_dir() for entry in entries) else tables
