"""When to abstain: a threshold under which the last level's labels are not given, and the error of those that are.

Selective classification (Geifman & El-Yaniv 2017, arXiv 1705.08500). The error of what is answered need not fall with
the threshold, so thresholds are tested in an order that validation rows fix (Learn-then-Test, arXiv 2110.01052): from
the one that promises most downwards, each answering more rows than the one before; the last that passed is kept.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from training.certification import p_value
from weir.abstention import abstains
from weir.cascade import Answers
from weir.promises import Abstention

Labels = NDArray[np.int64]

_TRIED = 100
_ROUNDING = 4


def abstention(
    validation: tuple[Answers, Labels], certification: tuple[Answers, Labels], max_error: float, delta: float
) -> Abstention | None:
    """Find the lowest threshold whose error on answered rows is certified; None when there is none.

    Args:
        validation: what the cascade answers rows that fix the order, and their labels.
        certification: the same of the rows that carry the promise, which nothing else has seen.
        max_error: highest share of wrong labels among those given.
        delta: chance that the promise is wrong.
    """
    passed: Abstention | None = None
    rows = len(certification[1])
    for threshold in order(*validation, rows, max_error):
        answered, wrong = _counts(*certification, threshold)
        p = p_value(wrong, answered, max_error)
        if p > delta:
            break
        passed = Abstention(
            max_error=max_error,
            delta=delta,
            threshold=threshold,
            rows=rows,
            answered=answered,
            wrong=wrong,
            p_value=p,
        )
    return passed


def order(answers: Answers, labels: Labels, rows: int, max_error: float) -> list[float]:
    """Put thresholds in the order of their tests: the safest on these rows first, then ever lower ones, 0 the last.

    The safest is the one whose p-value would be least if `rows` other rows were like these.
    """
    quantiles: Sequence[float] = ()
    if answers.at_end.any():
        quantiles = np.quantile(answers.confidence[answers.at_end], np.linspace(0, 1, _TRIED)).tolist()
    thresholds = sorted({0.0, *(round(value, _ROUNDING) for value in quantiles)}, reverse=True)
    expected = []
    for threshold in thresholds:
        answered, wrong = (count * rows / len(labels) for count in _counts(answers, labels, threshold))
        expected.append(p_value(int(wrong), int(answered), max_error))
    return thresholds[int(np.argmin(expected)) :]


def _counts(answers: Answers, labels: Labels, threshold: float) -> tuple[int, int]:
    """Count the rows that get a label, and those that get a wrong one."""
    answered = ~abstains(answers, threshold)
    return int(answered.sum()), int((answered & (answers.label != labels)).sum())
