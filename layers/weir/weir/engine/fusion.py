"""How a level's probabilities are fused with the posterior of the levels before it."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from weir.engine.arrays import LEAST_PROBABILITY, Floats
from weir.engine.hierarchy import Hierarchy

Probabilities = Callable[[NDArray[Any]], Floats]
"""rows `(n, …)` -> calibrated probabilities `(n, outputs)`"""

_LEAST = np.float32(LEAST_PROBABILITY)


def pool(before: Floats, probabilities: Floats, weights: tuple[float, float]) -> Floats:
    """Pool two posteriors log-linearly: `q ∝ before ** weights[0] * probabilities ** weights[1]`, all `(n, labels)`.

    Genest & Zidek 1986, "Combining Probability Distributions", section 3.
    """
    logs = np.log(np.maximum(probabilities, _LEAST)) * np.float32(weights[1])
    logs += np.log(np.maximum(before, _LEAST)) * np.float32(weights[0])
    return normalised(logs)


def power(probabilities: Floats, weight: float) -> Floats:
    """Raise probabilities `(n, labels)` to a power and normalise: a pool of one, or a temperature of 1 / weight."""
    return normalised(np.log(np.maximum(probabilities, _LEAST)) * np.float32(weight))


def normalised(logs: Floats) -> Floats:
    """Turn unnormalised log probabilities `(n, labels)` into probabilities; overwrites them."""
    logs -= logs.max(axis=-1, keepdims=True)
    np.exp(logs, out=logs)
    logs /= logs.sum(axis=-1, keepdims=True)
    return logs


def refine(  # noqa: PLR0913 (full is named)
    rows: NDArray[Any],
    before: Floats,
    hierarchy: Hierarchy,
    experts: Mapping[int, Probabilities],
    before_weights: Mapping[int, float],
    *,
    full: bool,
) -> Floats:
    """Refine a posterior within each group that has an expert; return it, `(n, labels)`.

    `p(label) = p(group) * c(label)`: `p(group)` is the sum of `before` over the group, and the conditional
    `c ∝ before(label | group) ** weight * expert(label)` sums to 1. Other groups keep the values of `before`.

    With `full`, every expert runs on every row, and the whole posterior is refined. Without `full`, only the largest
    probability of each row and its label are those of the full posterior, and the other values need not be.

    The pruned run takes the groups of a row from the most probable down, and runs an expert only where `p(group)` is at
    least the best `p(label)` so far. This is exact, ties included, because `c <= 1`: no label of a group that is left
    out could exceed `p(group)`, which is less than the best. These labels keep the values of `before`, which do not
    exceed `p(group)` either.

    Args:
        rows: `(n, …)`, what the experts read.
        before: posterior of the levels before, `(n, labels)`.
        hierarchy: the groups.
        experts: group number -> expert, whose outputs are the group's labels in ascending order.
        before_weights: group number -> weight of `before` beside the expert; 0, also where missing: the expert alone.
        full: whether the whole posterior is needed.
    """
    posterior = before.copy()
    mass = hierarchy.mass(before)

    def refined(group: int, chosen: NDArray[np.intp] | slice) -> Floats:
        conditional, group_mass = experts[group](rows[chosen]), mass[chosen, group, None]
        if weight := before_weights.get(group, 0.0):
            known = before[chosen].take(hierarchy.members[group], axis=1) / np.maximum(group_mass, _LEAST)
            conditional = pool(known, conditional, (weight, 1.0))
        return group_mass * conditional

    if full:
        for group in experts:
            posterior[:, hierarchy.members[group]] = refined(group, slice(None))
        return posterior
    best = _best_without_experts(before, hierarchy, experts)
    numbers = np.asarray(sorted(experts), np.intp)
    ranked = numbers[np.argsort(-mass[:, numbers], axis=1, kind="stable")]
    for turn in ranked.T:
        open_rows = np.flatnonzero(mass[np.arange(len(rows)), turn] >= best)
        for group in np.unique(turn[open_rows]).tolist():
            chosen = open_rows[turn[open_rows] == group]
            labels = refined(group, chosen)
            posterior[np.ix_(chosen, hierarchy.members[group])] = labels
            best[chosen] = np.maximum(best[chosen], labels.max(axis=1))
    return posterior


def _best_without_experts(before: Floats, hierarchy: Hierarchy, experts: Mapping[int, Probabilities]) -> Floats:
    """Return the best `p(label)` of each row among groups that have no expert, `(n,)`; 0 when all have one."""
    known = [label for group, labels in enumerate(hierarchy.members) if group not in experts for label in labels]
    best: Floats = before[:, known].max(axis=1, initial=0.0)
    return best
