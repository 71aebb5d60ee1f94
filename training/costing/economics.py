"""Estimate what predictions cost on Lambda, from a measured time per row.

Times are those of one thread on a whole vCPU. Formulas and their sources: docs/economics.md; numbers: `prices.toml`.
"""

import msgspec

from training.costing.prices import Architecture, Prices
from weir.errors import BadInput
from weir.protocol.requests import MAX_ROWS

MILLION = 1_000_000
_S_PER_HOUR, _J_PER_KWH = 3600, 3_600_000
_MAX_OVERHEAD_MS = 1000


class Setting(msgspec.Struct, frozen=True, kw_only=True):
    """Configuration of the functions, and the requests they get."""

    memory_mb: int = 1769
    rows_per_request: int = 1
    overhead_ms: float = 0.2
    """time of a request without its rows, on a whole vCPU: parsing, routing, writing the answer"""
    architecture: Architecture = "x86_64"
    requests_per_month: int | None = None


class Cost(msgspec.Struct, frozen=True, kw_only=True):
    """Cost of a number of requests; joules and grams of CO2 equivalents are estimates."""

    dollars: float
    gb_seconds: float
    """billed"""
    cpu_joules: float
    memory_joules: float
    operational_gco2: float
    embodied_gco2: float
    joules: float
    gco2: float


class ModelCost(msgspec.Struct, frozen=True, kw_only=True):
    """Cost of the end-to-end model, or of the cascade."""

    row_us: float
    """measured time per row"""
    request_ms: float
    billed_ms: int
    per_million: Cost
    """cost of a million predictions"""
    per_month: Cost | None


def check(setting: Setting, prices: Prices) -> None:
    """Check a setting against the limits of Lambda and of Weir. Raises `BadInput`."""
    low, high = prices.billing.min_memory_mb, prices.billing.max_memory_mb
    _require(low <= setting.memory_mb <= high, f"a function's memory is {low} to {high:,} MB", setting.memory_mb)
    _require(
        1 <= setting.rows_per_request <= MAX_ROWS, f"rows per request are 1 to {MAX_ROWS:,}", setting.rows_per_request
    )
    _require(
        0 <= setting.overhead_ms <= _MAX_OVERHEAD_MS,
        f"the overhead of a request is 0 to {_MAX_OVERHEAD_MS:,} ms",
        setting.overhead_ms,
    )
    monthly = setting.requests_per_month
    _require(monthly is None or monthly >= 1, "requests per month are 1 or more", monthly)


def request_ms(row_us: float, setting: Setting, prices: Prices) -> float:
    """Return how long a request runs: `(overhead + rows * time per row) * max(1, 1,769 MB / memory)`.

    Lambda allots CPU in proportion to memory, one vCPU at 1,769 MB; one thread gains nothing above that.
    """
    slower = max(1.0, prices.billing.mb_per_vcpu / setting.memory_mb)
    return (setting.overhead_ms + setting.rows_per_request * row_us / 1000) * slower


def billed_ms(duration_ms: float, step_ms: int = 1) -> int:
    """Round a time up to a whole number of steps, at least one, as Lambda does.

    Less than half a nanosecond above a step is an error of the arithmetic, and is ignored.
    """
    steps = -(-round(duration_ms * MILLION) // (step_ms * MILLION))
    return max(1, steps) * step_ms


def billed_request_ms(row_us: float, setting: Setting, prices: Prices) -> int:
    """Return the milliseconds that a request is billed."""
    return billed_ms(request_ms(row_us, setting, prices), prices.billing.step_ms)


def model_cost(row_us: float, setting: Setting, prices: Prices) -> ModelCost:
    """Compute the cost of a model with this time per row."""
    duration_ms = request_ms(row_us, setting, prices)
    monthly = setting.requests_per_month
    return ModelCost(
        row_us=row_us,
        request_ms=duration_ms,
        billed_ms=billed_request_ms(row_us, setting, prices),
        per_million=cost(MILLION / setting.rows_per_request, duration_ms, setting, prices),
        per_month=None if monthly is None else cost(monthly, duration_ms, setting, prices),
    )


def cost(requests: float, duration_ms: float, setting: Setting, prices: Prices) -> Cost:
    """Compute the cost of requests of one duration.

    Dollars are `GB-seconds * price + requests * fee`, for the billed time. Energy is for the time that the code runs.
    CO2 is `E * I + M` (SCI, ISO/IEC 21031): energy times the grid's intensity, plus a share of what making the server
    emitted.
    """
    billing, processor = prices.billing, prices.architectures[setting.architecture]
    gb = setting.memory_mb / billing.mb_per_gb
    gb_seconds = requests * gb * billed_ms(duration_ms, billing.step_ms) / 1000
    hours = requests * duration_ms / 1000 / _S_PER_HOUR
    vcpu_hours = hours * setting.memory_mb / billing.mb_per_vcpu
    cpu_kwh, memory_kwh = energy_kwh(vcpu_hours, hours * gb, setting.architecture, prices)
    operational = (cpu_kwh + memory_kwh) * prices.carbon.grid_gco2_per_kwh
    embodied = embodied_gco2(vcpu_hours, setting.architecture, prices)
    return Cost(
        dollars=gb_seconds * processor.dollars_per_gb_second + requests * billing.dollars_per_request,
        gb_seconds=gb_seconds,
        cpu_joules=cpu_kwh * _J_PER_KWH,
        memory_joules=memory_kwh * _J_PER_KWH,
        operational_gco2=operational,
        embodied_gco2=embodied,
        joules=(cpu_kwh + memory_kwh) * _J_PER_KWH,
        gco2=operational + embodied,
    )


def energy_kwh(vcpu_hours: float, gb_hours: float, architecture: Architecture, prices: Prices) -> tuple[float, float]:
    """Estimate the energy of CPU and of memory, cooling included, as Cloud Carbon Footprint does.

    `(min watts + utilization * (max watts - min watts)) * vCPU-hours * PUE`, `coefficient * GB-hours * PUE`.
    """
    processor, carbon = prices.architectures[architecture], prices.carbon
    watts = processor.min_watts + carbon.cpu_utilization * (processor.max_watts - processor.min_watts)
    cpu = watts * vcpu_hours / 1000
    memory = carbon.memory_kwh_per_gb_hour * gb_hours
    return cpu * carbon.power_usage_effectiveness, memory * carbon.power_usage_effectiveness


def embodied_gco2(vcpu_hours: float, architecture: Architecture, prices: Prices) -> float:
    """Attribute a share of the emissions of making a server.

    SCI's `M = TE * (time reserved / lifespan) * (vCPUs reserved / vCPUs)`.
    """
    processor = prices.architectures[architecture]
    return processor.server_kgco2 * 1000 * vcpu_hours / prices.carbon.server_life_hours / processor.server_vcpus


def _require(condition: bool, rule: str, got: object) -> None:  # noqa: FBT001
    if not condition:
        raise BadInput(rule, got)
