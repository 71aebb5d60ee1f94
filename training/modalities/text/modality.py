"""Texts, as training sees them."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from training.modalities import one_input
from training.modalities.modality import LabelledRows, Masks, Record
from training.modalities.recipe import Recipe
from training.modalities.text import cleaning, mixing, samples
from training.modalities.text.cleaning import Rows
from training.task import NetworkSpec
from weir.catalog.inputs import Text

if TYPE_CHECKING:
    from training.configured_keras import keras


@dataclass(frozen=True)
class TextModality:
    """Rows INT32 `(n, most_bytes)` of one input; the other files of this package do the work."""

    described: Text

    def as_rows(self, inputs: NDArray[np.generic]) -> Rows:
        """Check the bytes of a data set's texts and return them as rows. Raises `BadInput`."""
        return cleaning.as_rows(inputs, self.described)

    def unusable(self, rows: Rows) -> Masks:
        """Mark the rows that are empty, or hold other values than bytes."""
        return cleaning.unusable(rows)

    def constant_inputs(self, rows: Rows) -> int:
        """Count the places that hold one byte in all texts."""
        return cleaning.constant_inputs(rows)

    def scale_warning(self, rows: Rows) -> str:  # noqa: ARG002 (bytes have no scale)
        """Say nothing: bytes have no scale."""
        return ""

    def augments(self, spec: NetworkSpec) -> bool:  # noqa: ARG002 (as `augmented`)
        """Say no."""
        return False

    def augmented(self, rows: Rows, spec: NetworkSpec, random: np.random.Generator) -> Rows:  # noqa: ARG002
        """Leave texts as they are: networks drop parts of them in training."""
        return rows

    def mixed(self, rows: Rows, random: np.random.Generator) -> Rows:
        """Put the end of another text behind the beginning of each."""
        return mixing.mixed(rows, random)

    def check(self, spec: NetworkSpec) -> None:
        """Refuse an architecture that is not known. Raises `BadInput`."""
        one_input.check_columns(spec)
        from training.modalities.text import architectures  # noqa: PLC0415 (TensorFlow takes five seconds)

        architectures.check(one_input.architecture(spec), self.described)

    def recipe(self, spec: NetworkSpec) -> Recipe:
        """Return how an architecture is trained unless a task says otherwise. Raises `BadInput` for an unknown one."""
        from training.modalities.text import architectures  # noqa: PLC0415 (TensorFlow takes five seconds)

        return architectures.recipe(one_input.architecture(spec))

    def build(self, spec: NetworkSpec, outputs: int, seed: int, train: LabelledRows) -> "keras.Model":
        """Build a network by name, with the weights of buckets of the training rows. Raises `BadInput`."""
        from training.modalities.text import architectures  # noqa: PLC0415 (TensorFlow takes five seconds)

        return architectures.build(one_input.architecture(spec), self.described, outputs, seed, train.inputs)

    def other_model(self) -> None:
        """Return none: networks of texts learn from labels and from each other."""

    def record(self, row: Rows) -> Record:
        """Return the text."""
        return {self.described.name: samples.text(row)}

    def example(self, row: Rows) -> tuple[str, bytes]:
        """Write one text as UTF-8."""
        return samples.EXTENSION, samples.file(row)
