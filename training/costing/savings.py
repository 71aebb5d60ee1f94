"""Find out whether a cascade saves anything on Lambda, and what would make it save more."""

import math

import msgspec

from training.costing import economics
from training.costing.economics import ModelCost, Setting
from training.costing.prices import Prices
from training.measuring.results import Evaluation
from weir.errors import BadInput
from weir.protocol.requests import MAX_ROWS

LEAST_MEMORY_MB = 256
"""the smallest memory that the template gives a function"""
LESS_PERCENT = (50, 10)
"""savings of billed time, in percent, for which the plan gives the rows per request"""


class MeasuredTimes(msgspec.Struct, frozen=True, kw_only=True):
    """Measured microseconds per row, on a whole vCPU."""

    end_to_end_us: float
    cascade_us: float


class FewestRows(msgspec.Struct, frozen=True, kw_only=True):
    """The fewest rows per request at which the cascade is billed `less_percent` % less than the end-to-end model."""

    less_percent: int
    rows: int | None
    """`None` when there is no such number up to 1,024"""
    lasting_from: int | None
    """the fewest from which every number up to 1,024 saves as much; below it, rounding makes savings come and go"""


class CheapestMemory(msgspec.Struct, frozen=True, kw_only=True):
    """The memory, of those that the template allows, at which a million predictions cost least."""

    memory_mb: int
    dollars: float


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """The end-to-end model and the cascade, compared."""

    setting: Setting
    end_to_end: ModelCost
    cascade: ModelCost
    fewest_rows: tuple[FewestRows, ...]
    cheapest_end_to_end: CheapestMemory
    cheapest_cascade: CheapestMemory
    batch_share: float
    """the cascade's time over the end-to-end model's; holds for a batch of many rows, where rounding does not matter"""


def times(evaluation: Evaluation) -> MeasuredTimes:
    """Read the two times of an evaluation. Raises `BadInput` when one is not a positive number."""
    measured = MeasuredTimes(end_to_end_us=evaluation.end_to_end.latency_us, cascade_us=evaluation.cascade.latency_us)
    for row_us in (measured.end_to_end_us, measured.cascade_us):
        if not 0 < row_us < math.inf:
            raise BadInput("a measured time per row is a number above 0 µs", row_us)
    return measured


def plan(measured: MeasuredTimes, setting: Setting, prices: Prices) -> Plan:
    """Compare the end-to-end model and the cascade. Raises `BadInput` when the setting is out of range."""
    economics.check(setting, prices)
    end_to_end_us, cascade_us = measured.end_to_end_us, measured.cascade_us
    return Plan(
        setting=setting,
        end_to_end=economics.model_cost(end_to_end_us, setting, prices),
        cascade=economics.model_cost(cascade_us, setting, prices),
        fewest_rows=tuple(fewest_rows(measured, setting, prices, less_percent=less) for less in LESS_PERCENT),
        cheapest_end_to_end=cheapest_memory(end_to_end_us, setting, prices),
        cheapest_cascade=cheapest_memory(cascade_us, setting, prices),
        batch_share=cascade_us / end_to_end_us,
    )


def fewest_rows(measured: MeasuredTimes, setting: Setting, prices: Prices, *, less_percent: int) -> FewestRows:
    """Find the fewest rows per request at which the cascade is billed so much less.

    Every number is tried, because rounding to whole milliseconds makes the saving rise and fall.
    """
    numbers = range(1, MAX_ROWS + 1)
    saving = [rows for rows in numbers if _saves(measured, _with_rows(setting, rows), prices, less_percent)]
    lost = max(set(numbers) - set(saving), default=0)
    return FewestRows(
        less_percent=less_percent,
        rows=saving[0] if saving else None,
        lasting_from=lost + 1 if lost < MAX_ROWS else None,
    )


def cheapest_memory(row_us: float, setting: Setting, prices: Prices) -> CheapestMemory:
    """Find the memory, up to a whole vCPU, at which predictions cost least; of equals the largest, the fastest."""

    def setting_of(memory_mb: int) -> Setting:
        return msgspec.structs.replace(setting, memory_mb=memory_mb)

    sizes = range(prices.billing.mb_per_vcpu, LEAST_MEMORY_MB - 1, -1)
    best = min(sizes, key=lambda size: size * economics.billed_request_ms(row_us, setting_of(size), prices))
    return CheapestMemory(
        memory_mb=best, dollars=economics.model_cost(row_us, setting_of(best), prices).per_million.dollars
    )


def _with_rows(setting: Setting, rows: int) -> Setting:
    return msgspec.structs.replace(setting, rows_per_request=rows)


def _saves(measured: MeasuredTimes, setting: Setting, prices: Prices, less_percent: int) -> bool:
    full_ms = economics.billed_request_ms(measured.end_to_end_us, setting, prices)
    billed_ms = economics.billed_request_ms(measured.cascade_us, setting, prices)
    return billed_ms * 100 <= full_ms * (100 - less_percent)
