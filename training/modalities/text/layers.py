"""The layers of hashed networks: from texts to buckets, and from buckets to a weighted sum of vectors."""

from typing import Any

import tensorflow as tf

from training.configured_keras import keras
from training.modalities.text import hashing, hashing_graph
from training.modalities.text.cleaning import Rows
from training.modalities.text.features import Features
from training.modalities.text.hashing import Buckets

_PRIME = 65_537
"""above every number of a bucket"""
_LEAST = 1e-6
"""stands for the largest of vectors that are all zero"""


class Hashed(keras.layers.Layer):  # type: ignore[misc] # keras has no types
    """Texts INT32 `(n, most_bytes)` -> buckets INT32 `(n, parts)`; nothing in it is trained."""

    def __init__(
        self,
        sizes: tuple[int, ...],
        buckets: int,
        *,
        words: bool,
        first: int | None = None,
        **kwargs: Any,  # noqa: ANN401 (whatever Keras gives its layers)
    ) -> None:
        super().__init__(**kwargs)
        self.features = Features(tuple(sizes), buckets, words, first)

    def get_config(self) -> dict[str, Any]:
        """Return the arguments of the layer, for a file."""
        mine = self.features
        described = {"sizes": mine.sizes, "buckets": mine.buckets, "words": mine.words, "first": mine.first}
        return {**super().get_config(), **described}

    def call(self, texts: tf.Tensor) -> tf.Tensor:
        """Hash texts in the graph."""
        return hashing_graph.hashed(texts, self.features)

    def compact(self, rows: Rows) -> Buckets:
        """Hash texts outside the graph, once for a whole training; see `hashing.compact`."""
        return hashing.compact(rows, self.features)


class WeightedSum(keras.layers.Layer):  # type: ignore[misc] # keras has no types
    """Buckets `(n, parts)` -> `sum(w E) / sqrt(sum(w^2))` `(n, size)`: w weighs a bucket, and E is its vector.

    In training, each text loses a share of its buckets at random. E starts normally distributed; w is not trained.
    """

    def __init__(self, buckets: int, size: int, *, deviation: float, dropout: float, **kwargs: Any) -> None:  # noqa: ANN401
        super().__init__(**kwargs)
        self.buckets, self.size, self.deviation, self.dropout = buckets, size, deviation, dropout
        self.random = keras.random.SeedGenerator()

    def get_config(self) -> dict[str, Any]:
        """Return the arguments of the layer, for a file."""
        mine = {name: getattr(self, name) for name in ("buckets", "size", "deviation", "dropout")}
        return {**super().get_config(), **mine}

    def build(self, _: tuple[int | None, ...]) -> None:
        """Make the vectors and the weights."""
        start = keras.initializers.RandomNormal(stddev=self.deviation) if self.deviation else "zeros"
        self.vectors = self.add_weight(shape=(self.buckets, self.size), initializer=start, name="vectors")
        self.weights_of_buckets = self.add_weight(
            shape=(self.buckets,), initializer="ones", trainable=False, name="weights"
        )

    def call(self, buckets: tf.Tensor, *, training: bool = False) -> tf.Tensor:
        """Sum the vectors of each row."""
        if buckets.shape[0] == 1 and not training:
            return self._looked_up(buckets)
        count = tf.shape(buckets, tf.int64)[0]
        places = tf.where(buckets > 0)
        rows, chosen = places[:, 0], tf.cast(tf.gather_nd(buckets, places), tf.int64)
        weights = tf.gather(self.weights_of_buckets.value, chosen)
        if training and self.dropout:
            weights *= tf.cast(self._kept(rows, chosen, count), tf.float32)
        sparse = tf.SparseTensor(tf.stack([rows, chosen], axis=1), weights, (count, self.buckets))
        squares = tf.math.unsorted_segment_sum(weights**2, rows, count)
        return tf.sparse.sparse_dense_matmul(sparse, self.vectors.value) * _inverse_norm(squares)[:, None]

    def _looked_up(self, buckets: tf.Tensor) -> tf.Tensor:
        """Do the same for one row with few operators: its artifact holds one table, of `w E` and of `w^2`.

        Quantized weights of a table share one scale: the squares are brought into the range of the rest.
        """
        weights = self.weights_of_buckets.value[:, None]
        vectors, squares = weights * self.vectors.value, weights**2
        scale = tf.maximum(tf.reduce_max(tf.abs(vectors)), _LEAST) / tf.reduce_max(squares)
        total = tf.reduce_sum(tf.gather(tf.concat([vectors, squares * scale], axis=1), buckets), axis=1)
        return total[:, :-1] * _inverse_norm(total[:, -1:] / scale)

    def _kept(self, rows: tf.Tensor, buckets: tf.Tensor, count: tf.Tensor) -> tf.Tensor:
        """Choose which buckets each row keeps: a bucket that a text has several times stays or goes as a whole."""
        factors = tf.gather(keras.random.randint((count, 2), 1, _PRIME, dtype="int64", seed=self.random), rows)
        return (buckets * factors[:, 0] + factors[:, 1]) % _PRIME >= round(self.dropout * _PRIME)


class Bias(keras.layers.Layer):  # type: ignore[misc] # keras has no types
    """Adds a trained number to each output; it starts at zero."""

    def build(self, shape: tuple[int | None, ...]) -> None:
        """Make the numbers."""
        self.bias = self.add_weight(shape=(shape[-1],), initializer="zeros", name="bias")

    def call(self, outputs: tf.Tensor) -> tf.Tensor:
        """Add them."""
        return outputs + self.bias.value


def _inverse_norm(squares: tf.Tensor) -> tf.Tensor:
    """Return 1 over the roots of sums of squares; a text's is at least 1, as weights are, an empty one's becomes 1."""
    return tf.math.rsqrt(tf.maximum(squares, 1.0))
