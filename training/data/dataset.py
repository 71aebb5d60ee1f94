"""Rows as a data source gives them."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from training.data.rows import Rows, take
from weir.catalog.inputs import Input


@dataclass(frozen=True)
class Dataset:
    """Raw rows and their labels, and what is known of their split."""

    rows: Rows
    """raw values `(rows, …)`, each row of the input's shape; of several inputs `(rows,)`, with a field for each"""
    labels: NDArray[np.generic]
    """indices into `label_names`, `(rows,)`; -1 where a row has no label"""
    label_names: tuple[str, ...]
    inputs: tuple[Input, ...]
    """what a row is: the inputs of a model that learns from it"""
    test_from: int | None = None
    """rows from here on are the data's own test set; None when it has none"""
    validation_from: int | None = None
    """rows from here to the test set are the data's own validation set; None when it has none"""
    groups: NDArray[np.int64] | None = None
    """`(rows,)`: rows of one number stay in one split; -1 for a row that is in no group"""
    times: NDArray[np.float64] | None = None
    """`(rows,)`: training rows are the earliest, test rows the latest"""
    near_duplicates: bool = False
    """whether rows that are nearly equal are kept in one split"""
    hierarchy: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """group -> its labels, where folders are nested"""
    notes: tuple[str, ...] = ()
    """how the files were read: what was sniffed or guessed"""
    warnings: tuple[str, ...] = ()
    """what makes the files doubtful"""

    @property
    def input(self) -> Input:
        """The only input."""
        (one,) = self.inputs
        return one

    def chosen(self, kept: NDArray[np.intp]) -> "Dataset":
        """Take the rows with these numbers, which ascend."""
        return replace(
            self,
            rows=take(self.rows, kept),
            labels=self.labels[kept].astype(np.int64),
            test_from=None if self.test_from is None else int((kept < self.test_from).sum()),
            validation_from=None if self.validation_from is None else int((kept < self.validation_from).sum()),
            groups=None if self.groups is None else self.groups[kept],
            times=None if self.times is None else self.times[kept],
        )
