"""The part of a network that no training changes: it is computed once for a data set, and the rest is trained on it."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from training.configured_keras import keras
from training.modalities import branches
from training.modalities.text import front as of_texts

Arrays = NDArray[Any] | dict[str, NDArray[Any]]
"""rows `(n, …)` of the only input; of several inputs `(n, …)` of each, by name"""

Front = Callable[[Arrays], Any]
"""rows -> what the rest of a network reads, such as Keras takes it"""


def arrays_of(rows: NDArray[Any]) -> Arrays:
    """Take the fields of structured rows `(n,)` apart; rows of one input stay as they are."""
    names = rows.dtype.names
    return rows if names is None else {name: np.ascontiguousarray(rows[name]) for name in names}


def parted(network: keras.Model) -> tuple[Front, keras.Model]:
    """Part a network into its front and the rest, which shares its weights.

    The rest of what the front makes of rows is what the network makes of them. A network without a front is all rest.
    """
    parts = branches.of(network)
    if not parts:
        hashed, rest = of_texts.parted(network)
        return (lambda rows: hashed(rows) if isinstance(rows, np.ndarray) else rows), rest
    fronts, rests = {}, {}
    for name, branch in parts.items():
        fronts[name], rests[name] = of_texts.parted(branch)

    def front(rows: Arrays) -> Any:  # noqa: ANN401 (one array, or a list of some)
        assert isinstance(rows, dict), "a network of several inputs"
        read = [make(rows[name]) for name, make in fronts.items()]
        return read[0] if len(read) == 1 else read

    if all(rests[name] is branch for name, branch in parts.items()):
        return front, network
    return front, branches.added(rests)
