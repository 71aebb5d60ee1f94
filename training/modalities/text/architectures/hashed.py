"""Networks of hashed n-grams: a weighted sum of one vector for each bucket, and at most one dense layer."""

from dataclasses import dataclass

from training.configured_keras import keras
from training.modalities.recipe import Recipe
from training.modalities.text.cleaning import Rows
from training.modalities.text.document_frequency import inverse_document_frequency
from training.modalities.text.features import Features
from training.modalities.text.layers import Bias, Hashed, WeightedSum

FRONT = "front"
"""name of the layer that hashes"""
_LARGEST = 48
"""size of vectors, unless they are logits: 95.1 % on 27 languages, where 16 gave 94.4 %"""


@dataclass(frozen=True)
class HashedNetwork:
    """The features of a network, and what it makes of them."""

    features: Features
    recipe: Recipe
    size: int | None = None
    """of the vectors, before a dense layer, where there are few labels; None: the vectors are the logits, and start at
    zero"""
    dropout: float = 0.3
    """share of its buckets that a text loses in training"""

    def build(self, texts: keras.KerasTensor, outputs: int, rows: Rows) -> keras.KerasTensor:
        """Build a network from texts `(n, most_bytes)` to logits `(n, outputs)`; `rows` weigh its buckets."""
        mine = self.features
        front = Hashed(mine.sizes, mine.buckets, words=mine.words, first=mine.first, name=FRONT)
        pool = WeightedSum(
            mine.buckets, self.size_for(outputs), deviation=0.1 if self.size else 0.0, dropout=self.dropout, name="sum"
        )
        summed = pool(front(texts))
        pool.weights_of_buckets.assign(inverse_document_frequency(front.compact(rows), mine.buckets))
        if self.size is None:
            return Bias(name="bias")(summed)
        return keras.layers.Dense(outputs, name="logits")(keras.layers.Dropout(0.3)(summed))

    def size_for(self, outputs: int) -> int:
        """Choose the size of the vectors: twice the labels within limits, as fewer values confuse many labels."""
        return outputs if self.size is None else min(max(self.size, 2 * outputs), _LARGEST)
