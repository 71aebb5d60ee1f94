"""Which rows get a label, which a group, and which nothing."""

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from weir.catalog.promises import Abstention
from weir.engine.cascade import Abstentions, Predictions
from weir.engine.hierarchy import Hierarchy

Floats = NDArray[np.float32]

NO_GROUP = -1


def abstains(answers: Predictions, threshold: float) -> NDArray[np.bool_]:
    """Tell which rows reached the last level and are less sure than the threshold there, `(n,)`; NaN is never sure."""
    return answers.at_end & ~(answers.confidence >= threshold)


def give(answers: Predictions, rule: Abstention | None, hierarchy: Hierarchy | None) -> Abstentions:
    """Let rows that reached the last level abstain when they are not sure enough.

    A row with a label has that label's group. An abstaining row has its most probable group when that is sure enough,
    ties to the lowest number.

    Args:
        answers: of the rows.
        rule: when to abstain; None: never.
        hierarchy: the model's groups, if it has any.
    """
    rows = len(answers.label)
    silent = abstains(answers, rule.threshold) if rule else np.zeros(rows, bool)
    best = np.full(rows, NO_GROUP, np.intp) if hierarchy is None else hierarchy.group_of[answers.label]
    group, sure = best.copy(), np.full(rows, np.nan, np.float32)
    if hierarchy is not None:
        mass = hierarchy.mass(answers.probabilities[silent])
        sure[silent], group[silent] = mass.max(axis=1), mass.argmax(axis=1)
        least = rule.group_threshold if rule else None
        group[silent & ~(sure >= least) if least is not None else silent] = NO_GROUP
    return Abstentions(silent, group, sure, best)


def labels_given(answers: Predictions, names: Sequence[str]) -> list[str]:
    """Name each row's label; the empty string where the row abstains."""
    found = [names[number] for number in answers.label.tolist()]
    if answers.given is None:
        return found
    return ["" if silent else name for name, silent in zip(found, answers.given.abstains.tolist(), strict=True)]


def groups_given(given: Abstentions, names: Iterable[str]) -> list[str]:
    """Name each row's group; the empty string where it has none."""
    known = (*names, "")
    return [known[number] for number in given.group.tolist()]
