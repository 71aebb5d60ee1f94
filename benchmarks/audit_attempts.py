"""Audit repeated certification: several attempts on the same certification rows, of which the cheapest is kept.

The population is that of `benchmarks.audit_sample`. Each draw takes certification rows once. Every attempt on them has
validation rows, and so an order, of its own, and tests other levels, other temperatures or another limit. What an
attempt may spend comes from `Attempts`, which halves delta from one to the next, and the limit from `settle`, which
takes a weaker one where the rows cannot carry the one that was asked for. Beside it each attempt spends the whole of
delta, as if there had been no other.

A draw is broken when any of its attempts promises less than its thresholds lose in the population. That may happen in
at most the sum of what the attempts spend, and that sum stays below twice delta. Limits are chosen before any result is
known, which is what the sum is about: whoever chooses the next limit by the last result has to be counted otherwise.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import cycle
from typing import Any

import msgspec
import numpy as np

from benchmarks.audit_sample import DELTA, Sample
from benchmarks.resampling import Numbers, Order, Result, allowed, share
from training.certifying.attempts import Attempt, Attempts, digests_of
from training.certifying.limits import settle
from training.replay.recording import LevelTimes, RecordedNetwork, Recording
from training.task import Promise
from weir.catalog.levels import Classifier, Level

COUNTS = (1, 2, 4, 8)
"""attempts on the same rows"""
ROWS = 750
"""certification rows of a draw"""
_LIMITS = (0.0104, 0.0084, 0.0064, 0.004)
"""what 3, 2, 1 and no loss among 750 rows just certify: elsewhere the test spends less than its delta"""
_HEAT = (0.7, 1.4)
"""factors of the temperatures of other ladders"""


@dataclass(frozen=True)
class Candidate:
    """What one attempt certifies."""

    name: str
    rows: Recording
    """the population"""
    times: LevelTimes
    limit: float
    """epsilon that is asked for"""


@dataclass(frozen=True)
class Attempted:
    """One attempt on one draw."""

    spent: float
    result: Result
    """with what the attempt may spend"""
    undivided: Result
    """with the whole delta"""


def candidates(whole: Sample, count: int) -> list[Candidate]:
    """List so many attempts, on all levels, on one less or with other temperatures, with one limit after another."""
    early = range(len(whole.times) - 1)
    fewer = [number for number in early if len(early) > 1]
    ladders = [
        ("all levels", whole.rows, whole.times),
        *(
            (f"without {whole.rows.cascade.levels[number].name}", *_without(whole.rows, whole.times, number))
            for number in fewer
        ),
        *((f"temperatures times {factor:g}", _heated(whole.rows, factor), whole.times) for factor in _HEAT),
    ]
    return [Candidate(*ladder, limit) for _, ladder, limit in zip(range(count), cycle(ladders), cycle(_LIMITS))]


def _without(rows: Recording, times: LevelTimes, number: int) -> tuple[Recording, LevelTimes]:
    """Leave one level out; the others replace what comes before them."""
    kept = [one for one in range(len(times)) if one != number]
    levels = [_replacing(rows.cascade.levels[one]) for one in kept]
    return _with_levels(rows, levels), [times[one] for one in kept]


def _replacing(level: Level[RecordedNetwork]) -> Level[RecordedNetwork]:
    return msgspec.structs.replace(level, fusion="replace") if isinstance(level, Classifier) else level


def _heated(rows: Recording, factor: float) -> Recording:
    """Multiply the temperatures of the classifiers before the last level."""
    *early, last = rows.cascade.levels
    heated = [
        msgspec.structs.replace(level, temperature=level.temperature * factor)
        if isinstance(level, Classifier)
        else level
        for level in early
    ]
    return _with_levels(rows, [*heated, last])


def _with_levels(rows: Recording, levels: Sequence[Level[RecordedNetwork]]) -> Recording:
    return Recording(rows.cascade.with_levels(levels), rows.end_to_end, rows.labels)


def attempt(whole: Sample, tried: Sequence[Candidate], draws: int) -> list[list[Attempted]]:
    """Make all attempts on the certification rows of every draw: `[draw][attempt]`."""
    random = np.random.default_rng(1)
    count = len(whole.rows.labels)
    made = []
    for _ in range(draws):
        drawn = random.integers(0, count, ROWS)
        orders = [
            Order.fixed_on(one.rows, one.times, random.integers(0, count, whole.validation), "end-to-end")
            for one in tried
        ]
        made.append(_attempts(whole, tried, orders, drawn))
    return made


def _attempts(whole: Sample, tried: Sequence[Candidate], orders: Sequence[Order], drawn: Numbers) -> list[Attempted]:
    """Certify one candidate after the other on the same rows."""
    digests, before, made = digests_of(whole.inputs[drawn]), Attempts(), []
    for number, (one, order) in enumerate(zip(tried, orders, strict=True)):
        test, promise = str(number), Promise(max_loss=one.limit, delta=DELTA)
        spending = before.spending(test, digests, DELTA)
        limit = settle(promise, len(drawn), spending.delta).promise.max_loss
        before = before.adding(Attempt(test=test, rows=digests.name, delta=spending.delta), digests)
        result, undivided = order.certified(drawn, limit, spending.delta), order.certified(drawn, one.limit, DELTA)
        made.append(Attempted(spending.delta, result, undivided))
    return made


def figures(made: Sequence[Sequence[Attempted]], count: int) -> dict[str, Any]:
    """Count over the first `count` attempts of each draw."""
    spent = sum(one.spent for one in made[0][:count])

    def counted(result: Callable[[Attempted], Result]) -> list[float]:
        results = [[result(one) for one in draw[:count]] for draw in made]
        kept = [kept_of(draw) for draw in results]
        broken = share([any(one.broken for one in draw) for draw in results])
        return [broken, share([one.broken for one in kept]), float(np.mean([one.time_ratio for one in kept]))]

    names = ("broken_share", "kept_broken_share", "time_ratio")
    divided, undivided = counted(lambda one: one.result), counted(lambda one: one.undivided)
    return {
        "attempts": count,
        "spent": round(spent, 6),
        "allowed_share": round(allowed(spent, len(made)), 4),
        **{name: round(value, 4) for name, value in zip(names, divided, strict=True)},
        **{f"undivided_{name}": round(value, 4) for name, value in zip(names, undivided, strict=True)},
    }


def kept_of(results: Sequence[Result]) -> Result:
    """Keep the cheapest result; one without a promise takes the whole time, so any that saves something is cheaper."""
    return min(results, key=lambda one: one.time_ratio)


def table(counted: Sequence[dict[str, Any]]) -> list[str]:
    """Make a line for each number of attempts."""
    columns = f"{'any broken':>11} {'allowed':>8} {'kept broken':>12} {'ratio':>7}"
    lines = [
        f"{'':8} {'delta halved':>20}{'':26} each at delta {100 * DELTA:g} %",
        f"{'attempts':8} {'spent':>8} {columns}   {'any broken':>11} {'kept broken':>12} {'ratio':>7}",
    ]
    return lines + [_line(one) for one in counted]


def _line(one: dict[str, Any]) -> str:
    broken, kept, most, spent, full, full_kept = (
        f"{100 * one[name]:.1f} %"
        for name in (
            "broken_share",
            "kept_broken_share",
            "allowed_share",
            "spent",
            "undivided_broken_share",
            "undivided_kept_broken_share",
        )
    )
    divided = f"{spent:>8} {broken:>11} {most:>8} {kept:>12} {one['time_ratio']:>7.4f}"
    return f"{one['attempts']:>8} {divided}   {full:>11} {full_kept:>12} {one['undivided_time_ratio']:>7.4f}"
