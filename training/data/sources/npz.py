"""A file of your own: `numpy.savez(file, x=…, y=…)`, optionally with `x_test` and `y_test`, and `label_names`.

`x` are pictures, or `(rows, columns)` of numbers, whose names are in `column_names`.
"""

import lzma
import sys
import tokenize
import zipfile
import zlib
from collections.abc import Collection, Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from training.data import label_names
from training.data.dataset import Dataset
from training.data.rows import Rows, chunks
from training.data.sources import npz_stream
from training.data.spool import joined, spooled
from training.modalities.picture.reading import colour, grey
from weir.catalog.columns import Number
from weir.catalog.inputs import Input, Table
from weir.errors import BadInput

_UNREADABLE = (
    OSError,
    ValueError,  # objects, or what is no number
    OverflowError,  # a shape
    EOFError,
    TypeError,
    AttributeError,  # a file of one array
    RuntimeError,  # encrypted
    tokenize.TokenError,  # a header of an array
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
)
"""what numpy and the readers of its compressions raise for a file that is no such file"""


_LARGE = ("x", "x_test")
"""arrays that may be larger than memory"""


def load(path: str, most_bytes: int = sys.maxsize) -> Dataset:
    """Load a file; pixels are taken to be 0 to 255, and NaN in a table for a missing value.

    Rows of a file whose arrays take more than `most_bytes` are kept in a temporary file.

    Raises:
        BadInput: it can't be read, lacks `x` or `y`, has only one of `x_test` and `y_test`, or `x` are neither pictures
            nor a table; a row has no label, or the names of the labels break their rules.
    """
    rows = _stored(path, most_bytes)
    found = arrays(path, but=tuple(rows))
    rows |= {name: found[name] for name in _LARGE if name in found}
    if not ("x" in rows and "y" in found) or ("x_test" in rows) != ("y_test" in found):
        raise BadInput("data.path has the arrays x and y, and x_test and y_test or neither", ", ".join(found))
    x, y = _labelled(rows, found, "x", "y")
    test_from = None
    if "x_test" in rows:
        test_from = len(x)
        x_test, y_test = _labelled(rows, found, "x_test", "y_test")
        if x.shape[1:] != x_test.shape[1:]:
            raise BadInput(f"rows of x_test have the shape of those of x, {x.shape[1:]}", x_test.shape[1:])
        x, y = joined([x, x_test]), np.concatenate([y, y_test])
    described = _described(x, found.get("column_names"))
    names = label_names.given(found["label_names"]) if "label_names" in found else label_names.numbered(y)
    return Dataset(x, y, names, (described,), test_from)


def _described(x: Rows, names: NDArray[np.generic] | None) -> Input:
    """Describe rows `(rows, columns)`, `(rows, height, width)` or `(rows, height, width, 3)`. Raises `BadInput`."""
    match len(x.shape):
        case 2:
            return _table(x, names)
        case 4:
            return colour(x)
        case _:
            return grey(x)


def _table(x: Rows, names: NDArray[np.generic] | None) -> Table:
    """Describe the table of an array `(rows, columns)`. Raises `BadInput`."""
    if x.dtype.kind not in "fiub" or 0 in x.shape:
        raise BadInput("a table x has rows and columns of numbers", f"{x.dtype} {x.shape}")
    named = [f"x{place}" for place in range(x.shape[1])] if names is None else [str(name) for name in names.ravel()]
    if len(set(named)) != x.shape[1] or len(named) != x.shape[1]:
        raise BadInput(f"column_names has {x.shape[1]} different names", ", ".join(named))
    no_number = [np.isnan(chunk).any(axis=0) for chunk in chunks(x)] if x.dtype.kind == "f" else []
    missing = np.any(no_number, axis=0) if no_number else np.zeros(x.shape[1], bool)
    columns = tuple(Number(name=name, optional=bool(any_)) for name, any_ in zip(named, missing, strict=True))
    return Table(name="table", columns=columns)


def _labelled(
    rows: Mapping[str, Rows], found: Mapping[str, NDArray[np.generic]], name: str, labels: str
) -> tuple[Rows, NDArray[np.generic]]:
    """Take rows and their labels out of the arrays, by the names of both; there is a label for each row."""
    x, y = rows[name], found[labels]
    if not x.shape or y.shape != x.shape[:1]:
        raise BadInput(f"{labels} has one label for each row of {name}", f"{labels} {y.shape}, {name} {x.shape}")
    return x, y


def _stored(path: str, most_bytes: int) -> dict[str, Rows]:
    """Keep the rows of a file that takes more than some bytes in another one; none of a file that takes less.

    Raises:
        BadInput: they can't be read.
        Unavailable: they can't be written.
    """
    try:
        if npz_stream.unpacked_bytes(path) <= most_bytes:
            return {}
    except _UNREADABLE:  # as numpy will say
        return {}
    try:
        return {name: spooled(npz_stream.batches(path, name)) for name in _LARGE if name in npz_stream.names(path)}
    except _UNREADABLE as exc:
        raise BadInput("data.path is a file that numpy.savez wrote, without objects", f"{path}: {exc}") from exc


def arrays(path: str, what: str = "data.path", but: Collection[str] = ()) -> dict[str, NDArray[np.generic]]:
    """Read all arrays of a file but some; `what` names it in errors. Raises `BadInput`."""
    rule = f"{what} is a file that numpy.savez wrote, without objects"
    try:
        with Path(path).open("rb") as content, np.load(content, allow_pickle=False) as file:
            found = {name: file[name] for name in file.files if name not in but}
    except MemoryError as exc:
        raise BadInput(f"{what} fits into memory", f"{path}: {exc or 'more than there is'}") from exc
    except _UNREADABLE as exc:
        raise BadInput(rule, f"{path}: {exc}") from exc
    others = [name for name, array in found.items() if not isinstance(array, np.ndarray)]
    if others:
        raise BadInput(rule, f"{path}: {others[0]} is no array")
    return found
