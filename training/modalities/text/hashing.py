"""The buckets of texts, by NumPy; `hashing_graph` computes the very same ones inside networks."""

import numpy as np
from numpy.typing import NDArray

from training.modalities.text.cleaning import Rows
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

Buckets = NDArray[np.int32]

_CHUNK = 1024
"""texts that are hashed at a time, to save memory"""


def compact(rows: Rows, features: Features) -> Buckets:
    """Return the buckets of texts `(n, most_bytes)`, those of each text first and 0 behind them: `(n, most)`."""
    parts = [_first(_hashed_chunk(rows[at : at + _CHUNK], features)) for at in range(0, len(rows), _CHUNK)]
    out = np.zeros((len(rows), max((part.shape[1] for part in parts), default=0)), np.int32)
    for number, part in enumerate(parts):
        out[number * _CHUNK :][: len(part), : part.shape[1]] = part
    return out


def hashed(rows: Rows, features: Features) -> Buckets:
    """Return the bucket of every part of texts `(n, most_bytes)`: `(n, parts)`, 0 where there is none."""
    rows = rows[:, : features.first]
    texts = np.pad(FOLDED[np.clip(rows, BLANK, BYTES - 1)], ((0, 0), (1, 1)), constant_values=BLANK).astype(np.int64)
    parts = [_ngrams(texts, size, features.buckets) for size in features.sizes_within(texts.shape[1])]
    if features.words:
        parts += _words(texts, features.buckets)
    return np.concatenate(parts, axis=1).astype(np.int32)


def _hashed_chunk(rows: Rows, features: Features) -> Buckets:
    """Leave out the places behind the end of all texts: they have no buckets."""
    used = int((rows != 0).any(axis=0).sum())
    return hashed(rows[:, : max(used, 1)], features)


def _first(buckets: Buckets) -> Buckets:
    """Move the buckets of each row to its beginning, and leave out columns without any."""
    counts = (buckets > 0).sum(axis=1)
    out = np.zeros((len(buckets), int(counts.max(initial=0))), np.int32)
    out[np.arange(out.shape[1]) < counts[:, None]] = buckets[buckets > 0]
    return out


def _ngrams(texts: NDArray[np.int64], size: int, buckets: int) -> NDArray[np.int64]:
    places = texts.shape[1] - size + 1
    windows = [texts[:, offset : offset + places] for offset in range(size)]
    mixed = _mixed(windows)
    blank = [window == BLANK for window in windows]
    across = blank[0] & blank[1] if size == 2 else np.any(blank[1:-1], axis=0)  # noqa: PLR2004 (no inner byte)
    return np.where(across, 0, _bucket(mixed, size, buckets))


def _words(texts: NDArray[np.int64], buckets: int) -> list[NDArray[np.int64]]:
    """Return the buckets of words `(n, most)` in their order, and of pairs of neighbours `(n, most - 1)`."""
    inside = IN_WORD[texts]
    padded = np.pad(np.where(inside, texts, 0), ((0, 0), (WORD_BYTES - 1, 0)))
    windows = [padded[:, offset : offset + texts.shape[1]] for offset in range(WORD_BYTES)]
    for offset in range(WORD_BYTES - 2, -1, -1):  # what is before the word of the last byte does not count
        windows[offset] = np.where(windows[offset + 1] > 0, windows[offset], 0)
    mixed = _mixed(windows)
    ends = inside & ~np.pad(inside[:, 1:], ((0, 0), (0, 1)))
    words = np.zeros((len(texts), (texts.shape[1] - 1) // 2), np.int64)
    number = ends.cumsum(axis=1) - 1
    words[np.nonzero(ends)[0], number[ends]] = mixed[ends]
    pairs = words[:, :-1] % MODULUS * BASES[1] + words[:, 1:] % MODULUS
    return [
        np.where(words > 0, _bucket(words, WORD, buckets), 0),
        np.where(words[:, 1:] > 0, _bucket(pairs, PAIR, buckets), 0),
    ]


def _mixed(windows: list[NDArray[np.int64]]) -> NDArray[np.int64]:
    """Hash a sequence of bytes twice, and mix the hashes."""
    both = []
    for base in BASES:
        hashes = np.zeros_like(windows[0])
        for window in windows:
            hashes = (hashes * base + window) % MODULUS
        both.append(hashes)
    return MIX[0] * both[0] + MIX[1] * both[1]


def _bucket(mixed: NDArray[np.int64], kind: int, buckets: int) -> NDArray[np.int64]:
    return (mixed + KIND * kind) % (buckets - 1) + 1
