"""How many rows one request may have."""

import math
from typing import Any

from weir.protocol.requests import MAX_ROWS

Document = dict[str, Any]

MAX_BYTES = 4_000_000
"""of the rows of one request, and of their answer: in base64, what Lambda passes on, less the JSON around them"""
_ANSWER_BYTES = 24
"""of one value of an answer, written as text"""


def rows_per_request(row_bytes: int, metadata: Document) -> int:
    """Return how many rows of a size the API takes and answers at once, at least one."""
    answered: int = sum(math.prod(output["shape"][1:]) for output in metadata["outputs"])
    return max(1, min(MAX_ROWS, MAX_BYTES // max(1, row_bytes, _ANSWER_BYTES * answered)))
