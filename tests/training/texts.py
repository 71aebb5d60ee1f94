"""Texts as rows of bytes, for tests."""

import numpy as np

from training.modalities.text.cleaning import Rows
from weir.catalog.inputs import Text


def text(most_bytes: int) -> Text:
    """Describe texts of at most so many bytes."""
    return Text(name="text", most_bytes=most_bytes)


def rows(most_bytes: int, *texts: str | bytes) -> Rows:
    """Write texts as rows `(n, most_bytes)`; what is longer is cut."""
    out = np.zeros((len(texts), most_bytes), np.int32)
    for row, one in zip(out, texts, strict=True):
        content = (one.encode() if isinstance(one, str) else one)[:most_bytes]
        row[: len(content)] = np.frombuffer(content, np.uint8)
    return out


def two_moods(count: int, most_bytes: int) -> tuple[Rows, "np.ndarray[tuple[int], np.dtype[np.int64]]"]:
    """Make texts of two labels, which differ in a few of their words."""
    random = np.random.default_rng(0)
    words = (["good", "fine", "Kind"], ["bad", "poor", "Übel"])
    fill = ["one", "two", "three", "four", "five", "six"]
    labels = random.integers(0, 2, count)
    texts = [
        " ".join([*random.choice(fill, 4), random.choice(words[label]), *random.choice(fill, 2)]) for label in labels
    ]
    return rows(most_bytes, *texts), labels.astype(np.int64)
