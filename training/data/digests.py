"""Rows are known again by a digest of their values."""

import hashlib
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from weir.engine.arrays import Floats, Labels

BYTES = 8
"""of a digest: among a million rows two share one with a chance of 3e-8"""


def digests(rows: Floats) -> list[bytes]:
    """Compute the digest of each row of `(n, …)`, from its values as float32; -0 is 0, as it is to every network."""
    zero = np.float32(0)
    return [hashlib.blake2b((row.astype("<f4") + zero).tobytes(), digest_size=BYTES).digest() for row in rows]


def labelled(rows: Floats, labels: Labels) -> str:
    """Name rows and their labels `(n,)` by their content, in whatever order they come: a sha256."""
    pairs = {digest + label.tobytes() for digest, label in zip(digests(rows), labels.astype("<i8"), strict=True)}
    return hashlib.sha256(b"".join(sorted(pairs))).hexdigest()


def repeated(each: Iterable[bytes]) -> NDArray[np.bool_]:
    """Mark the rows whose digest an earlier one has."""
    earlier: set[bytes] = set()
    marked = []
    for digest in each:
        marked.append(digest in earlier)
        earlier.add(digest)
    return np.array(marked, bool)
