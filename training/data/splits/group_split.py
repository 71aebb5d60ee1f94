"""A split that keeps groups whole.

scikit-learn's `StratifiedGroupKFold` splits in equal folds alone, in time that grows with groups times folds;
`GroupShuffleSplit` counts groups, not rows, and does not stratify. A split here has a size in rows.
"""

import numpy as np
from numpy.typing import NDArray

from weir.errors import BadInput

Indices = NDArray[np.intp]


def cut_whole_groups(  # noqa: PLR0913 (keywords tell them apart)
    rows: Indices, size: int, part: str, *, labels: NDArray[np.int64], groups: NDArray[np.int64], seed: int
) -> tuple[Indices, Indices]:
    """Take about `size` rows out of others, in whole groups and stratified by label: the rest, and those taken.

    Groups come in a random order, large ones first where they are over a hundredth of the size. Each is taken if no
    label exceeds its share by more than half a group; then further ones while they fit.

    Args:
        rows: numbers of the rows to take from.
        size: how many to take.
        part: what they are for, in errors.
        labels: of all rows.
        groups: of all rows; -1 for a row on its own.
        seed: of the order.

    Raises:
        BadInput: whole groups come nowhere near the size, or leave no rows.
    """
    members = _members(groups[rows], seed)
    own = labels[rows]
    shares = np.bincount(own) / len(own) * size
    taken, counts, left = np.zeros(len(rows), bool), np.zeros(len(shares)), []
    for group in members:
        kinds, times = np.unique(own[group], return_counts=True)
        after = counts[kinds] + times
        if counts.sum() + len(group) <= size and (after <= np.ceil(shares[kinds]) + (len(group) - 1) / 2).all():
            taken[group], counts[kinds] = True, after
        else:
            left.append(group)
    for group in left:
        if counts.sum() + len(group) <= size:
            taken[group] = True
            np.add.at(counts, own[group], 1)
    if not size / 2 <= taken.sum() < len(rows):
        got = f"{int(taken.sum())} of {len(rows)} rows fit; the largest group has {max(map(len, members))}"
        raise BadInput(f"about {size} rows for {part}, in whole groups, leave rows for training", got)
    return rows[~taken], rows[taken]


def _members(groups: NDArray[np.int64], seed: int) -> list[Indices]:
    """List the places of the rows of each group, in random order; groups of many rows come first, while they fit."""
    random = np.random.default_rng(seed)
    alone = np.flatnonzero(groups < 0)
    together = np.flatnonzero(groups >= 0)
    together = together[np.argsort(groups[together], kind="stable")]
    ends = np.flatnonzero(np.diff(groups[together])) + 1
    members = [*np.split(together, ends), *alone[:, None]] if len(together) else [*alone[:, None]]
    order = random.permutation(len(members))
    shuffled = [members[number] for number in order.tolist()]
    many = max(2, len(groups) // 100)
    return sorted(shuffled, key=lambda group: -len(group) if len(group) >= many else 0)
