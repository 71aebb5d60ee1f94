"""Files of rows: one reader a format. Each gives a `Frame`, or a `Dataset` where files have no columns."""

from pathlib import Path

from training.data.columns.frame import Frame, joined
from training.data.columns.tabular import dataset
from training.data.dataset import Dataset
from training.data.readers import csv_files, folders, json_lines, parquet
from training.data.readers.files import found
from training.data.sources import npz
from training.task import Data
from weir.errors import BadInput

_FORMATS = {
    ".csv": csv_files.read,
    ".tsv": csv_files.read,
    ".txt": csv_files.read,
    ".parquet": parquet.read,
    ".pq": parquet.read,
    ".jsonl": json_lines.read,
    ".ndjson": json_lines.read,
}


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
            return npz.load(str(paths[0]))
        return dataset(read(paths, data), data)


def read(paths: tuple[Path, ...], data: Data) -> Frame:
    """Read files with the same columns, one below the other. Raises `BadInput`."""
    others = [path for path in paths if path.suffix.lower() not in _FORMATS]
    if others:
        rule = f"data.path names files of {', '.join(_FORMATS)}, one .npz, or a folder of pictures"
        raise BadInput(rule, others[0].name)
    frames = [_FORMATS[path.suffix.lower()](path, data) for path in paths]
    return joined(frames)


def _tables_in(folder: Path) -> tuple[Path, ...]:
    """List the tables of a folder, unless it has folders, as one of pictures does."""
    entries = sorted(folder.iterdir())
    tables = tuple(entry for entry in entries if entry.suffix.lower() in _FORMATS and entry.is_file())
    return () if any(entry.is_dir() for entry in entries) else tables
