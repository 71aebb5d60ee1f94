"""Three hidden layers behind the encoding."""

from collections.abc import Sequence

from training.configured_keras import keras
from training.modalities.recipe import Recipe
from training.modalities.table.architectures.parted import PartedDense

layers = keras.layers

RECIPE = Recipe(
    steps=4000,
    many_steps=8000,
    batch_size=None,
    learning_rate=0.002,
    warm_up=0.05,
    patience=None,
    weight_decay=0.1,
    beta_2=0.95,
    label_smoothing=0.1,
    best_by="accuracy",
    steps_per_execution=50,
)

_UNITS = 128
_DROPPED = 0.15


def mlp(parts: Sequence[keras.KerasTensor], labels: int) -> keras.KerasTensor:
    """Return the logits of three layers of 128 SiLUs."""
    features = PartedDense(_UNITS)(parts)
    for _ in range(2):
        features = layers.Dense(_UNITS)(layers.Dropout(_DROPPED)(layers.Activation("silu")(features)))
    return layers.Dense(labels)(layers.Dropout(_DROPPED)(layers.Activation("silu")(features)))
