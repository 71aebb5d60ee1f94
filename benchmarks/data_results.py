"""What was measured of each split of a data set, and what all of them together show."""

import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import msgspec

MOST_GAP_POINTS, MOST_TIME_RATIO, FEWEST_WINS = 1.0, 0.5, 4
"""the aims: of every set, of the median, of six sets"""


class Baseline(msgspec.Struct, frozen=True):
    """Rows that a model of scikit-learn gets right."""

    validation: int
    test: int
    alone: int
    """test rows where the end-to-end model is wrong"""
    missed: int
    """test rows that it gets wrong, and the end-to-end model right"""


class Alone(msgspec.Struct, frozen=True):
    """One network that answers every test row."""

    correct: int
    latency_us: float
    share: float
    """of the rows that it answers as a level of the cascade"""


class Measured(msgspec.Struct, frozen=True, kw_only=True):
    """One split: its rows, and what each contender makes of them."""

    trained: str
    """sha256 of the manifest"""
    learned: int
    """training rows"""
    rows: int
    """test rows"""
    epsilon: float | None
    """certified limit; None: nothing was certified, and only the last level answers"""
    networks: dict[str, Alone]
    """by the names of the levels, cheapest first; the last is the end-to-end model"""
    cascade: int
    """rows that the cascade gets right"""
    cascade_us: float
    baselines: dict[str, Baseline]

    @property
    def end_to_end(self) -> Alone:
        """The end-to-end model."""
        return list(self.networks.values())[-1]

    @property
    def time_ratio(self) -> float:
        """The cascade's time per row over that of the end-to-end model."""
        return self.cascade_us / self.end_to_end.latency_us


@dataclass(frozen=True)
class Result:
    """All splits of one data set, pooled: rows are added, ratios are medians."""

    name: str
    splits: Sequence[Measured]

    @cached_property
    def rows(self) -> int:
        """Test rows of all splits."""
        return sum(split.rows for split in self.splits)

    @property
    def end_to_end(self) -> float:
        """Accuracy of the end-to-end model, 0 to 1."""
        return sum(split.end_to_end.correct for split in self.splits) / self.rows

    @property
    def cascade(self) -> float:
        """Accuracy of the cascade, 0 to 1."""
        return sum(split.cascade for split in self.splits) / self.rows

    @property
    def best(self) -> str:
        """Name of the model of scikit-learn that gets most validation rows right."""
        names = self.splits[0].baselines
        return max(names, key=lambda name: sum(split.baselines[name].validation for split in self.splits))

    def baseline_of(self, name: str) -> float:
        """Accuracy of a model of scikit-learn, 0 to 1."""
        return sum(split.baselines[name].test for split in self.splits) / self.rows

    @property
    def gap_points(self) -> float:
        """Accuracy of the best model of scikit-learn less that of the end-to-end model, in points."""
        return 100 * (self.baseline_of(self.best) - self.end_to_end)

    @property
    def gap_error(self) -> float:
        """Standard error of the gap in points, of paired rows; rows of several splits count as independent."""
        alone, missed = (sum(getattr(split.baselines[self.best], one) for split in self.splits) for one in _UNSHARED)
        mean = (alone - missed) / self.rows
        return 100 * math.sqrt(max((alone + missed) / self.rows - mean**2, 0) / self.rows)

    @property
    def epsilon(self) -> float | None:
        """The weakest limit that a split certified; None: some split certified none."""
        limits = [split.epsilon for split in self.splits]
        return None if None in limits else max(limit for limit in limits if limit is not None)

    @property
    def time_ratio(self) -> float:
        """The median of the splits."""
        return statistics.median(split.time_ratio for split in self.splits)

    @property
    def control(self) -> str:
        """Name of the cheapest network that alone is within epsilon of the end-to-end model's accuracy.

        A network counts that is in every split; test rows decide, as they do for all figures of this table.
        """
        near = [name for name in self.shared if self.accuracy_of(name) >= self.end_to_end - (self.epsilon or 0)]
        return min(near, key=self._ratio, default=_last(self.splits[0]))

    @property
    def control_time_ratio(self) -> float:
        """The time of that network over that of the end-to-end model: the median of the splits."""
        return self._ratio(self.control)

    @property
    def shared(self) -> list[str]:
        """Names of the networks that are in every split."""
        return [name for name in self.splits[0].networks if all(name in split.networks for split in self.splits)]

    def accuracy_of(self, name: str) -> float:
        """Accuracy of a network alone, 0 to 1."""
        return sum(split.networks[name].correct for split in self.splits) / self.rows

    def _ratio(self, name: str) -> float:
        ratios = [split.networks[name].latency_us / split.end_to_end.latency_us for split in self.splits]
        return statistics.median(ratios)

    @property
    def share(self) -> float:
        """Share of the test rows that are answered before the last level."""
        answered = [sum(one.share for one in [*split.networks.values()][:-1]) * split.rows for split in self.splits]
        return sum(answered) / self.rows

    def misses(self) -> list[str]:
        """Say by how much the set misses an aim, and why."""
        reasons = []
        if self.gap_points > 0:
            chance = "as chance explains" if self.gap_points < 2 * self.gap_error else "more than chance explains"
            reasons.append(
                f"{self.best} is {self.gap_points:.2f} points ahead of the end-to-end model, {chance} "
                f"(standard error {self.gap_error:.2f})"
            )
        if self.time_ratio > MOST_TIME_RATIO:
            first = next(iter(self.splits[0].networks))
            reasons.append(
                f"the cascade takes {self.time_ratio:.2f} of the time: its first level takes {self._ratio(first):.2f}, "
                f"and {100 * (1 - self.share):.0f} % of the rows go on to the last"
            )
        return reasons

    def figures(self) -> dict[str, float]:
        """Return the set's part of the last line."""
        return {
            "end_to_end": round(self.end_to_end, 4),
            "cascade": round(self.cascade, 4),
            "baseline": round(self.baseline_of(self.best), 4),
            "time_ratio": round(self.time_ratio, 4),
            "control_time_ratio": round(self.control_time_ratio, 4),
        }


_UNSHARED = ("alone", "missed")


def _last(split: Measured) -> str:
    return list(split.networks)[-1]


def figures(results: Sequence[Result]) -> dict[str, object]:
    """Return the figures of the last line."""
    return {
        **{one.name: one.figures() for one in results},
        "worst_gap_points": round(max(one.gap_points for one in results), 2),
        "median_time_ratio": round(statistics.median(one.time_ratio for one in results), 4),
        "median_control_time_ratio": round(statistics.median(one.control_time_ratio for one in results), 4),
        "end_to_end_wins": sum(one.gap_points < 0 for one in results),
    }


def table(results: Sequence[Result], about: Mapping[str, str]) -> list[str]:
    """Make a line for each set, and below it what it is, and by how much and why it misses an aim."""
    above = ("", "train", "test", "end-to-", "", "scikit-learn's", "gap in points", "", "time", "control's")
    below = ("set", "rows", "rows", "end", "cascade", "best", "(std. error)", "epsilon", "ratio", "ratio")
    lines = [_cells(above), _cells(below)]
    for one in results:
        lines += [_line(one), f"  {about[one.name]}; {_splits(one)}", *(f"  ! {reason}" for reason in one.misses())]
    return lines


def _line(one: Result) -> str:
    return _cells(
        (
            one.name,
            str(one.splits[0].learned),
            str(one.rows),
            _percent(one.end_to_end),
            _percent(one.cascade),
            f"{_percent(one.baseline_of(one.best))} {one.best}",
            f"{one.gap_points:+.2f} ({one.gap_error:.2f})",
            "none" if one.epsilon is None else f"{100 * one.epsilon:g} %",
            f"{one.time_ratio:.3f}",
            f"{one.control_time_ratio:.3f} {one.control}",
        )
    )


_WIDTHS = (-16, 6, 6, 8, 8, 20, 14, 8, 6, 16)
"""of the columns; negative: to the left"""


def _cells(values: Sequence[str]) -> str:
    cells = [value.ljust(-size) if size < 0 else value.rjust(size) for value, size in zip(values, _WIDTHS, strict=True)]
    return " ".join(cells)


def _percent(share: float) -> str:
    return f"{100 * share:.2f} %"


def _splits(one: Result) -> str:
    counted = f"{len(one.splits)} splits" if len(one.splits) > 1 else "1 split"
    return f"{counted}; alone: {', '.join(f'{name} {_percent(one.accuracy_of(name))}' for name in one.shared)}"


def verdicts(counted: Mapping[str, object], sets: int) -> list[str]:
    """Say in words what the figures show."""
    ratios = f"median time ratio: {counted['median_time_ratio']}, at most {MOST_TIME_RATIO} wanted"
    return [
        f"worst gap: {counted['worst_gap_points']} points, at most {MOST_GAP_POINTS} wanted",
        f"{ratios}; of the control: {counted['median_control_time_ratio']}",
        f"end-to-end wins on {counted['end_to_end_wins']} of {sets} sets, at least {FEWEST_WINS} of 6 wanted",
    ]
