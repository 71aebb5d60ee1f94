"""`weir certify`."""

from pathlib import Path
from typing import Any, get_args

import click
import msgspec

from training.commands import options
from training.terminal.console import Console
from weir.catalog.promises import Against

_BETWEEN = click.FloatRange(0, 1, min_open=True, max_open=True)


@click.command()
@options.trained
@click.option(
    "--max-loss",
    type=_BETWEEN,
    help="Share of rows that may be lost (epsilon).",
)
@click.option(
    "--delta",
    type=_BETWEEN,
    help="Chance that the promise is wrong.",
)
@click.option(
    "--against",
    type=click.Choice(get_args(Against)),
    help="A row is lost where the cascade is wrong and the end-to-end model right, or (labels) where it is wrong.",
)
@click.option(
    "--abstain-above",
    type=_BETWEEN,
    help="Also abstain so that at most this share of the labels given is wrong.",
)
@click.option(
    "--alpha",
    "alphas",
    type=_BETWEEN,
    multiple=True,
    help="Also make prediction sets that miss the label in this share of rows; may be repeated.",
)
@options.as_json
def certify(trained: Path, as_json: bool, **asked: Any) -> None:  # noqa: FBT001, ANN401 (the options, by name)
    """Promise how much the cascade may lose.

    Chooses the cheapest thresholds in DIR that keep the promise with a confidence of 1 - delta, by the certification
    rows, and measures the cascade again. Abstention and prediction sets take certification rows of their own. What no
    option names is promised as before. Where it can't be promised, DIR stays as it is: exit code 2 when there are too
    few rows, 1 when even the last level alone breaks it. Choose the promise before you look at the test split; trying
    several until one is liked is worth less than its delta.

    \b
    Example:
      weir certify build/mnist --max-loss 0.01 --delta 0.05
    """  # noqa: D301
    from training import folder
    from training.measuring.report import show
    from training.recertification import promise_of, recertify

    given = {name: value for name, value in asked.items() if value not in (None, ())}
    promise = msgspec.structs.replace(promise_of(folder.manifest(trained)), **given)
    with Console() as console:
        evaluation = recertify(trained, promise, console.say, lambda *call: console.progress("measuring", *call))
    show(evaluation, as_json=as_json)
