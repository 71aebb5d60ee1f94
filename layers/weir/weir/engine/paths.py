"""Each row's path through the levels, for a person to read and a program to parse."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Generic

from weir.catalog.levels import Experts, N
from weir.engine.cascade import Cascade
from weir.engine.predictions import Predictions


def paths(predictions: Predictions, cascade: Cascade[N]) -> list[str]:
    """Describe each row's path: `tiny 0.6213 < 0.9100; small 0.9921 >= 0.9500`.

    There is one part for each level that saw the row, joined by `"; "`: the level's name, its confidence, and its
    threshold; the last level, and one at which no row exits, have none. The part of a level of experts names the group
    taken: `experts (shoes) 0.9712`. A row that reached the last level of a model that may abstain has one part more,
    `answers 0.9712 >= 0.8000` or `abstains 0.5210 < 0.8000`, and an abstaining row, where groups are given,
    `group shoes 0.9910 >= 0.9500` or `no group 0.8110 < 0.9500`. Confidences in these two are those of the answer.

    Args:
        predictions: with the trace of the levels.
        cascade: that made them.
    """
    return [
        "; ".join(_Row(predictions, cascade, row).parts(trace)) for row, trace in enumerate(predictions.trace.tolist())
    ]


@dataclass(frozen=True)
class _Row(Generic[N]):
    predictions: Predictions
    cascade: Cascade[N]
    number: int

    def parts(self, trace: Sequence[float]) -> Iterator[str]:
        exit_level = int(self.predictions.exit_level[self.number])
        for level, confidence in enumerate(trace):
            if confidence == confidence:  # noqa: PLR0124 (NaN: the level did not see the row)
                yield self._level(level, confidence, exit_level)
        if exit_level == len(self.cascade.levels) - 1:
            yield from self._end()

    def _level(self, number: int, confidence: float, exit_level: int) -> str:
        level, abstentions = self.cascade.levels[number], self.predictions.abstentions
        name = level.name
        if isinstance(level, Experts) and abstentions is not None:
            name = f"{name} ({self.cascade.hierarchy.groups[abstentions.best_group[self.number]]})"
        if number == len(self.cascade.levels) - 1 or level.threshold is None:
            return f"{name} {confidence:.4f}"
        return f"{name} {confidence:.4f} {'>=' if number == exit_level else '<'} {level.threshold:.4f}"

    def _end(self) -> Iterator[str]:
        rule, abstentions, groups = self.cascade.abstention, self.predictions.abstentions, self.cascade.hierarchy.groups
        if rule is None or abstentions is None:
            return
        confidence = self.predictions.confidence[self.number]
        if not abstentions.abstains[self.number]:
            yield f"answers {confidence:.4f} >= {rule.threshold:.4f}"
            return
        yield f"abstains {confidence:.4f} < {rule.threshold:.4f}"
        if groups and rule.group_threshold is not None:
            group = abstentions.group[self.number]
            name, sign = (f"group {groups[group]}", ">=") if group >= 0 else ("no group", "<")
            yield f"{name} {abstentions.group_confidence[self.number]:.4f} {sign} {rule.group_threshold:.4f}"
