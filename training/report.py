"""Show an evaluation: a table for people, JSON for programs."""

import sys

import msgspec
from rich.console import Console
from rich.table import Table

from training.results import Evaluation, NetworkResult

_WIDTH = 100


def show(evaluation: Evaluation, *, as_json: bool) -> None:
    """Print an evaluation on stdout."""
    if as_json:
        print(encode(evaluation).decode(), end="")
        return
    console = Console(file=sys.stdout, width=None if sys.stdout.isatty() else _WIDTH)
    console.print(table(evaluation))


def encode(evaluation: Evaluation) -> bytes:
    """Write an evaluation as indented JSON."""
    return msgspec.json.format(msgspec.json.encode(evaluation), indent=1) + b"\n"


def table(evaluation: Evaluation) -> Table:
    """Lay out a row for the end-to-end model, for each level and for the cascade."""
    found = Table(
        title="On the test split, one thread; time is the median wall time of a batched call over its rows",
        caption=evaluation.promise or None,
    )
    found.add_column("model")
    for column in ("accuracy, float", "accuracy", "size, bytes", "time, µs/row", "rows answered"):
        found.add_column(column, justify="right")
    found.add_row("end-to-end", *_network(evaluation.end_to_end), "100.0 %")
    for number, level in enumerate(evaluation.levels):
        found.add_row(f"level {number}: {level.name}", *_network(level), _percent(level.share))
    cascade = evaluation.cascade
    size = sum(level.size_bytes for level in evaluation.levels)
    found.add_section()
    found.add_row("cascade", "", _percent(cascade.accuracy), str(size), f"{cascade.latency_us:.1f}", "100.0 %")
    return found


def _network(result: NetworkResult) -> tuple[str, ...]:
    quantized = f"{_percent(result.accuracy)} {result.quantization}"
    return _percent(result.float_accuracy), quantized, str(result.size_bytes), f"{result.latency_us:.1f}"


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %"
