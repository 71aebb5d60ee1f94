"""Each row's way through the levels, for a person to read and a program to parse."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from weir.catalog.promises import Abstention
from weir.engine.cascade import Predictions


@dataclass(frozen=True)
class Signs:
    """What stands along the way: names and limits."""

    names: Sequence[str]
    """of the levels"""
    thresholds: Sequence[float]
    """of the levels"""
    refines: Sequence[bool]
    """whether a level is one of experts"""
    groups: Sequence[str] = ()
    abstention: Abstention | None = None


def paths(answers: Predictions, signs: Signs) -> list[str]:
    """Tell each row's way: `tiny 0.6213 < 0.9100; small 0.9921 >= 0.9500`.

    One part for each level asked, joined by `"; "`: its name, its confidence, and the threshold it was held against;
    the last level has none, for it answers all the same. The part of a level of experts has the group taken:
    `experts (shoes) 0.9712`. A row that reached the last level of a model that may abstain has one part more,
    `answers 0.9712 >= 0.8000` or `abstains 0.5210 < 0.8000`, and an abstaining row, where groups are given,
    `group shoes 0.9910 >= 0.9500` or `no group 0.8110 < 0.9500`. Confidences in these two are those of the answer.
    """
    assert answers.trace is not None, "whoever wants paths runs the cascade traced"
    last = len(signs.names) - 1
    rows = zip(answers.trace.tolist(), answers.exit_level.tolist(), strict=True)
    told = []
    for row, (trace, end) in enumerate(rows):
        parts = [
            _asked(answers, signs, row, number, end)
            for number, sure in enumerate(trace)
            if sure == sure  # noqa: PLR0124 (NaN: not asked)
        ]
        parts += _at_the_end(answers, signs, row) if end == last else ()
        told.append("; ".join(parts))
    return told


def _asked(answers: Predictions, signs: Signs, row: int, number: int, end: int) -> str:
    assert answers.trace is not None
    name = signs.names[number]
    if signs.refines[number] and answers.given is not None:
        name = f"{name} ({signs.groups[answers.given.best_group[row]]})"
    sure = f"{name} {answers.trace[row, number]:.4f}"
    if number == len(signs.names) - 1:
        return sure
    return f"{sure} {'>=' if number == end else '<'} {signs.thresholds[number]:.4f}"


def _at_the_end(answers: Predictions, signs: Signs, row: int) -> Iterator[str]:
    rule, given = signs.abstention, answers.given
    if rule is None or given is None:
        return
    sure = answers.confidence[row]
    if not given.abstains[row]:
        yield f"answers {sure:.4f} >= {rule.threshold:.4f}"
        return
    yield f"abstains {sure:.4f} < {rule.threshold:.4f}"
    if signs.groups and rule.group_threshold is not None:
        group = given.group[row]
        told, sign = (f"group {signs.groups[group]}", ">=") if group >= 0 else ("no group", "<")
        yield f"{told} {given.group_confidence[row]:.4f} {sign} {rule.group_threshold:.4f}"
