"""Which rows get a label, which a group, and which neither."""

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from weir.catalog.promises import Abstention
from weir.engine.hierarchy import Hierarchy
from weir.engine.predictions import Abstentions, Predictions

NO_GROUP = -1


def abstains(predictions: Predictions, threshold: float) -> NDArray[np.bool_]:
    """Return which rows reached the last level with a confidence below the threshold, `(n,)`; NaN is below it."""
    return predictions.at_last_level & ~(predictions.confidence >= threshold)


def decide(predictions: Predictions, rule: Abstention | None, hierarchy: Hierarchy) -> Abstentions:
    """Let rows that reached the last level abstain when their confidence is too low.

    A row with a label has that label's group. An abstaining row has its most probable group when that group's
    probability reaches the rule's threshold; ties go to the lowest number.

    Args:
        predictions: of the rows.
        rule: when to abstain; None: never.
        hierarchy: the model's groups, if it has any.
    """
    rows = len(predictions.label)
    silent = abstains(predictions, rule.threshold) if rule else np.zeros(rows, bool)
    best = hierarchy.group_of[predictions.label] if hierarchy.groups else np.full(rows, NO_GROUP, np.intp)
    group, group_confidence = best.copy(), np.full(rows, np.nan, np.float32)
    if hierarchy.groups:
        mass = hierarchy.mass(predictions.probabilities[silent])
        group_confidence[silent], group[silent] = mass.max(axis=1), mass.argmax(axis=1)
        least = rule.group_threshold if rule else None
        group[silent & ~(group_confidence >= least) if least is not None else silent] = NO_GROUP
    return Abstentions(silent, group, group_confidence, best)


def label_names(predictions: Predictions, names: Sequence[str]) -> list[str]:
    """Return each row's label; the empty string where the row abstains."""
    labels = [names[number] for number in predictions.label.tolist()]
    if predictions.abstentions is None:
        return labels
    silent = predictions.abstentions.abstains.tolist()
    return ["" if abstaining else name for name, abstaining in zip(labels, silent, strict=True)]


def group_names(abstentions: Abstentions, names: Iterable[str]) -> list[str]:
    """Return each row's group; the empty string where it has none."""
    known = (*names, "")
    return [known[number] for number in abstentions.group.tolist()]
