"""`weir certify`."""

from pathlib import Path
from typing import Any, get_args

import click

from training.commands import options
from training.terminal.console import Console
from weir.catalog.promises import Against


@click.command()
@options.trained
@click.option(
    "--max-loss",
    type=options.Limit(),
    metavar="SHARE|auto",
    help="Largest share of rows that the cascade may lose (epsilon); auto: the smallest that the rows can carry.",
)
@click.option(
    "--max-loss-per-label",
    type=options.Limit(),
    metavar="SHARE|auto",
    help="Also promise it for each label that has rows enough: the largest share of its rows that may be lost.",
)
@click.option(
    "--delta",
    type=options.BETWEEN,
    help="Probability that the promise is broken (delta).",
)
@click.option(
    "--against",
    type=click.Choice(get_args(Against)),
    help="Rows are lost where the cascade is wrong and the end-to-end model correct, where it is wrong (labels), or "
    "where its label is not the last level's (agreement).",
)
@click.option(
    "--abstain-above",
    type=options.BETWEEN,
    help="Also abstain, so that at most this share of the answered rows is wrong.",
)
@click.option(
    "--alpha",
    "alphas",
    type=options.BETWEEN,
    multiple=True,
    help="Also make prediction sets that miss the label in this share of rows; repeatable.",
)
@click.option(
    "--data",
    "rows",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Fresh rows that carry the thresholds: a .npz with x and y, or a file as the training's with the column of "
    "the target; for agreement also one without, a .npy or a .csv.",
)
@options.as_json
def certify(trained: Path, rows: Path | None, as_json: bool, **limits: Any) -> None:  # noqa: FBT001, ANN401 (the options, by name)
    """Certify another promise for a training.

    \b
    Arguments:
      DIR  Folder of a complete training.

    Chooses the cheapest thresholds that keep the promise with a confidence of 1 - delta on the certification rows,
    and measures the cascade again. Abstention and prediction sets use certification rows of their own. Limits that no
    option names stay as they are.

    Each further attempt on the same rows spends half of the delta of the one before, because the best of several
    attempts breaks its promise more often than each of them. The certificate states the attempt and the sum spent. Rows
    that nothing has used (--data) start anew. An agreement needs no labels, so all your unlabelled rows can carry it.

    Exit codes: 2 when there are too few certification rows, 1 when even the last level alone breaks the promise. The
    model stays as it is in both cases; an attempt that tested something counts.

    \b
    Examples:
      weir certify build/mnist --max-loss 0.01 --delta 0.05
      weir certify build/mnist --against agreement --data unlabelled.npy
    """  # noqa: D301
    from training import folder
    from training.measuring.report import show
    from training.recertification import changed_promise, recertify
    from training.terminal.callbacks import Callbacks

    changed = {name: value for name, value in limits.items() if value not in (None, ())}
    promise = changed_promise(folder.manifest(trained), changed)
    with Console() as console:
        evaluation = recertify(trained, promise, Callbacks(console.say, console.progress), rows)
    show(evaluation, as_json=as_json)
