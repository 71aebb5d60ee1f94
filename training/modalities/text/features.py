"""What hashed networks see of a text: n-grams of bytes and words, each as the number of a bucket.

Bytes up to 32 are blanks, ASCII letters become lower case, and a blank is put before and behind the text. An n-gram
never reaches across a blank, as in scikit-learn's `char_wb`: blanks are its first or last byte at most. A word is a run
of letters, digits and bytes from 128 on (all that UTF-8 has outside ASCII); of a longer one its last 16 bytes count.

Two polynomial hashes, each `(h * BASE + byte) mod MODULUS` along the bytes, make a bucket. The modulus is below 2^15,
so that no product leaves int32, in which networks compute.
"""

from dataclasses import dataclass

import numpy as np

MODULUS = 32_749
"""the largest prime below 2^15"""
BASES = (257, 7_919)
MIX = (509, 31)
"""what the two hashes are multiplied by; their sum tells apart what either takes for the same"""
KIND = 7_717
"""times the size of an n-gram, or `WORD` or `PAIR`: keeps the kinds apart"""
WORD, PAIR = 6, 7
WORD_BYTES = 16
"""of a word, its last"""
BLANK = 32
BYTES = 256

FOLDED = np.arange(BYTES, dtype=np.int32)
"""byte -> the byte in its place"""
FOLDED[:BLANK] = BLANK
FOLDED[ord("A") : ord("Z") + 1] += 32
IN_WORD = np.array([byte >= 128 or chr(byte).isalnum() for byte in range(BYTES)])  # noqa: PLR2004 (UTF-8)
"""byte -> whether it belongs to a word"""


@dataclass(frozen=True)
class Features:
    """Which parts of texts are hashed, and into how many buckets; bucket 0 stands for none."""

    sizes: tuple[int, ...]
    """of n-grams, in bytes, from 2 to 5"""
    buckets: int
    words: bool = False
    """whether words and pairs of neighbouring words are hashed too"""
    first: int | None = None
    """bytes at the beginning of a text that are read; None: all"""

    def sizes_within(self, places: int) -> tuple[int, ...]:
        """Return the sizes of n-grams that so many bytes have, blanks included."""
        return tuple(size for size in self.sizes if size <= places)
