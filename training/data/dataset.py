"""Rows as a source gives them, before anything was done to them."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Dataset:
    """Raw rows and their labels, and whether some of them are the data's own test set."""

    inputs: NDArray[np.generic]
    """raw values, `(rows, height, width)`"""
    labels: NDArray[np.generic]
    """indices into `label_names`, `(rows,)`"""
    label_names: tuple[str, ...]
    value_range: tuple[float, float]
    """the smallest and the largest value that a pixel can have"""
    test_from: int | None = None
    """rows from here on are the data's own test set; None when it has none"""
