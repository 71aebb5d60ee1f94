"""Show an evaluation or a ledger: a table for people, JSON for programs."""

import msgspec
from rich.markup import escape
from rich.table import Table

from training.data.splits.balance import FEW_ROWS, rare
from training.measuring.ledger import Ledger
from training.measuring.results import Evaluation, NetworkResult
from training.terminal.printing import console, percent


def show(evaluation: Evaluation, *, as_json: bool, per_label: bool = False) -> None:
    """Print an evaluation on stdout, with a table of the labels if asked for."""
    if as_json:
        print(encode(evaluation).decode(), end="")
        return
    out = console()
    out.print(table_of(evaluation))
    if per_label:
        out.print(label_table(evaluation))
    for line in _captions(evaluation):
        out.print(line, markup=False)


def encode(evaluation: Evaluation) -> bytes:
    """Write an evaluation as indented JSON."""
    return msgspec.json.format(msgspec.json.encode(evaluation), indent=1) + b"\n"


def table_of(evaluation: Evaluation) -> Table:
    """Lay out a row for the end-to-end model, for each level and for the cascade."""
    table = Table(title="On the test split; time is the median CPU time of a batched call over its rows, one thread")
    table.add_column("model")
    # on two lines, so that the names of levels need not wrap
    for column in ("accuracy,\nfloat", "accuracy", "quantization", "ECE", "bytes", "µs\nper row", "rows\nanswered"):
        table.add_column(column, justify="right")
    table.add_row("end-to-end", *_network(evaluation.end_to_end), "100.0 %")
    for number, level in enumerate(evaluation.levels):
        table.add_row(f"level {number}: {level.name}", *_network(level), percent(level.share))
    cascade = evaluation.cascade
    size = sum(level.size_bytes for level in evaluation.levels)
    table.add_section()
    measured = percent(cascade.accuracy), "", _ece(cascade.ece), f"{size:,}", f"{cascade.latency_us:.1f}"
    table.add_row("cascade", "", *measured, "100.0 %")
    return table


def label_table(evaluation: Evaluation) -> Table:
    """Lay out a row for each label: its recall and precision, and the share of its rows that the cascade loses."""
    table = Table(title="Each label on the test split; lost: the cascade is wrong where the end-to-end model is right")
    table.add_column("label")
    models = (evaluation.end_to_end, evaluation.cascade)
    columns = [f"{figure},\n{name}" for name in ("end-to-end", "cascade") for figure in ("recall", "precision")]
    for column in ("test\nrows", *columns, "lost"):
        table.add_column(column, justify="right")
    for label, rows in evaluation.label_rows.items():
        figures = [of.get(label) for model in models for of in (model.recalls, model.precisions)]
        cells = ["" if one is None else percent(one) for one in (*figures, evaluation.cascade.regrets.get(label))]
        table.add_row(escape(label), f"{rows:,}", *cells)
    return table


def _captions(evaluation: Evaluation) -> list[str]:
    cascade = evaluation.cascade
    calibration = (
        f"ECE: how far confidence is from accuracy (15 bins); the cascade's is {_ece(cascade.ece_before)} without "
        f"calibration, and a perfect predictor would show {_ece(cascade.ece_floor)} on as many rows"
    )
    lines = [*_recalls(evaluation), evaluation.promise, calibration]
    if len(evaluation.levels) == 1:
        lines.insert(0, f"one level: {evaluation.levels[0].name} answers every row")
    return [line for line in lines if line]


def _recalls(evaluation: Evaluation) -> list[str]:
    """Say what accuracy hides when labels have unequal numbers of rows."""
    lines = []
    for name, result in (("end-to-end", evaluation.end_to_end), ("cascade", evaluation.cascade)):
        if result.balanced_accuracy is not None:
            label, recall = result.lowest_recall
            rows = evaluation.label_rows[label]
            lowest = f"the lowest is {percent(recall)}, of {label} (test rows: {rows})"
            fit = "" if result.log_loss is None else f"; log loss {result.log_loss:.3f} nats"
            fit += "" if result.auc is None else f", AUC {result.auc:.3f}"
            balanced = percent(result.balanced_accuracy)
            lines.append(f"{name}: balanced accuracy (mean recall of the labels) {balanced}; {lowest}{fit}")
    if few := rare({"test": evaluation.label_rows}) if evaluation.label_rows else "":
        lines.append(f"warning: a recall from fewer than {FEW_ROWS} rows says little: {few}")
    return lines


def _ece(value: float) -> str:
    return f"{100 * value:.2f} %"


def _network(result: NetworkResult) -> tuple[str, ...]:
    return (
        percent(result.float_accuracy),
        percent(result.accuracy),
        result.quantization,
        _ece(result.ece),
        f"{result.size_bytes:,}",
        f"{result.latency_us:.1f}",
    )


def show_ledger(ledger: Ledger, *, as_json: bool) -> None:
    """Print a ledger on stdout."""
    if as_json:
        print(msgspec.json.format(msgspec.json.encode(ledger), indent=1).decode())
        return
    out = console()
    table = Table(title=f"What each level is worth, on {ledger.rows} test rows; loss in nats, columns add up")
    table.add_column("level")
    for column in (
        "loss taken away",
        "accuracy gained",
        "loss that remains",
        "errors",
        "rows answered",
        "time, µs per row",
    ):
        table.add_column(column, justify="right")
    for number, level in enumerate(ledger.levels):
        table.add_row(
            f"level {number}: {level.name}",
            f"{level.loss_reduction:.4f}",
            percent(level.accuracy_gain),
            f"{level.remaining_loss:.4f}",
            str(level.errors),
            percent(level.share),
            f"{level.time_us:.1f}",
        )
    table.add_section()
    gained = f"{ledger.prior_loss - ledger.loss:.4f}", percent(ledger.accuracy - ledger.prior_accuracy)
    errors, time = sum(level.errors for level in ledger.levels), sum(level.time_us for level in ledger.levels)
    table.add_row("together", *gained, f"{ledger.loss:.4f}", str(errors), "100.0 %", f"{time:.1f}")
    out.print(table)
    for line in ledger.words:
        out.print(line)
