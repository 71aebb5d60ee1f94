"""Rows of a person's file -> the array of a picture or a tensor."""

import numpy as np
from numpy.typing import NDArray

from weir.batch.files import read
from weir.errors import BadInput, BadTensor
from weir.inputs.finite import finite_rule
from weir.inputs.rows import RowReader
from weir.inputs.tensor import InputRows, TensorReader


def from_lines(file: str, content: bytes, reader: RowReader) -> InputRows:
    """Read a .csv or .jsonl as a batch file is read, `(rows, *shape)`.

    Raises:
        BadInput: it can't be read, or a row can't; the error names the row.
    """
    found = read(file, content, reader)
    for number, error in found.errors.items():
        raise BadInput("every row of INPUT can be read", f"{len(found.errors)} can't; row {number}: {error}")
    return found.values


def from_numbers(values: NDArray[np.float64], plain: TensorReader) -> NDArray[np.float64]:
    """Take one row or many, each of the model's shape or flat, as `(rows, *shape)`. Raises `BadInput`."""
    one = plain.described
    single = values.shape in {one.row_shape, (one.row_values,)}
    try:
        rows: NDArray[np.float64] = plain.from_array(values[None] if single else values)
    except BadTensor as exc:
        raise BadInput(f"INPUT is one row of shape {list(one.row_shape)}, or rows of it, or flat", exc.got) from exc
    if not len(rows):
        raise BadInput("INPUT has at least one row", list(values.shape))
    with np.errstate(over="ignore", invalid="ignore"):
        sent = rows.astype(one.dtype)
        held = np.isfinite(sent) if one.dtype.kind == "f" else sent == rows
    if not held.all():
        row = int(np.argmin(held.reshape(len(rows), -1).all(axis=1)))
        if one.dtype.kind == "f":
            raise BadInput(finite_rule(one.datatype), f"NaN or infinity in row {row}")
        raise BadInput(f"values are numbers of {one.datatype}", f"others in row {row}")
    return rows
