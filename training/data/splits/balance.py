"""How many rows each label has."""

from collections.abc import Mapping, Sequence

import numpy as np

from weir.engine.arrays import Floats, Labels

FEW_ROWS = 10
"""of fewer rows of one label, a share is known in steps of more than a tenth"""
_SHOWN = 10
"""labels that one line lists"""


def rows_of(names: Sequence[str], labels: Labels) -> dict[str, int]:
    """Count the rows of each label."""
    return dict(zip(names, np.bincount(labels, minlength=len(names)).tolist(), strict=True))


def balanced(labels: Labels) -> Floats:
    """Weigh rows so that every label has the same sum of weights: `(rows,)`, 1 on average."""
    counts = np.bincount(labels)
    weights: Floats = (len(labels) / (np.count_nonzero(counts) * counts[labels])).astype(np.float32)
    return weights


def rare(parts: Mapping[str, Mapping[str, int]]) -> str:
    """List the labels with fewer than 10 rows in some part; empty when there are none.

    Args:
        parts: name of the part -> label -> rows.
    """
    first, *_ = parts.values()
    few = [label for label in first if min(counts[label] for counts in parts.values()) < FEW_ROWS]
    shown = [
        f"{label} ({', '.join(f'{counts[label]} {part}' for part, counts in parts.items())})" for label in few[:_SHOWN]
    ]
    return "; ".join([*shown, *([f"{len(few) - _SHOWN} more labels"] if len(few) > _SHOWN else [])])
