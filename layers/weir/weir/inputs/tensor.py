"""InputRows in memory: the datatypes of their values, and one array for all inputs of a model."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from weir.catalog.manifest import TensorSpec

InputRows = NDArray[Any]
"""`(n, …)` of a model with one input; of several, `(n,)` with a field for each"""

DTYPES: dict[str, np.dtype[Any]] = {
    "BOOL": np.dtype("?"),
    "UINT8": np.dtype("u1"),
    "UINT16": np.dtype("<u2"),
    "UINT32": np.dtype("<u4"),
    "UINT64": np.dtype("<u8"),
    "INT8": np.dtype("i1"),
    "INT16": np.dtype("<i2"),
    "INT32": np.dtype("<i4"),
    "INT64": np.dtype("<i8"),
    "FP16": np.dtype("<f2"),
    "FP32": np.dtype("<f4"),
    "FP64": np.dtype("<f8"),
}
"""datatype of the protocol -> NumPy's, little-endian as the protocol's bytes are; BYTES has none"""


def joined(arrays: Sequence[InputRows], specs: Sequence[TensorSpec]) -> InputRows:
    """Make one array of rows of the arrays `(n, …)` of each input."""
    if len(arrays) == 1:
        return arrays[0]
    together = np.empty(len(arrays[0]), [(s.name, DTYPES[s.datatype], s.shape[1:]) for s in specs])
    for spec, array in zip(specs, arrays, strict=True):
        together[spec.name] = array
    return together


def no_rows(specs: Sequence[TensorSpec]) -> InputRows:
    """Make the array of no rows."""
    return joined([np.empty((0, *spec.shape[1:]), DTYPES[spec.datatype]) for spec in specs], specs)


def zeros(specs: Sequence[TensorSpec]) -> InputRows:
    """Make one row of zeros."""
    return joined([np.zeros((1, *spec.shape[1:]), DTYPES[spec.datatype]) for spec in specs], specs)
