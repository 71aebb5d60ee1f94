"""The buckets of texts, by TensorFlow in int32, with operators that every interpreter has; see `hashing`."""

import numpy as np
import tensorflow as tf

from training.modalities.text.features import (
    BASES,
    BLANK,
    BYTES,
    FOLDED,
    IN_WORD,
    KIND,
    MIX,
    MODULUS,
    PAIR,
    WORD,
    WORD_BYTES,
    Features,
)

_WORD_BYTE = np.where(IN_WORD, FOLDED, 0).astype(np.int32)
"""byte -> the byte in its place, or 0 if it belongs to no word"""


def hashed(texts: tf.Tensor, features: Features) -> tf.Tensor:
    """Return the bucket of every part of texts `(n, most_bytes)`: int32 `(n, parts)`, 0 where there is none."""
    texts = texts if features.first is None else texts[:, : features.first]
    known = tf.clip_by_value(texts, BLANK, BYTES - 1)
    parts = _ngrams(_between(tf.gather(FOLDED, known), BLANK), features.sizes_within(known.shape[1] + 2))
    if features.words:
        parts += _words(_between(tf.gather(_WORD_BYTE, known), 0))
    mixed = tf.concat([mixed for mixed, _ in parts], axis=1)
    there = tf.concat([there for _, there in parts], axis=1)
    return (tf.math.floormod(mixed, features.buckets - 1) + 1) * tf.cast(there, tf.int32)


def _between(texts: tf.Tensor, blank: int) -> tf.Tensor:
    return tf.pad(texts, ((0, 0), (1, 1)), constant_values=blank)


def _ngrams(texts: tf.Tensor, sizes: tuple[int, ...]) -> list[tuple[tf.Tensor, tf.Tensor]]:
    """Return the mixed hashes of the n-grams of each size, and where they reach across no blank."""
    solid = texts > BLANK
    hashes, inner, parts = [texts] * len(BASES), None, []
    for size in range(2, max(sizes) + 1):
        hashes = [_appended(one, texts[:, size - 1 :], base) for one, base in zip(hashes, BASES, strict=True)]
        if size > 2:  # noqa: PLR2004 (with an inner byte)
            last = solid[:, size - 2 : -1]
            inner = last if inner is None else inner[:, :-1] & last
        if size in sizes:
            parts.append((_mixed(hashes) + KIND * size, solid[:, :-1] | solid[:, 1:] if inner is None else inner))
    return parts


def _appended(hashes: tf.Tensor, texts: tf.Tensor, base: int) -> tf.Tensor:
    return tf.math.floormod(hashes[:, :-1] * base + texts, MODULUS)


def _words(texts: tf.Tensor) -> list[tuple[tf.Tensor, tf.Tensor]]:
    """Return the mixed hashes of words in their order and of pairs of neighbours, and where there are any."""
    inside = texts > 0
    ends = inside[:, :-1] & ~inside[:, 1:]
    words = _in_order(_word_hashes(texts)[:, :-1], ends)
    first, second = (tf.math.floormod(one, MODULUS) for one in (words[:, :-1], words[:, 1:]))
    pairs = first * BASES[1] + second
    return [(words + KIND * WORD, words > 0), (pairs + KIND * PAIR, words[:, 1:] > 0)]


def _word_hashes(texts: tf.Tensor) -> tf.Tensor:
    """Return the mixed hashes of the last bytes of the word that reaches to each place `(n, places)`.

    A segmented scan that doubles: after a step, hashes are of twice as many bytes, where the word has them.
    """
    padded = tf.pad(texts, ((0, 0), (WORD_BYTES - 1, 0)))
    hashes, whole, reach = [padded] * len(BASES), tf.cast(padded > 0, tf.int32), 1
    while reach < WORD_BYTES:
        powers = [pow(base, reach, MODULUS) for base in BASES]
        hashes = [
            tf.math.floormod(one[:, :-reach] * whole[:, reach:] * power + one[:, reach:], MODULUS)
            for one, power in zip(hashes, powers, strict=True)
        ]
        whole = whole[:, :-reach] * whole[:, reach:]
        reach *= 2
    return _mixed(hashes)


def _in_order(mixed: tf.Tensor, ends: tf.Tensor) -> tf.Tensor:
    """Take the hashes at the ends of words, one after the other: `(n, as many as there can be)`, then 0."""
    rows, places = mixed.shape[0] or tf.shape(mixed)[0], mixed.shape[1]
    there = tf.cast(ends, tf.int32)
    number = tf.cumsum(there, axis=1) * there  # 0: no end, and nothing is added
    row = tf.repeat(tf.range(rows), places)
    indices = tf.stack([row, tf.reshape(number, [-1])], axis=1)
    words = tf.scatter_nd(indices, tf.reshape(mixed * there, [-1]), (rows, places // 2 + 1))
    return words[:, 1:]


def _mixed(hashes: list[tf.Tensor]) -> tf.Tensor:
    return hashes[0] * MIX[0] + hashes[1] * MIX[1]
