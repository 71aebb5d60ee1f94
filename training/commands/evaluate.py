"""`weir evaluate`."""

from pathlib import Path

import click

from training.commands import options
from training.terminal.console import Console


@click.command()
@options.trained
@click.option("--per-label", is_flag=True, help="Also print recall and precision of each label.")
@options.as_json
def evaluate(trained: Path, per_label: bool, as_json: bool) -> None:  # noqa: FBT001
    """Measure a training on its test split.

    \b
    Arguments:
      DIR  Folder of a complete training.

    Prints the accuracy, size and time per row of the end-to-end model, of each level and of the cascade, and the share
    of rows that each level answers; below the table the balanced accuracy, the lowest recall, the log loss, and for two
    labels the AUC.

    \b
    Example:
      weir evaluate build/mnist --json
    """  # noqa: D301
    from training.measuring.evaluation import evaluate as run
    from training.measuring.report import show

    with Console() as console:
        evaluation = run(trained, lambda *call: console.progress("measuring", *call))
    show(evaluation, as_json=as_json, per_label=per_label)
