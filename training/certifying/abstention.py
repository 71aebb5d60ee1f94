"""When to abstain: a threshold under which the last level's labels are not given, and the error of those that are.

Selective classification (Geifman & El-Yaniv 2017, arXiv 1705.08500). The error of what is answered need not fall with
the threshold, so rules are tested in an order that validation rows fix (Learn-then-Test, arXiv 2110.01052): from
the one that promises most downwards, each answering more rows than the one before; the last that passed is kept.

Where labels have groups, a rule is a pair: the threshold of labels, and one from which an abstaining row gets its
group. It passes when both promises do, that of labels and that of labels and groups together; such a pair may be
tested at the whole of delta (an intersection-union test: Berger 1982).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import msgspec
import numpy as np
from numpy.typing import NDArray

from training.certifying.certification import p_value
from weir.catalog.promises import Abstention
from weir.engine.abstention import abstains, give
from weir.engine.cascade import Predictions
from weir.engine.hierarchy import Hierarchy

Labels = NDArray[np.int64]

_TRIED = 100
_ROUNDING = 4


@dataclass(frozen=True)
class Answered:
    """What the cascade answers some rows, and what would have been right."""

    answers: Predictions
    labels: Labels
    """`(rows,)`"""

    def counts(self, threshold: float) -> tuple[int, int]:
        """Count the rows that get a label, and those that get a wrong one."""
        answered = ~abstains(self.answers, threshold)
        return int(answered.sum()), int((answered & (self.answers.label != self.labels)).sum())


def abstention(
    validation: Answered,
    certification: Answered,
    max_error: float,
    delta: float,
    hierarchy: Hierarchy | None = None,
) -> Abstention | None:
    """Find the rule that answers most and whose error is certified; None when there is none.

    Args:
        validation: rows that fix the order.
        certification: the rows that carry the promise, which nothing else has seen.
        max_error: highest share of wrong labels among those given, and of wrong labels and groups.
        delta: chance that the promise is wrong.
        hierarchy: the groups, if there are any.
    """
    blank = Abstention(max_error=max_error, delta=delta, threshold=0, rows=0, answered=0, wrong=0, p_value=1)
    return walk(rules(validation, len(certification.labels), blank, hierarchy), certification, hierarchy)


def rules(validation: Answered, rows: int, blank: Abstention, hierarchy: Hierarchy | None) -> list[Abstention]:
    """Put rules in the order of their tests: thresholds as in `order`, each with that of its groups."""
    found = [
        msgspec.structs.replace(blank, threshold=threshold) for threshold in order(validation, rows, blank.max_error)
    ]
    if hierarchy is None:
        return found
    return [
        msgspec.structs.replace(rule, group_threshold=_group_threshold(validation, rule, hierarchy)) for rule in found
    ]


def walk(tried: Sequence[Abstention], certification: Answered, hierarchy: Hierarchy | None) -> Abstention | None:
    """Test one rule after the other until one fails, and keep the last that passed; None when the first fails."""
    passed: Abstention | None = None
    for rule in tried:
        found = tested(certification, rule, hierarchy)
        if found.p_value > rule.delta:
            break
        passed = found
    return passed


def order(known: Answered, rows: int, max_error: float) -> list[float]:
    """Put thresholds in the order of their tests: the safest on these rows first, then ever lower ones, 0 the last.

    The safest is the one whose p-value would be least if `rows` other rows were like these.
    """
    answers = known.answers
    quantiles: Sequence[float] = ()
    sure = answers.confidence[answers.at_end & np.isfinite(answers.confidence)]
    if len(sure):
        quantiles = np.quantile(sure, np.linspace(0, 1, _TRIED)).tolist()
    thresholds = sorted({0.0, *(round(value, _ROUNDING) for value in quantiles)}, reverse=True)
    expected = []
    for threshold in thresholds:
        answered, wrong = (count * rows / len(known.labels) for count in known.counts(threshold))
        expected.append(p_value(int(wrong), int(answered), max_error))
    return thresholds[int(np.argmin(expected)) :]


def _group_threshold(known: Answered, rule: Abstention, hierarchy: Hierarchy) -> float | None:
    """Find the lowest threshold of groups under which labels and groups are wrong no more often than labels alone.

    On validation rows; None when no group may be given.
    """
    answered, wrong = known.counts(rule.threshold)
    for least in _group_candidates(known, rule, hierarchy):
        grouped, astray = _grouped(known, msgspec.structs.replace(rule, group_threshold=least), hierarchy)
        if grouped and (wrong + astray) * max(answered, 1) <= wrong * (answered + grouped):
            return least
    return None


def tested(rows: Answered, rule: Abstention, hierarchy: Hierarchy | None) -> Abstention:
    """Test a rule on certification rows."""
    answered, wrong = rows.counts(rule.threshold)
    p = p_value(wrong, answered, rule.max_error)
    grouped, astray = (0, 0) if hierarchy is None else _grouped(rows, rule, hierarchy)
    if grouped:
        p = max(p, p_value(wrong + astray, answered + grouped, rule.max_error))
    return msgspec.structs.replace(
        rule,
        rows=len(rows.labels),
        answered=answered,
        wrong=wrong,
        grouped=grouped,
        grouped_wrong=astray,
        p_value=p,
    )


def _grouped(rows: Answered, rule: Abstention, hierarchy: Hierarchy) -> tuple[int, int]:
    """Count the rows that get a group and no label, and those that get a wrong one."""
    given = give(rows.answers, rule, hierarchy)
    told = given.abstains & (given.group >= 0)
    return int(told.sum()), int((told & (given.group != hierarchy.group_of[rows.labels])).sum())


def _group_candidates(known: Answered, rule: Abstention, hierarchy: Hierarchy) -> list[float]:
    """Take thresholds of groups worth trying, low ones first: what abstaining rows have."""
    sure = give(known.answers, rule, hierarchy).group_confidence
    sure = sure[np.isfinite(sure)]
    if not len(sure):
        return [0.0]
    return sorted({0.0, *(round(float(value), _ROUNDING) for value in np.quantile(sure, np.linspace(0, 1, _TRIED)))})
