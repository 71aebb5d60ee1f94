"""`weir train`."""

from pathlib import Path

import click

from training.commands import options
from training.terminal.console import Console


@click.command()
@click.argument("task")
@click.option(
    "--out", type=click.Path(path_type=Path), help="Folder to write; default build/ and the task's name.", metavar="DIR"
)
@click.option("--seed", type=click.IntRange(0, 2**32 - 1), help="Replace the task's seed.")
@click.option(
    "--reuse",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Reuse every network of this training whose data, seed and specification are the same.",
)
@options.as_json
def train(task: str, out: Path | None, seed: int | None, reuse: Path | None, as_json: bool) -> None:  # noqa: FBT001
    """Train a model end-to-end and as a cascade.

    \b
    Arguments:
      TASK  mnist-sample, digits, fashion-mnist, fashion-mnist-hierarchy, mnist,
            or the path of a task.toml.

    Trains and quantizes the networks, improves the levels where that helps, certifies what the cascade may lose, and
    measures everything on the test split. If you stop a training and run it again, it reuses the networks that were
    finished.

    Exit codes: 1 when a promise against the labels can't be certified, though the training is complete.

    \b
    Example:
      weir train mnist-sample --out build/mnist
    """  # noqa: D301
    from training.measuring.report import show
    from training.pipeline import train as run
    from training.task import load
    from training.terminal.callbacks import Callbacks

    loaded = load(task, seed=seed)
    with Console() as console:
        evaluation = run(loaded, out or Path("build") / loaded.name, Callbacks(console.say, console.progress), reuse)
    show(evaluation, as_json=as_json)
