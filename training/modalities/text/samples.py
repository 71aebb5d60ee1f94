"""A text as a file that a person can look at."""

import numpy as np

from training.modalities.text.cleaning import Rows

EXTENSION = ".txt"


def file(row: Rows) -> bytes:
    """Write one row `(most_bytes,)` as UTF-8; what was cut within a character is left out."""
    content: bytes = row[row != 0].astype(np.uint8).tobytes()
    return content.decode(errors="ignore").encode()
