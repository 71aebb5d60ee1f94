"""What training needs to know of an input, whatever its kind."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from training.modalities.recipe import Recipe
from training.task import NetworkSpec
from weir.engine.arrays import Floats, Labels

if TYPE_CHECKING:
    from training.configured_keras import keras

Masks = dict[str, NDArray[np.bool_]]
"""reason, a field of `training.data.cleaning.Cleaning` -> mask `(rows,)`, true where it applies"""


Record = dict[str, Any]
"""tensor, column or text -> its value as JSON has it"""


class LabelledRows(Protocol):
    """Rows and their labels, as a `training.data.splits.split.Split` has them."""

    @property
    def inputs(self) -> NDArray[Any]:
        """Rows `(n, …)`."""

    @property
    def labels(self) -> Labels:
        """`(n,)`."""


class OtherModel(Protocol):
    """A model that is no network, but that networks can learn from."""

    @property
    def name(self) -> str:
        """Name its kind."""

    @property
    def made_of(self) -> list[object]:
        """What determines its answers, besides the rows and the seed."""

    def refusal(self, labels: Labels) -> str:
        """Say why it is not fitted on rows of these labels `(rows,)`; empty if it can be."""

    def fitted(self, train: LabelledRows, seed: int, *, balanced: bool) -> Callable[[Floats], Floats]:
        """Fit it on rows, and return what gives the log-probabilities `(n, labels)` of other rows.

        Args:
            train: rows and their labels; `refusal` says nothing of these.
            seed: determines the model.
            balanced: every label counts alike, however many rows it has.
        """


class Modality(Protocol):
    """Interface that every kind of input implements in training; rows are arrays `(n, …)`."""

    def as_rows(self, inputs: NDArray[np.generic]) -> Floats:
        """Check the raw values of a data set and return them as rows. Raises `BadInput`."""

    def unusable(self, rows: Floats) -> Masks:
        """Mark the rows that training can't use, by each reason that this kind has."""

    def constant_inputs(self, rows: Floats) -> int:
        """Count the values of a row that are the same in all rows."""

    def scale_warning(self, rows: Floats) -> str:
        """Say what is odd in the scale of the values of rows, or nothing."""

    def augments(self, spec: NetworkSpec) -> bool:
        """Tell whether rows are changed at random in the training of a network."""

    def augmented(self, rows: Floats, spec: NetworkSpec, random: np.random.Generator) -> Floats:
        """Change rows at random, as a network's description requests."""

    def mixed(self, rows: Floats, random: np.random.Generator) -> Floats:
        """Mix each row at random with the one before, of which it gets less than half; the first with the last."""

    def check(self, spec: NetworkSpec) -> None:
        """Check a network's description, before anything is trained. Raises `BadInput`."""

    def recipe(self, spec: NetworkSpec) -> Recipe:
        """Say how networks of an architecture are trained unless their task says otherwise. Raises `BadInput`."""

    def build(self, spec: NetworkSpec, outputs: int, seed: int, train: LabelledRows) -> "keras.Model":
        """Build a network from rows to logits `(n, outputs)`, with seeded weights.

        Statistics of the inputs are fitted on the training rows. Raises `BadInput`.
        """

    def other_model(self) -> OtherModel | None:
        """Return a model of another kind that networks can learn from, not yet fitted; None: there is none."""

    def record(self, row: Floats) -> Record:
        """Write one row in words, as JSON sends it: what it is encoded to again is that row."""

    def example(self, row: Floats) -> tuple[str, bytes]:
        """Write one row as a file that a person can look at: its extension, such as `.png`, and its content."""
