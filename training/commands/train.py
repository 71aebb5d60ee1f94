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
    help="Take networks that another training made from the same data, seed and description.",
)
@options.as_json
def train(task: str, out: Path | None, seed: int | None, reuse: Path | None, as_json: bool) -> None:  # noqa: FBT001
    """Train end-to-end and as levels.

    Quantizes the networks, makes levels better where that helps, promises what they may lose, and measures it all. TASK
    is mnist-sample, digits, fashion-mnist, fashion-mnist-hierarchy, mnist, or the path of a task.toml. Whoever stops a
    training and runs it again goes on with the networks that were finished.

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
