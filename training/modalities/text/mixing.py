"""Texts spliced together, from which a student learns what its teacher says of more than the training rows."""

import numpy as np

from training.modalities.text.cleaning import Rows

_CONTINUATION = 0b1000_0000, 0b1100_0000
"""the first two bits of a byte within a character of UTF-8, and the bits they are among"""
_BLANK = 32


def mixed(rows: Rows, random: np.random.Generator) -> Rows:
    """Put the end of the text before behind the beginning of each; the first gets the end of the last.

    Each gives the half of its bytes or more, and the other one as large a share of its own as is left; both are cut
    between words where they have blanks, and else between characters.
    """
    shares = random.uniform(0.5, 1, len(rows))
    out = np.zeros_like(rows)
    for number, (row, other, share) in enumerate(zip(rows, np.roll(rows, 1, axis=0), shares, strict=True)):
        first, second = _used(row), _used(other)
        begin, end = first[: _cut(first, share)], second[_cut(second, share) :]
        spliced = np.concatenate([begin, end])[: rows.shape[1]]
        spliced = spliced if len(spliced) else first
        out[number, : len(spliced)] = spliced
    return out


def _used(row: Rows) -> Rows:
    return row[: np.count_nonzero(row)]


def _cut(text: Rows, share: float) -> int:
    """Return the place nearest before a share of the text where a word begins, or else a character."""
    place = round(share * len(text))
    if place == len(text):
        return place
    begins = np.flatnonzero(text[:place] == _BLANK) + 1
    if len(begins):
        return int(begins[-1])
    bits, mask = _CONTINUATION
    while place and int(text[place]) & mask == bits:
        place -= 1
    return place
