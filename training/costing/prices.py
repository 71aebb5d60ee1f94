"""Read `prices.toml`: what Lambda costs in dollars and in energy, with date and sources."""

from datetime import date
from importlib import resources
from typing import Literal

import msgspec

Architecture = Literal["x86_64", "arm64"]


class PriceTable(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A table of the file; unknown keys are an error."""


class Billing(PriceTable, frozen=True, kw_only=True):
    """How Lambda bills."""

    dollars_per_request: float
    step_ms: int
    """the time of a request is rounded up to a multiple of this"""
    min_memory_mb: int
    max_memory_mb: int
    mb_per_gb: int
    mb_per_vcpu: int
    """memory with which a function has one vCPU"""


class Processor(PriceTable, frozen=True, kw_only=True):
    """Price and power of one architecture."""

    dollars_per_gb_second: float
    min_watts: float
    """of an idle vCPU"""
    max_watts: float
    """of a busy vCPU"""
    server: str
    """the EC2 instance of a whole server, which stands for Lambda's servers"""
    server_kgco2: float
    """emitted in making the server"""
    server_vcpus: int


class Carbon(PriceTable, frozen=True, kw_only=True):
    """From time to energy, and from energy to CO2 equivalents."""

    cpu_utilization: float
    memory_kwh_per_gb_hour: float
    power_usage_effectiveness: float
    grid_gco2_per_kwh: float
    server_life_hours: int


class Source(PriceTable, frozen=True, kw_only=True):
    """A source of figures in the file."""

    title: str
    url: str
    date: date
    gives: str


class Prices(PriceTable, frozen=True, kw_only=True):
    """The whole file."""

    date: date
    region: str
    billing: Billing
    architectures: dict[Architecture, Processor]
    carbon: Carbon
    sources: tuple[Source, ...]


def load() -> Prices:
    """Read the table that comes with Weir."""
    return msgspec.toml.decode((resources.files("training.costing") / "prices.toml").read_bytes(), type=Prices)
