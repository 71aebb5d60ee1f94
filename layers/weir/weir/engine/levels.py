"""What one level makes of rows: its calibrated probabilities, fused with the posterior of the levels before it."""

from collections.abc import Callable
from typing import Any, TypeVar

from numpy.typing import NDArray

from weir.catalog.levels import Classifier, Expert, Experts, Level, Router
from weir.engine import fusion
from weir.engine.arrays import Floats
from weir.engine.confidence import softmax
from weir.engine.hierarchy import Hierarchy

NetworkFunction = Callable[[NDArray[Any]], Floats]
"""rows `(n, …)` -> logits `(n, outputs)`"""

F = TypeVar("F", bound=NetworkFunction)


def posterior(
    level: Level[F], before: Floats | None, rows: NDArray[Any], hierarchy: Hierarchy, *, full: bool
) -> Floats:
    """Return the posterior over labels after a level, `(n, labels)`.

    Args:
        level: with a network that can be run.
        before: posterior of the levels before, `(n, labels)`; None at the first level that is run.
        rows: what the level reads, `(n, …)`.
        hierarchy: the groups, which routers and experts need.
        full: whether more than the largest probability is needed (see `fusion.refine`).
    """
    if isinstance(level, Experts):
        return _refined(level, before, rows, hierarchy, full=full)
    probabilities = _probabilities(level, rows, hierarchy)
    if level.fusion == "replace":
        return probabilities
    if before is None:
        return fusion.power(probabilities, level.weights[1])
    return fusion.pool(before, probabilities, level.weights)


def _probabilities(level: Classifier[F] | Router[F], rows: NDArray[Any], hierarchy: Hierarchy) -> Floats:
    probabilities = softmax(level.network(rows), level.temperature)
    return hierarchy.spread(probabilities) if isinstance(level, Router) else probabilities


def _refined(
    level: Experts[F], before: Floats | None, rows: NDArray[Any], hierarchy: Hierarchy, *, full: bool
) -> Floats:
    if before is None:
        before = hierarchy.prior_rows(len(rows))
    experts = {hierarchy.groups.index(group): expert for group, expert in level.experts.items()}
    return fusion.refine(
        rows,
        before,
        hierarchy,
        {number: _calibrated(expert) for number, expert in experts.items()},
        {number: expert.before_weight for number, expert in experts.items()},
        full=full,
    )


def _calibrated(expert: Expert[F]) -> fusion.Probabilities:
    return lambda rows: softmax(expert.network(rows), expert.temperature)
