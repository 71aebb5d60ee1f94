"""Groups of labels: named in the task, those of nested folders, or found among labels that a generalist confuses."""

from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray
from sklearn.cluster import SpectralClustering

from training.task import Groups
from weir.errors import BadInput

Shares = NDArray[np.float64]
Numbers = NDArray[np.int64]

_FEWEST_GROUPS = 2
_LEAST_AFFINITY = 1e-4
"""an affinity that counts for less than one confusion among a thousand rows"""
_DECIMALS = 9
"""eigenvalues, and the gaps between them, that differ in no decimal up to this one are the same"""
_LABELS_IN_NAME = 3
"""number of labels up to which a group's name has them all"""
_SHOWN = 10
"""labels that one line lists"""


def confusion(predicted: Numbers, labels: Numbers, count: int) -> Shares:
    """Compute the confusion matrix `P(predicted | label)`, `(L, L)`, with a row for each label.

    A label without rows has a row of zeros.

    Args:
        predicted: the predicted label of each row, `(rows,)`.
        labels: the correct label of each row, `(rows,)`.
        count: number of labels L; they are 0 to L - 1.
    """
    rows = np.bincount(labels * count + predicted, minlength=count * count).reshape(count, count)
    shares: Shares = rows / np.maximum(rows.sum(axis=1, keepdims=True), 1)
    return shares


def check_count(labels: int, count: int | None) -> None:
    """Refuse a number of groups that so many labels cannot form. Raises `BadInput`."""
    if labels <= _FEWEST_GROUPS:
        raise BadInput(f"groups are found among at least {_FEWEST_GROUPS + 1} labels", labels)
    if count is not None and not _FEWEST_GROUPS <= count < labels:
        raise BadInput(f"{labels} labels are in {_FEWEST_GROUPS} to {labels - 1} groups", count)


def cluster(confusion: Shares, count: int | None) -> tuple[tuple[int, ...], ...]:
    """Group labels that are confused with each other, by spectral clustering (Ng, Jordan & Weiss 2002).

    Every label is in one group. Groups are in the order of their smallest labels, and labels ascend.

    Args:
        confusion: `P(predicted | label)`, `(L, L)`.
        count: number of groups, 2 to L - 1; None: where the eigenvalues of the normalised Laplacian have their largest
            gap (von Luxburg 2007, arXiv 0711.0189).

    Raises:
        BadInput: L is below 3, or the count is outside its range.
    """
    labels = len(confusion)
    check_count(labels, count)
    affinity = _affinity(confusion)
    method = SpectralClustering(
        _eigengap(affinity) if count is None else count,
        affinity="precomputed",
        assign_labels="cluster_qr",
        random_state=0,  # of the vector that its eigensolver starts from
    )
    group_of = method.fit_predict(affinity)
    return tuple(sorted(tuple(np.flatnonzero(group_of == group).tolist()) for group in np.unique(group_of)))


def _affinity(confusion: Shares) -> Shares:
    """Return how often two labels are confused, in either direction, `(L, L)`; the diagonal is zero.

    Every pair has a least affinity, because the method needs a connected graph and labels may be confused with none.
    It falls with the labels' numbers. If it were the same everywhere, rounding errors would group labels that nothing
    tells apart, such as all labels when nothing is confused; now their order does.
    """
    number = np.arange(len(confusion))
    affinity: Shares = (confusion + confusion.T) / 2 + _LEAST_AFFINITY / (1 + number[:, None] + number)
    np.fill_diagonal(affinity, 0)
    return affinity


def _eigengap(affinity: Shares) -> int:
    """Return the number of groups, 2 to L - 1: the number of eigenvalues before the largest gap; on a tie the fewest.

    Eigenvalues above 1 come from labels that differ, not from groups, and count as 1.
    """
    degree = affinity.sum(axis=1)
    laplacian = np.eye(len(affinity)) - affinity / np.sqrt(np.outer(degree, degree))
    values = np.minimum(np.linalg.eigvalsh(laplacian), 1)
    gaps = np.round(np.diff(values), _DECIMALS)
    return int(gaps[_FEWEST_GROUPS - 1 :].argmax()) + _FEWEST_GROUPS


def stated(
    settings: Groups, folders: Mapping[str, Sequence[str]], labels: Sequence[str]
) -> tuple[dict[str, tuple[str, ...]], str]:
    """Return the groups that the task names, or those of nested folders if it neither names nor counts any.

    Args:
        settings: of the task.
        folders: group -> its labels, of nested folders; empty if they are not nested.
        labels: all labels.

    Returns:
        The groups, and where they are from; or none, if groups are to be found, and why those of nested folders are not
        used.

    Raises:
        BadInput: the groups do not partition the labels.
    """
    if settings.named:
        return checked(settings.named, labels), "given"
    if settings.count is not None or not folders:
        return {}, ""
    if why := _undivided(folders, labels):
        return {}, why
    return checked(folders, labels), "those of the folders"


def _undivided(folders: Mapping[str, Sequence[str]], labels: Sequence[str]) -> str:
    """Say why nested folders do not divide the labels into groups; empty if they do."""
    grouped = {label for members in folders.values() for label in members}
    if outside := [label for label in labels if label not in grouped]:
        more = f" and {len(outside) - _SHOWN} more" if len(outside) > _SHOWN else ""
        return f"no group has the labels {', '.join(outside[:_SHOWN])}{more}"
    if len(folders) < _FEWEST_GROUPS:
        return f"all labels are in one, {next(iter(folders))}"
    return "each has one label" if len(folders) == len(labels) else ""


def named(groups: Sequence[Sequence[int]], labels: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """Name each group after its labels: `a+b+c`, or `a+b+2 more` for a group of four.

    A label is in one group only, so the names differ, unless a label looks like several joined ones.

    Raises:
        BadInput: two groups would have one name.
    """
    members = [tuple(labels[label] for label in group) for group in groups]
    names = [_name(group) for group in members]
    if len(set(names)) < len(names):
        raise BadInput("groups get different names from their labels, or the task names them", names)
    return dict(zip(names, members, strict=True))


def _name(labels: Sequence[str]) -> str:
    if len(labels) <= _LABELS_IN_NAME:
        return "+".join(labels)
    return f"{labels[0]}+{labels[1]}+{len(labels) - 2} more"


def checked(groups: Mapping[str, Sequence[str]], labels: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """Check that the groups of a task divide the labels, so that each label is in one of them, and return them.

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
    if misplaced := [f"{label} in {times[label]}" for label in labels if times[label] != 1]:
        raise BadInput("every label is in one group", ", ".join(misplaced))
    return {name: tuple(label for label in labels if label in members) for name, members in groups.items()}
