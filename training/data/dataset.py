"""Rows as a data source gives them."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from weir.catalog.inputs import Input


@dataclass(frozen=True)
class Dataset:
    """Raw rows and their labels, and whether some of them are the data's own test set."""

    inputs: NDArray[np.generic]
    """raw values `(rows, …)`, each row of the input's shape"""
    labels: NDArray[np.generic]
    """indices into `label_names`, `(rows,)`"""
    label_names: tuple[str, ...]
    input: Input
    """what a row is: the input of a model that learns from it"""
    test_from: int | None = None
    """rows from here on are the data's own test set; None when it has none"""
