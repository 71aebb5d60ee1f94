"""The promise `abstain_above`: a threshold below which the last level gives no label, and the error of those it gives.

Selective classification (Geifman & El-Yaniv 2017, arXiv 1705.08500). The error of the labels given need not fall with
the threshold, so rules are tested in an order that validation rows fix (Learn-then-Test, arXiv 2110.01052): from
the safest downwards, each answering more rows than the one before; the last that passed is kept.

Where labels have groups, a rule is a pair: the threshold of labels, and one from which an abstaining row gets its
group. It passes when both promises do, that on labels and that on labels and groups together; such a pair may be
tested at the whole of delta (an intersection-union test: Berger 1982).
"""

from collections.abc import Sequence

import msgspec
import numpy as np

from training.certifying.binomial import p_value
from training.certifying.final_posterior import FinalPredictions
from weir.catalog.promises import Abstention
from weir.engine.abstention import decide
from weir.engine.arrays import Floats
from weir.engine.hierarchy import Hierarchy

_CANDIDATES = 100
"""thresholds that are tried"""
_DECIMALS = 4


def certify_abstention(
    validation: FinalPredictions,
    certification: FinalPredictions,
    max_error: float,
    delta: float,
    hierarchy: Hierarchy,
) -> Abstention | None:
    """Find the rule that answers most and whose error is certified; None when there is none.

    Args:
        validation: rows that fix the order.
        certification: the rows that carry the promise, which nothing else has used.
        max_error: highest share of wrong labels among those given, and of wrong labels and groups.
        delta: chance that the promise does not hold.
        hierarchy: the groups, if there are any.
    """
    blank = Abstention(max_error=max_error, delta=delta, threshold=0, rows=0, answered=0, wrong=0, p_value=1)
    return fixed_sequence_test(
        candidate_rules(validation, len(certification.labels), blank, hierarchy), certification, hierarchy
    )


def candidate_rules(
    validation: FinalPredictions, rows: int, blank: Abstention, hierarchy: Hierarchy
) -> list[Abstention]:
    """Put rules in the order of their tests: thresholds as in `threshold_order`, each with that of its groups."""
    thresholds = threshold_order(validation, rows, blank.max_error)
    plain = [msgspec.structs.replace(blank, threshold=threshold) for threshold in thresholds]
    if not hierarchy.groups:
        return plain
    return [
        msgspec.structs.replace(rule, group_threshold=_group_threshold(validation, rule, hierarchy)) for rule in plain
    ]


def fixed_sequence_test(
    candidates: Sequence[Abstention], certification: FinalPredictions, hierarchy: Hierarchy
) -> Abstention | None:
    """Test one rule after the other until one fails, and keep the last that passed; None when the first fails."""
    passed: Abstention | None = None
    for rule in candidates:
        result = evaluate_rule(certification, rule, hierarchy)
        if result.p_value > rule.delta:
            break
        passed = result
    return passed


def threshold_order(validation: FinalPredictions, rows: int, max_error: float) -> list[float]:
    """Put thresholds in the order of their tests: the safest on these rows first, then ever lower ones, 0 the last.

    The safest is the one whose p-value would be least if `rows` other rows were like these.
    """
    predictions = validation.predictions
    thresholds = _candidates(predictions.confidence[predictions.at_last_level])[::-1]
    expected = []
    for threshold in thresholds:
        answered, wrong = (count * rows / len(validation.labels) for count in validation.counts(threshold))
        expected.append(p_value(int(wrong), int(answered), max_error))
    return thresholds[int(np.argmin(expected)) :]


def _group_threshold(validation: FinalPredictions, rule: Abstention, hierarchy: Hierarchy) -> float | None:
    """Find the lowest threshold of groups under which labels and groups are wrong no more often than labels alone.

    On validation rows; None when no group may be given.
    """
    answered, wrong = validation.counts(rule.threshold)
    for least in _candidates(decide(validation.predictions, rule, hierarchy).group_confidence):
        candidate = msgspec.structs.replace(rule, group_threshold=least)
        grouped, grouped_wrong = _grouped(validation, candidate, hierarchy)
        if grouped and (wrong + grouped_wrong) * max(answered, 1) <= wrong * (answered + grouped):
            return least
    return None


def evaluate_rule(rows: FinalPredictions, rule: Abstention, hierarchy: Hierarchy) -> Abstention:
    """Test a rule on certification rows."""
    answered, wrong = rows.counts(rule.threshold)
    p = p_value(wrong, answered, rule.max_error)
    grouped, grouped_wrong = _grouped(rows, rule, hierarchy) if hierarchy.groups else (0, 0)
    if grouped:
        p = max(p, p_value(wrong + grouped_wrong, answered + grouped, rule.max_error))
    return msgspec.structs.replace(
        rule,
        rows=len(rows.labels),
        answered=answered,
        wrong=wrong,
        grouped=grouped,
        grouped_wrong=grouped_wrong,
        p_value=p,
    )


def _grouped(rows: FinalPredictions, rule: Abstention, hierarchy: Hierarchy) -> tuple[int, int]:
    """Count the rows that get a group and no label, and those that get a wrong one."""
    abstentions = decide(rows.predictions, rule, hierarchy)
    with_group = abstentions.abstains & (abstentions.group >= 0)
    wrong = with_group & (abstentions.group != hierarchy.group_of[rows.labels])
    return int(with_group.sum()), int(wrong.sum())


def _candidates(confidences: Floats) -> list[float]:
    """List thresholds worth trying, low ones first: 0, and quantiles of the confidences that are numbers."""
    known = confidences[np.isfinite(confidences)]
    quantiles = np.quantile(known, np.linspace(0, 1, _CANDIDATES)).tolist() if len(known) else []
    return sorted({0.0, *(round(value, _DECIMALS) for value in quantiles)})
