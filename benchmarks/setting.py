"""The setting of a measurement: date, commit, machine, libraries."""

import platform
import subprocess
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

ROOT = Path(__file__).parents[1]


def header() -> list[str]:
    """Return the lines that are printed above every result."""
    return [
        f"date: {datetime.now(UTC):%Y-%m-%d}, commit: {_commit()}",
        f"machine: {_processor()}, {len(_processors())} processors, {platform.system()} {platform.machine()}",
        f"Python {platform.python_version()}, "
        + ", ".join(f"{name} {version(name)}" for name in ("ai-edge-litert", "numpy", "tensorflow")),
    ]


def _commit() -> str:
    described = subprocess.run(
        ["git", "describe", "--always", "--dirty"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    return described.stdout.strip() or "unknown"


def _processors() -> list[str]:
    """Name every processor, as Linux does; none elsewhere."""
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    return [line.partition(": ")[2] for line in lines if line.startswith("model name")]


def _processor() -> str:
    return next(iter(_processors()), platform.processor() or "unknown")
