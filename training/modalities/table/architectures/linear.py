"""One layer behind the encoding: a cheap first level."""

from collections.abc import Sequence

from training.configured_keras import keras
from training.modalities.recipe import Recipe
from training.modalities.table.architectures.parted import PartedDense

RECIPE = Recipe(
    steps=1500,
    batch_size=None,
    learning_rate=0.01,
    warm_up=0.05,
    patience=None,
    weight_decay=0.03,
    beta_2=0.95,
    steps_per_execution=50,
)


def linear(parts: Sequence[keras.KerasTensor], labels: int) -> keras.KerasTensor:
    """Return the logits of a linear classifier on the encoded values, which starts at zero."""
    return PartedDense(labels, linear=True)(parts)
