"""A file of your own: `numpy.savez(file, x=…, y=…)`, optionally with `x_test` and `y_test`, and `label_names`."""

import lzma
import tokenize
import zipfile
import zlib
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from training.data.dataset import Dataset
from training.modalities.picture.reading import grey
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


def load(path: str) -> Dataset:
    """Load a file; pixels are taken to be 0 to 255.

    Raises:
        BadInput: it can't be read, lacks `x` or `y`, has only one of `x_test` and `y_test`, or `x` are no pictures.
    """
    found = arrays(path)
    if not {"x", "y"} <= found.keys() or ("x_test" in found) != ("y_test" in found):
        raise BadInput("data.path has the arrays x and y, and x_test and y_test or neither", ", ".join(found))
    x, y = found["x"], found["y"]
    test_from = None
    if "x_test" in found:
        test_from = len(x)
        if x.shape[1:] != found["x_test"].shape[1:]:
            raise BadInput(f"rows of x_test have the shape of those of x, {x.shape[1:]}", found["x_test"].shape[1:])
        x, y = np.concatenate([x, found["x_test"]]), np.concatenate([y, found["y_test"]])
    return Dataset(x, y, _names(found, y), grey(x), test_from)


def arrays(path: str, what: str = "data.path") -> dict[str, NDArray[np.generic]]:
    """Read all arrays of a file; `what` names it in errors. Raises `BadInput`."""
    rule = f"{what} is a file that numpy.savez wrote, without objects"
    try:
        with Path(path).open("rb") as content, np.load(content, allow_pickle=False) as file:
            found = {name: file[name] for name in file.files}
    except MemoryError as exc:
        raise BadInput(f"{what} fits into memory", f"{path}: {exc or 'more than there is'}") from exc
    except _UNREADABLE as exc:
        raise BadInput(rule, f"{path}: {exc}") from exc
    others = [name for name, array in found.items() if not isinstance(array, np.ndarray)]
    if others:
        raise BadInput(rule, f"{path}: {others[0]} is no array")
    return found


def _names(arrays: dict[str, NDArray[np.generic]], y: NDArray[np.generic]) -> tuple[str, ...]:
    """Take the label names, or number the labels."""
    if "label_names" in arrays:
        return tuple(str(name) for name in arrays["label_names"].tolist())
    if y.dtype.kind not in "iu" or not y.size:
        raise BadInput("y holds whole numbers from 0", y.dtype)
    return tuple(str(label) for label in range(int(y.max()) + 1))
