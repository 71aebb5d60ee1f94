"""The rule that values are finite in the datatype of their input."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from weir.errors import BadTensor


def finite_rule(datatype: str) -> str:
    """State the rule for values of a datatype."""
    return f"values are finite in {datatype}"


def check_finite(array: NDArray[Any], datatype: str, original: Sequence[Any] | NDArray[Any]) -> NDArray[Any]:
    """Return an array `(n,)` whose values are finite; the error shows the first that is not, as it is in `original`.

    Raises:
        BadTensor: a value is NaN or infinite.
    """
    if array.dtype.kind == "f" and not (finite := np.isfinite(array)).all():
        raise BadTensor(finite_rule(datatype), original[int(np.argmin(finite))])
    return array


def infinite_rows(rows: NDArray[Any]) -> list[int]:
    """List the numbers of the rows of `(n, …)` that have a NaN or an infinity."""
    finite = np.isfinite(rows).all(axis=tuple(range(1, rows.ndim)))
    numbers: list[int] = np.flatnonzero(~finite).tolist()
    return numbers
