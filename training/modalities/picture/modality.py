"""Pictures, grey or in colour, as training sees them."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from training.modalities import one_input
from training.modalities.mixing import convex
from training.modalities.modality import LabelledRows, Masks, Record
from training.modalities.picture import augmentation, cleaning, samples
from training.modalities.recipe import Recipe
from training.task import NetworkSpec
from weir.catalog.inputs import Picture
from weir.engine.arrays import Floats
from weir.inputs import scale

if TYPE_CHECKING:
    from training.configured_keras import keras


@dataclass(frozen=True)
class PictureModality:
    """Rows `(n, height, width)`, or with channels behind; the other files of this package do the work."""

    described: Picture

    def as_rows(self, inputs: NDArray[np.generic]) -> Floats:
        """Check the raw values of a data set and return them as rows. Raises `BadInput`."""
        return cleaning.as_rows(inputs, self.described)

    def unusable(self, rows: Floats) -> Masks:
        """Mark the rows that are not finite, out of the range of the input, or of one value."""
        return cleaning.unusable(rows, self.described)

    def constant_inputs(self, rows: Floats) -> int:
        """Count the pixels that have one value in all rows."""
        return cleaning.constant_inputs(rows)

    def scale_warning(self, rows: Floats) -> str:
        """Say when pixels fill little of the range of the input, as those of 0 to 1 do of 0 to 255."""
        return scale.described(self.described) if scale.is_narrow(rows, self.described) else ""

    def augments(self, spec: NetworkSpec) -> bool:  # noqa: ARG002 (pictures are drawn anew in every training)
        """Say yes: even pictures that do not change take their turn among the random numbers."""
        return True

    def augmented(self, rows: Floats, spec: NetworkSpec, random: np.random.Generator) -> Floats:
        """Mirror, shift, partly erase, scale and recolour pictures at random."""
        return augmentation.augmented(rows, spec, random, self.described.range)

    def mixed(self, rows: Floats, random: np.random.Generator) -> Floats:
        """Mix the pixels of pictures (mixup)."""
        return convex(rows, random)

    def check(self, spec: NetworkSpec) -> None:
        """Refuse an architecture that is not known, or not for pictures so small. Raises `BadInput`."""
        one_input.check_columns(spec)
        from training.modalities.picture import architectures  # noqa: PLC0415 (TensorFlow takes five seconds)

        architectures.check(one_input.architecture(spec), self.described)

    def recipe(self, spec: NetworkSpec) -> Recipe:
        """Return the recipe of an architecture. Raises `BadInput` for a name that no network has."""
        from training.modalities.picture import architectures  # noqa: PLC0415 (TensorFlow takes five seconds)

        return architectures.recipe(one_input.architecture(spec))

    def build(self, spec: NetworkSpec, outputs: int, seed: int, train: LabelledRows) -> "keras.Model":  # noqa: ARG002 (no statistics are fitted)
        """Build a network by name. Raises `BadInput` for a name that no network has."""
        from training.modalities.picture import architectures  # noqa: PLC0415 (TensorFlow takes five seconds)

        return architectures.build(one_input.architecture(spec), self.described, outputs, seed)

    def other_model(self) -> None:
        """Return none: networks of pictures learn from labels and from each other."""

    def record(self, row: Floats) -> Record:
        """Return the pixels, as nested lists."""
        return {self.described.name: row.tolist()}

    def example(self, row: Floats) -> tuple[str, bytes]:
        """Write one picture as a PNG."""
        return samples.EXTENSION, samples.file(row, self.described)
