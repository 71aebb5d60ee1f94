"""Groups of labels: every label is in exactly one group."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from weir.engine.arrays import Floats


@dataclass(frozen=True)
class Hierarchy:
    """Named groups over labels `0 … L - 1`, and the prior by which a group's probability is spread over its labels."""

    groups: tuple[str, ...]
    members: tuple[tuple[int, ...], ...]
    """label indices of each group, ascending"""
    prior: tuple[float, ...]
    """share of each label, `(L,)`"""

    @classmethod
    def named(cls, groups: Mapping[str, Sequence[str]], labels: Sequence[str], prior: Sequence[float]) -> "Hierarchy":
        """Build it from label names, which partition the labels."""
        index = {label: number for number, label in enumerate(labels)}
        members = tuple(tuple(sorted(index[label] for label in named)) for named in groups.values())
        return cls(tuple(groups), members, tuple(prior))

    def members_of(self, group: str) -> tuple[int, ...]:
        """Return the label indices of a group, by its name."""
        return self.members[self.groups.index(group)]

    @cached_property
    def group_of(self) -> NDArray[np.intp]:
        """Number of each label's group, `(L,)`."""
        group_of = np.empty(len(self.prior), np.intp)
        for number, labels in enumerate(self.members):
            group_of[list(labels)] = number
        return group_of

    def mass(self, posterior: Floats) -> Floats:
        """Return the probability of each group, `(n, groups)`: the sum of a posterior `(n, L)` over its labels."""
        mass = np.empty((len(posterior), len(self.groups)), np.float32)
        for number, labels in enumerate(self.members):
            mass[:, number] = posterior[:, labels].sum(axis=1)
        return mass

    def prior_rows(self, rows: int) -> Floats:
        """Return the prior as the posterior of so many rows, `(rows, L)`."""
        return np.broadcast_to(np.asarray(self.prior, np.float32), (rows, len(self.prior)))

    def spread(self, mass: Floats) -> Floats:
        """Spread groups over their labels by the prior: `p(label) = p(group) * prior(label | group)`, `(n, L)`."""
        return mass[:, self.group_of] * self.conditional

    @cached_property
    def conditional(self) -> Floats:
        """`prior(label | group)`, `(L,)`; equal shares in a group whose prior is zero."""
        prior = np.asarray(self.prior, np.float64)
        conditional = np.empty(len(prior), np.float64)
        for labels in self.members:
            share = prior[list(labels)]
            total = share.sum()
            conditional[list(labels)] = share / total if total > 0 else 1 / len(labels)
        return conditional.astype(np.float32)


NO_GROUPS = Hierarchy((), (), ())
"""stands where a model has no groups"""
