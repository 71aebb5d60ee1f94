"""Groups of labels: found by what a generalist confuses, or given."""

from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray
from sklearn.cluster import SpectralClustering

from weir.errors import BadInput

Shares = NDArray[np.float64]
Numbers = NDArray[np.int64]

_FEWEST_GROUPS = 2
_TOUCH = 1e-4
"""an affinity that counts for less than one confusion among a thousand rows"""
_ROUNDING = 9
"""decimals from which eigenvalues, and the gaps between them, differ"""
_WHOLE_NAME = 3
"""labels up to which a group's name says them all"""


def confusion(said: Numbers, labels: Numbers, count: int) -> Shares:
    """Count what is said of the rows of each label: `P(said | label)`, `(L, L)`, a row for each label.

    A label without rows has a row of zeros.

    Args:
        said: the label that each row is given, `(rows,)`.
        labels: the right one, `(rows,)`.
        count: number of labels L; they are 0 to L - 1.
    """
    rows = np.bincount(labels * count + said, minlength=count * count).reshape(count, count)
    shares: Shares = rows / np.maximum(rows.sum(axis=1, keepdims=True), 1)
    return shares


def countable(labels: int, count: int | None) -> None:
    """Refuse a number of groups that so many labels can't be in. Raises `BadInput`."""
    if labels <= _FEWEST_GROUPS:
        raise BadInput(f"groups are found among at least {_FEWEST_GROUPS + 1} labels", labels)
    if count is not None and not _FEWEST_GROUPS <= count < labels:
        raise BadInput(f"{labels} labels are in {_FEWEST_GROUPS} to {labels - 1} groups", count)


def found(confusion: Shares, count: int | None) -> tuple[tuple[int, ...], ...]:
    """Group labels that are confused with each other, by spectral clustering (Ng, Jordan & Weiss 2002).

    Every label is in one group. Groups are in the order of their smallest labels, and labels ascend.

    Args:
        confusion: `P(said | label)`, `(L, L)`.
        count: number of groups, 2 to L - 1; none: where the eigenvalues of the normalised Laplacian have their largest
            gap (von Luxburg 2007, arXiv 0711.0189).

    Raises:
        BadInput: L is below 3, or the count outside its range.
    """
    labels = len(confusion)
    countable(labels, count)
    affinity = _affinity(confusion)
    method = SpectralClustering(
        _eigengap(affinity) if count is None else count,
        affinity="precomputed",
        assign_labels="cluster_qr",
        random_state=0,  # where its eigensolver starts
    )
    group_of = method.fit_predict(affinity)
    return tuple(sorted(tuple(np.flatnonzero(group_of == group).tolist()) for group in np.unique(group_of)))


def _affinity(confusion: Shares) -> Shares:
    """Take how often two labels are confused, either way, `(L, L)`; how often a label is right says nothing.

    A touch is added to every pair, for the method asks for a connected graph and labels may be confused with none. It
    falls with the labels' numbers: were it the same everywhere, labels that nothing tells apart (all of them, when
    nothing is confused) would be grouped by rounding errors. So they are grouped by their order.
    """
    number = np.arange(len(confusion))
    affinity: Shares = (confusion + confusion.T) / 2 + _TOUCH / (1 + number[:, None] + number)
    np.fill_diagonal(affinity, 0)
    return affinity


def _eigengap(affinity: Shares) -> int:
    """Count the groups, 2 to L - 1: as many as there are eigenvalues before the largest gap; the fewest of equals.

    Eigenvalues above 1 are those of labels that are unlike, not of groups, and count as 1.
    """
    degree = affinity.sum(axis=1)
    laplacian = np.eye(len(affinity)) - affinity / np.sqrt(np.outer(degree, degree))
    values = np.minimum(np.linalg.eigvalsh(laplacian), 1)
    gaps = np.round(np.diff(values), _ROUNDING)
    return int(gaps[_FEWEST_GROUPS - 1 :].argmax()) + _FEWEST_GROUPS


def names(groups: Sequence[Sequence[int]], labels: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """Name each group after its labels: `a+b+c`, or `a+b+2 more` for a group of four.

    A label is in one group only, so names differ, unless labels are made to look like joined ones.

    Raises:
        BadInput: two groups would have one name.
    """
    members = [tuple(labels[label] for label in group) for group in groups]
    named = [_name(group) for group in members]
    if len(set(named)) < len(named):
        raise BadInput("found groups have different names, or they are named in the task", named)
    return dict(zip(named, members, strict=True))


def _name(labels: Sequence[str]) -> str:
    if len(labels) <= _WHOLE_NAME:
        return "+".join(labels)
    return f"{labels[0]}+{labels[1]}+{len(labels) - 2} more"


def given(groups: Mapping[str, Sequence[str]], labels: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """Check that named groups divide the labels: each label is in one of them.

    Groups stay in their order; the labels of each are put in the order of `labels`.

    Raises:
        BadInput: fewer than two groups, one without name or labels, or a label that is unknown or not in one group.
    """
    if len(groups) < _FEWEST_GROUPS:
        raise BadInput("labels are divided into at least two groups", list(groups))
    for name, members in groups.items():
        if not name.strip() or not members:
            raise BadInput("a group has a name and at least one label", {name: list(members)})
    times = Counter(label for members in groups.values() for label in members)
    if unknown := sorted(set(times) - set(labels)):
        raise BadInput(f"labels of groups are among {', '.join(labels)}", ", ".join(unknown))
    if wrong := [f"{label} in {times[label]}" for label in labels if times[label] != 1]:
        raise BadInput("every label is in one group", ", ".join(wrong))
    return {name: tuple(label for label in labels if label in members) for name, members in groups.items()}
