"""`weir demo`."""

import os
from pathlib import Path

import click

from training.commands import options
from training.terminal.console import Console


@click.command()
@click.option("--task", default="mnist-sample", show_default=True, help="A built-in task, or the path of a task.toml.")
@click.option(
    "--out", default="build/demo", show_default=True, type=click.Path(path_type=Path), help="Folder to write."
)
@options.as_json
def demo(task: str, out: Path, as_json: bool) -> None:  # noqa: FBT001
    """Train, publish, serve and predict, then clean up.

    Trains a task, quantizes the networks, publishes them to an S3 on this machine, serves them, predicts the test split
    over HTTP and as a batch file, and prints a table. The folder of the training stays.

    \b
    Example:
      weir demo
    """  # noqa: D301
    from local.system import System
    from training import folder
    from training.client.smoke import smoke_test
    from training.measuring.report import encode, show
    from training.pipeline import train
    from training.publishing.publication import publish
    from training.publishing.stores import open_store
    from training.task import load
    from training.terminal.callbacks import Callbacks
    from weir.settings import DEFAULT_ALIAS

    loaded = load(task)
    trained = out / loaded.name
    with Console() as console:
        evaluation = train(loaded, trained, Callbacks(console.say, console.progress))
        with System(log=out / "functions.log") as system:
            os.environ.update(system.environment)
            store = open_store(system.store, system.store_endpoint)
            published = publish(trained, store, DEFAULT_ALIAS)
            console.say(
                f"published {published.model} version {published.version} to an S3 on this machine, {published.store}"
            )
            for line in smoke_test(trained, system.url, store, console.progress):
                console.say(line)
        console.say("stopped the API, the functions, the queue and the S3")
    folder.write(out / folder.SUMMARY, encode(evaluation))
    show(evaluation, as_json=as_json)
