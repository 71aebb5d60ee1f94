"""Labels with too few rows to be in every split."""

import math
from dataclasses import replace

import numpy as np

from training.data.dataset import Dataset
from training.data.splits.sizes import SettledSizes
from weir.errors import BadInput

_FEWEST = 4
"""rows of a label: one for each split"""
_SHOWN = 10
"""labels that one line lists"""


def without_rare_labels(data: Dataset, sizes: SettledSizes) -> tuple[Dataset, tuple[str, ...]]:
    """Leave out the rows of labels that are too rare for a part of each to be in every split.

    That is fewer than 4, or than one more than the rows for which the smallest split, stratified, gets one.

    Returns:
        The data, and a warning if any were left out.

    Raises:
        BadInput: a label is in the data's own validation or test set only, or fewer than two labels are left.
    """
    count = len(data.label_names)
    end = min(part for part in (data.validation_from, data.test_from, len(data.rows)) if part is not None)
    own = np.bincount(data.labels[:end], minlength=count)
    elsewhere = np.bincount(data.labels[end:], minlength=count)
    if len(only := np.flatnonzero((own == 0) & (elsewhere > 0))):
        names = ", ".join(data.label_names[label] for label in only[:_SHOWN].tolist())
        raise BadInput("every label of the test set is among the training rows", f"none of {names}")
    smallest = min(size for size in (sizes.validation, sizes.certification, sizes.test) if size)
    fewest = max(_FEWEST, math.ceil(end / smallest) + 1)
    rare = own < fewest
    if not rare.any():
        return data, ()
    left = np.flatnonzero(~rare)
    counts = [f"{data.label_names[label]} ({own[label]})" for label in np.flatnonzero(rare)[:_SHOWN].tolist()]
    more = f" and {rare.sum() - _SHOWN} more" if rare.sum() > _SHOWN else ""
    if len(left) < 2:  # noqa: PLR2004 (a classifier decides between them)
        got = f"{len(left)} of {count} labels has as many; fewer: {', '.join(counts)}{more}"
        raise BadInput(f"at least two labels have {fewest} rows, for one in every split", got)
    kept = np.flatnonzero(~rare[data.labels])
    numbers = np.cumsum(~rare) - 1
    kept_names = tuple(data.label_names[label] for label in left.tolist())
    smaller = data.chosen(kept)
    left_in = {group: tuple(one for one in labels if one in kept_names) for group, labels in data.hierarchy.items()}
    hierarchy = {group: labels for group, labels in left_in.items() if labels}
    smaller = replace(smaller, labels=numbers[smaller.labels], label_names=kept_names, hierarchy=hierarchy)
    dropped = len(data.rows) - len(kept)
    return smaller, (f"{dropped} rows are left out, of labels with fewer than {fewest}: {', '.join(counts)}{more}",)
