"""Which texts are nearly equal: the same but for case, digits, blanks and punctuation, or by MinHash."""

import hashlib
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from training.data.rows import Rows, chunks

_HASHES, _PER_BAND = 32, 4
_AGREE = 26
"""of 32 hashes: an estimated Jaccard similarity of 0.8"""
_RUN = 8
"""bytes of a shingle"""
_SHORT = 4 * _RUN
"""bytes of a text, normalised, below which only the whole text counts"""
_CHUNK = 512

_DIGITS = np.isin(np.arange(256), np.frombuffer(b"0123456789", np.uint8))
_LETTERS = np.array([chr(byte).isalpha() or byte > ord("~") for byte in range(256)])
_NORMAL = np.arange(256, dtype=np.uint8)
_NORMAL[ord("A") : ord("Z") + 1] += 32
_NORMAL[_DIGITS] = ord("0")


def text_keys(
    rows: Rows,
) -> tuple[list[NDArray[np.uint64]], Callable[[NDArray[np.intp], NDArray[np.intp]], NDArray[np.bool_]]]:
    """Return the keys of each text `(n, bytes)`, as `weir.inputs.text` encodes it, and the comparison of pairs.

    MinHash: Broder 1997. The keys are a hash of the normalised text, and eight bands of four hashes.
    """
    whole, long, signatures = (np.concatenate(parts) for parts in zip(*map(_hashes, chunks(rows)), strict=True))
    bands = []
    for start in range(0, _HASHES, _PER_BAND):
        band = signatures[:, start : start + _PER_BAND].astype(np.uint64)
        key = (band * _FACTORS[:_PER_BAND].astype(np.uint64)).sum(axis=1, dtype=np.uint64)
        bands.append(np.where(long, key, whole))

    def same(first: NDArray[np.intp], second: NDArray[np.intp]) -> NDArray[np.bool_]:
        similar = (signatures[first] == signatures[second]).sum(axis=1) >= _AGREE
        equal: NDArray[np.bool_] = (whole[first] == whole[second]) | (long[first] & long[second] & similar)
        return equal

    return [whole, *bands], same


def _hashes(rows: NDArray[np.generic]) -> tuple[NDArray[np.uint64], NDArray[np.bool_], NDArray[np.uint32]]:
    """Hash each text: as a whole, whether it is long enough for more, and its MinHashes."""
    texts = [_normalised(row) for row in rows]
    whole = np.array([_digest(text) for text in texts], np.uint64)
    long = np.array([len(text) >= _SHORT for text in texts], bool)
    return whole, long, _signatures(texts, long)


def _normalised(row: NDArray[np.generic]) -> bytes:
    """Write a text in lower case, each digit as 0, without blanks and punctuation."""
    content = row.astype(np.uint8)
    kept: NDArray[np.uint8] = _NORMAL[content[_LETTERS[content] | _DIGITS[content]]]
    return kept.tobytes()


def _digest(text: bytes) -> int:
    return int.from_bytes(hashlib.blake2b(text, digest_size=8).digest(), "little")


_FACTORS = np.random.default_rng(7).integers(1, 2**32, _HASHES, dtype=np.uint64).astype(np.uint32) | np.uint32(1)
_TERMS = np.random.default_rng(8).integers(0, 2**32, _HASHES, dtype=np.uint64).astype(np.uint32)
_MIX = np.uint64(0x9E3779B97F4A7C15)


def _signatures(texts: list[bytes], long: NDArray[np.bool_]) -> NDArray[np.uint32]:
    """Compute the MinHashes `(n, 32)` of the runs of 8 bytes of each long text; those of others are zeros."""
    signatures = np.zeros((len(texts), _HASHES), np.uint32)
    for number in np.flatnonzero(long).tolist():
        content = np.frombuffer(texts[number], np.uint8)
        runs = np.lib.stride_tricks.sliding_window_view(content, _RUN)
        words = np.ascontiguousarray(runs).view(np.uint64)[:, 0] * _MIX
        hashes = (words >> np.uint64(32)).astype(np.uint32)
        signatures[number] = (hashes[:, None] * _FACTORS + _TERMS).min(axis=0)
    return signatures
