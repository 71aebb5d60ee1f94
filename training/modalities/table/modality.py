"""Tables, as training sees them."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from training.modalities import one_input
from training.modalities.modality import LabelledRows, Masks, Record
from training.modalities.recipe import Recipe
from training.modalities.table import boosting, cleaning, mixing, places, samples, statistics
from training.task import NetworkSpec
from weir.catalog.inputs import Table
from weir.engine.arrays import Floats

if TYPE_CHECKING:
    from training.configured_keras import keras


@dataclass(frozen=True)
class TableModality:
    """Rows `(n, values)` of one input; the other files of this package do the work."""

    described: Table

    def as_rows(self, inputs: NDArray[np.generic]) -> Floats:
        """Check the values of a data set and return them as rows. Raises `BadInput`."""
        return cleaning.as_rows(inputs, self.described)

    def unusable(self, rows: Floats) -> Masks:
        """Mark the rows that are infinite, lack what is not optional, or have a code that no category has."""
        return cleaning.unusable(rows, self.described)

    def constant_inputs(self, rows: Floats) -> int:
        """Count the values that are the same, or missing, in all rows."""
        return cleaning.constant_inputs(rows)

    def scale_warning(self, rows: Floats) -> str:  # noqa: ARG002 (networks learn the scale of a column from its rows)
        """Say nothing: a column has whatever scale it has."""
        return ""

    def augments(self, spec: NetworkSpec) -> bool:  # noqa: ARG002 (as `augmented`)
        """Say no."""
        return False

    def augmented(self, rows: Floats, spec: NetworkSpec, random: np.random.Generator) -> Floats:  # noqa: ARG002 (rows of a table do not change)
        """Leave rows as they are."""
        return rows

    def mixed(self, rows: Floats, random: np.random.Generator) -> Floats:
        """Take some columns of each row from the one before."""
        return mixing.swapped(rows, self.described, random)

    def check(self, spec: NetworkSpec) -> None:
        """Refuse an architecture that is not known, and changes that only pictures have. Raises `BadInput`."""
        from training.modalities.table import architectures  # noqa: PLC0415 (TensorFlow takes five seconds)

        architectures.check(one_input.architecture(spec), self.described)
        places.check_names(self.described, spec.columns)
        places.check_changes(spec)

    def recipe(self, spec: NetworkSpec) -> Recipe:
        """Return the recipe of an architecture. Raises `BadInput` for a name that no network has."""
        from training.modalities.table import architectures  # noqa: PLC0415 (TensorFlow takes five seconds)

        return architectures.recipe(one_input.architecture(spec))

    def build(self, spec: NetworkSpec, outputs: int, seed: int, train: LabelledRows) -> "keras.Model":
        """Build a network by name, with statistics of the training rows. Raises `BadInput`."""
        from training.modalities.table import architectures  # noqa: PLC0415 (TensorFlow takes five seconds)

        fitted = statistics.fit(self.described, spec.columns, train)
        return architectures.build(one_input.architecture(spec), self.described, fitted, outputs, seed)

    def other_model(self) -> boosting.Boosting:
        """Return gradient boosting, not yet fitted."""
        return boosting.Boosting(self.described)

    def record(self, row: Floats) -> Record:
        """Return the values of the columns in words."""
        return samples.record(row, self.described)

    def example(self, row: Floats) -> tuple[str, bytes]:
        """Write one row as JSON."""
        return samples.EXTENSION, samples.written(self.record(row))
