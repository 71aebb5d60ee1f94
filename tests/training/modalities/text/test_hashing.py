"""training.modalities.text.hashing and hashing_graph."""

import re
from itertools import pairwise

import numpy as np
import pytest
import tensorflow as tf

from tests.training.texts import rows
from training.modalities.text import hashing, hashing_graph
from training.modalities.text.cleaning import Rows
from training.modalities.text.features import BASES, KIND, MIX, MODULUS, PAIR, WORD, Features

ALL = Features((2, 3, 4, 5), 2**16, words=True)
SMALL = Features((3,), 2**14)
BEGINNING = Features((2, 3), 2**14, words=True, first=9)
TEXTS = (
    "",
    "a",
    " ",
    "é",
    "Zwölf Boxkämpfer jagen Viktor über den großen Sylter Deich.",
    "  two  blanks\tand\nlines ",
    "x" * 99,
    "a b c d e f g",
    "supercalifragilisticexpialidocious 日本語のテキスト 🙂",
)


def _bucket(part: bytes, kind: int, buckets: int) -> int:
    """Hash bytes one at a time, by the formula of `features`."""
    both = []
    for base in BASES:
        value = 0
        for byte in part:
            value = (value * base + byte) % MODULUS
        both.append(value)
    return (MIX[0] * both[0] + MIX[1] * both[1] + KIND * kind) % (buckets - 1) + 1


def _mixed(word: bytes) -> int:
    return _bucket(word, 0, 2**40) - 1


def _expected(text: str, features: Features) -> list[int]:
    """List the buckets of a text as bytes, slowly."""
    folded = b" " + bytes(max(byte, 32) for byte in text.encode().lower()[: features.first]) + b" "
    parts = []
    for size in features.sizes:
        grams = [folded[at : at + size] for at in range(len(folded) - size + 1)]
        parts += [_bucket(gram, size, features.buckets) for gram in grams if gram.strip() and b" " not in gram[1:-1]]
    if features.words:
        words = [_mixed(word[-16:]) for word in re.findall(rb"[a-z0-9\x80-\xff]+", folded)]
        parts += [(word + KIND * WORD) % (features.buckets - 1) + 1 for word in words]
        for first, second in pairwise(words):
            pair = first % MODULUS * BASES[1] + second % MODULUS
            parts.append((pair + KIND * PAIR) % (features.buckets - 1) + 1)
    return parts


def _hostile(most_bytes: int) -> Rows:
    """Draw bytes at random, many of them on the edges of the classes of bytes, and values that are no bytes."""
    random = np.random.default_rng(most_bytes)
    edges = [0, 1, 31, 32, 33, 47, 48, 57, 58, 64, 65, 90, 91, 96, 97, 122, 123, 127, 128, 255]
    drawn = [random.integers(0, 256, (60, most_bytes)), random.choice(edges, (60, most_bytes))]
    beyond = [random.choice([-(2**31), -1, 256, 2**31 - 1], (4, most_bytes)), np.full((1, most_bytes), ord("a"))]
    texts: Rows = np.concatenate([*drawn, *beyond]).astype(np.int32)
    return texts


@pytest.mark.parametrize("features", [ALL, SMALL, BEGINNING], ids=["all", "trigrams", "beginning"])
@pytest.mark.parametrize("text", TEXTS)
def test_the_buckets_are_those_of_the_formula(text: str, features: Features) -> None:
    """Every n-gram, word and pair of words has its bucket, in order, and nothing else has one."""
    buckets = hashing.hashed(rows(128, text), features)[0]
    assert buckets[buckets > 0].tolist() == _expected(text, features)


@pytest.mark.parametrize("features", [ALL, SMALL, BEGINNING], ids=["all", "trigrams", "beginning"])
@pytest.mark.parametrize("most_bytes", [1, 2, 3, 17, 130])
def test_networks_find_the_same_buckets(most_bytes: int, features: Features) -> None:
    """NumPy and the graph agree bit for bit: on texts that fill the row or not, on random bytes, on anything."""
    texts = np.concatenate([rows(most_bytes, *TEXTS), _hostile(most_bytes)])
    in_graph = hashing_graph.hashed(tf.constant(texts), features)
    assert in_graph.dtype == tf.int32
    np.testing.assert_array_equal(in_graph.numpy(), hashing.hashed(texts, features))


def test_buckets_stay_within_the_table() -> None:
    """They are from 1 to the last, and 0 where there is nothing."""
    buckets = hashing.hashed(_hostile(130), SMALL)
    assert buckets.min() == 0
    assert 0.95 * SMALL.buckets < buckets.max() < SMALL.buckets


def test_compact_rows_hold_the_same_buckets_first() -> None:
    """Only the empty places go: those of each row, and columns that no row needs; over several chunks."""
    texts = np.tile(rows(64, *TEXTS[:6]), (400, 1))
    whole, compact = hashing.hashed(texts, ALL), hashing.compact(texts, ALL)
    counts = (whole > 0).sum(axis=1)
    assert compact.shape == (2400, counts.max())
    for one, other in zip(whole[-6:], compact[-6:], strict=True):
        np.testing.assert_array_equal(one[one > 0], other[other > 0])
        assert not other[(one > 0).sum() :].any()


def test_no_texts_have_no_buckets() -> None:
    """Empty texts, and none at all, give rows without columns."""
    assert hashing.compact(rows(8, "", ""), ALL).shape == (2, 0)
    assert hashing.compact(rows(8), ALL).shape == (0, 0)
