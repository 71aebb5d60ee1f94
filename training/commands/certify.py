"""`weir certify`."""

from pathlib import Path
from typing import Any, get_args

import click

from training.commands import options
from training.terminal.console import Console
from weir.catalog.promises import Against

_BETWEEN = click.FloatRange(0, 1, min_open=True, max_open=True)


@click.command()
@options.trained
@click.option(
    "--max-loss",
    type=_BETWEEN,
    help="Largest share of rows that the cascade may lose (epsilon).",
)
@click.option(
    "--delta",
    type=_BETWEEN,
    help="Probability that the promise is broken (delta).",
)
@click.option(
    "--against",
    type=click.Choice(get_args(Against)),
    help="Rows are lost where the cascade is wrong and the end-to-end model correct, or (labels) where it is wrong.",
)
@click.option(
    "--abstain-above",
    type=_BETWEEN,
    help="Also abstain, so that at most this share of the answered rows is wrong.",
)
@click.option(
    "--alpha",
    "alphas",
    type=_BETWEEN,
    multiple=True,
    help="Also make prediction sets that miss the label in this share of rows; repeatable.",
)
@options.as_json
def certify(trained: Path, as_json: bool, **limits: Any) -> None:  # noqa: FBT001, ANN401 (the options, by name)
    """Certify another promise for a training.

    \b
    Arguments:
      DIR  Folder of a complete training.

    Chooses the cheapest thresholds that keep the promise with a confidence of 1 - delta on the certification rows,
    and measures the cascade again. Abstention and prediction sets use certification rows of their own. Limits that no
    option names stay as they are. Choose the limits before you look at the test split: if you try several until one
    holds, the promise is weaker than its delta says.

    Exit codes: 2 when there are too few certification rows, 1 when even the last level alone breaks the promise. The
    folder stays as it is in both cases.

    \b
    Example:
      weir certify build/mnist --max-loss 0.01 --delta 0.05
    """  # noqa: D301
    from training import folder
    from training.measuring.report import show
    from training.recertification import changed_promise, recertify

    changed = {name: value for name, value in limits.items() if value not in (None, ())}
    promise = changed_promise(folder.manifest(trained), changed)
    with Console() as console:
        evaluation = recertify(trained, promise, console.say, lambda *call: console.progress("measuring", *call))
    show(evaluation, as_json=as_json)
