"""A text as a file that a person can look at."""

import numpy as np

from training.modalities.text.cleaning import Rows

EXTENSION = ".txt"


def text(row: Rows) -> str:
    """Return the text of one row `(most_bytes,)`; what was cut within a character is left out."""
    content: bytes = row[row != 0].astype(np.uint8).tobytes()
    return content.decode(errors="ignore")


def file(row: Rows) -> bytes:
    """Write one row as UTF-8."""
    return text(row).encode()
