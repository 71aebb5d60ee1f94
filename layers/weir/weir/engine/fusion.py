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
    """Weighted log-linear pool: `q ∝ before ** weights[0] * probabilities ** weights[1]`, all `(n, labels)`.

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
    """Coarse to fine: `p(label) = p(group) * c(label)`, `c ∝ before(label | group) ** weight * expert(label)`.

    A group without an expert keeps the conditional of `before`. With `full`, all experts run on all rows. Without, an
    expert runs only on rows where its group can still win: `p(group)` is at least the best `p(label)` so far, groups
    tried from the most probable down. As `c <= 1`, pooled or not, `p(group)` bounds what the expert can reach: labels
    of experts that did not run keep the values of `before`, none of which can win, and the largest probability and its
    label are those of the full posterior, ties included.

    Args:
        rows: `(n, …)`, what the experts read.
        before: posterior of the levels before, `(n, labels)`.
        hierarchy: the groups.
        experts: group number -> expert, whose outputs are the group's labels in ascending order.
        before_weights: group number -> weight of `before` beside the expert; 0, also where missing: the expert alone.
        full: whether the full posterior is needed.
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
