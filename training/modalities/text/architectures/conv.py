"""A small convolutional network over the bytes of a text."""

from dataclasses import dataclass

from training.configured_keras import keras
from training.modalities.recipe import Recipe
from training.modalities.text.cleaning import Rows

layers = keras.layers


@dataclass(frozen=True)
class ConvNetwork:
    """A vector for each byte, two convolutions, and the largest value that each filter finds anywhere in the text."""

    recipe: Recipe
    size: int = 16
    """of the vectors of bytes"""
    filters: int = 64
    width: int = 5
    """bytes that the first convolution sees at once; the second sees 3 of its outputs"""

    def build(self, texts: keras.KerasTensor, outputs: int, _: Rows) -> keras.KerasTensor:
        """Build a network from texts `(n, most_bytes)` to logits `(n, outputs)`."""
        features = layers.Embedding(256, self.size, keras.initializers.RandomNormal(stddev=0.5))(texts)
        for width in (self.width, 3):
            features = layers.Conv1D(self.filters, width, 2, padding="same", activation="relu")(features)
        return layers.Dense(outputs)(layers.Dropout(0.3)(layers.GlobalMaxPooling1D()(features)))
