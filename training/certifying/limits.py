"""The smallest limit that certification rows can carry, by their number alone and never by their losses."""

from collections.abc import Sequence
from dataclasses import dataclass

import msgspec

from training.certifying.binomial import rows_needed
from training.task import AUTO, Promise, SettledPromise

AUTO_LIMITS = (0.0025, 0.005, 0.01, 0.02, 0.03, 0.05)
"""what `max_loss = "auto"` chooses from, and what a limit that the rows cannot carry is replaced with"""


@dataclass(frozen=True)
class Settled:
    """A promise whose limit is settled, and why it is that one."""

    promise: SettledPromise
    why: str
    """empty where the task's own limit stands"""
    weaker: bool = False
    """whether the task asks for more than the rows can carry"""


def settle(promise: Promise, rows: int, delta: float) -> Settled:
    """Choose the limit of a promise that `rows` certification rows are to carry.

    A limit takes `ln(delta) / ln(1 - limit)` rows. `auto` takes the smallest of 0.25, 0.5, 1, 2, 3 and 5 % that the
    rows can carry. A limit of the task's own that they cannot carry is replaced with the smallest of these that they
    can. Where even 5 % takes more rows, nothing can be certified: `auto` becomes 5 %, and a limit of the task stays.

    Args:
        promise: what the task asks for.
        rows: how many certification rows the thresholds have.
        delta: what this attempt spends.
    """
    asked = None if promise.max_loss == AUTO else promise.max_loss
    if asked is not None and rows_needed(asked, delta) <= rows:
        return Settled(_with(promise, asked, delta), "")
    carried = [limit for limit in AUTO_LIMITS if limit > (asked or 0) and rows_needed(limit, delta) <= rows]
    if not carried:
        return Settled(_with(promise, asked or AUTO_LIMITS[-1], delta), "")
    limit = carried[0]
    tighter = asked or max((one for one in AUTO_LIMITS if one < limit), default=None)
    taken = f"{rows} certification rows carry {_percent(limit)} at delta {_percent(delta)}"
    more = f"; {_percent(tighter)} takes at least {rows_needed(tighter, delta)}" if tighter else ""
    return Settled(_with(promise, limit, delta), taken + more, weaker=asked is not None)


def label_limit(promise: SettledPromise, rows: Sequence[int]) -> float:
    """Choose the limit of the promise for each label, by the numbers of their certification rows alone.

    The task's own stands. `auto` takes the smallest of the same limits, from that of all rows upwards, that every label
    can carry which can carry the weakest of them; that one, where no label can.
    """
    if isinstance(promise.max_loss_per_label, float):
        return promise.max_loss_per_label
    limits = sorted({promise.max_loss, *(limit for limit in AUTO_LIMITS if limit > promise.max_loss)})
    able = [count for count in rows if count >= rows_needed(limits[-1], promise.delta)]
    fewest = min(able, default=0)
    return next((limit for limit in limits if rows_needed(limit, promise.delta) <= fewest), limits[-1])


def _with(promise: Promise, limit: float, delta: float) -> SettledPromise:
    return SettledPromise(**{**msgspec.structs.asdict(promise), "max_loss": limit, "delta": delta})


def _percent(share: float) -> str:
    return f"{100 * share:g} %"
