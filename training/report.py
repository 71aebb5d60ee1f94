"""Show an evaluation or a ledger: a table for people, JSON for programs."""

import msgspec
from rich.table import Table

from training.ledger import Ledger
from training.printing import console, percent
from training.results import Evaluation, NetworkResult


def show(evaluation: Evaluation, *, as_json: bool) -> None:
    """Print an evaluation on stdout."""
    if as_json:
        print(encode(evaluation).decode(), end="")
        return
    console().print(table(evaluation))


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
        found.add_row(f"level {number}: {level.name}", *_network(level), percent(level.share))
    cascade = evaluation.cascade
    size = sum(level.size_bytes for level in evaluation.levels)
    found.add_section()
    found.add_row("cascade", "", percent(cascade.accuracy), str(size), f"{cascade.latency_us:.1f}", "100.0 %")
    return found


def _network(result: NetworkResult) -> tuple[str, ...]:
    quantized = f"{percent(result.accuracy)} {result.quantization}"
    return percent(result.float_accuracy), quantized, str(result.size_bytes), f"{result.latency_us:.1f}"


def show_ledger(ledger: Ledger, *, as_json: bool) -> None:
    """Print a ledger on stdout."""
    if as_json:
        print(msgspec.json.format(msgspec.json.encode(ledger), indent=1).decode())
        return
    out = console()
    found = Table(title=f"What each level is worth, on {ledger.rows} test rows; loss in nats, columns add up")
    found.add_column("level")
    for column in (
        "loss taken away",
        "accuracy gained",
        "loss that remains",
        "errors",
        "rows answered",
        "time, µs/row",
    ):
        found.add_column(column, justify="right")
    for number, level in enumerate(ledger.levels):
        found.add_row(
            f"level {number}: {level.name}",
            f"{level.loss_reduction:.4f}",
            percent(level.accuracy_gain),
            f"{level.remaining_loss:.4f}",
            str(level.errors),
            percent(level.share),
            f"{level.time_us:.1f}",
        )
    found.add_section()
    gained = f"{ledger.prior_loss - ledger.loss:.4f}", percent(ledger.accuracy - ledger.prior_accuracy)
    errors, time = sum(level.errors for level in ledger.levels), sum(level.time_us for level in ledger.levels)
    found.add_row("together", *gained, f"{ledger.loss:.4f}", str(errors), "100.0 %", f"{time:.1f}")
    out.print(found)
    for line in ledger.words:
        out.print(line)
