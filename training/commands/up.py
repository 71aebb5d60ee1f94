"""`weir up`."""

import os
import sys
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING
from urllib.parse import quote as url_quote

import click

from training.commands import options
from training.terminal.console import Console

if TYPE_CHECKING:
    from local.system import System

MODEL = "mnist-sample"
TRAINED = Path("build/demo/mnist-sample")


@click.command()
@click.argument("trained", metavar="DIR", required=False, type=click.Path(path_type=Path))
@options.host
@options.port
def up(trained: Path | None, host: str, port: int) -> None:
    """Run the whole system on this machine.

    \b
    Arguments:
      DIR  Folder of a complete training.

    Runs an S3, a queue, the API and the functions until Ctrl-C. They serve the model of a training; by default that of
    `weir demo`, which is trained first when there is none yet. Files to try it with are written to DIR-samples.

    \b
    Examples:
      weir up --port 8080
      weir up build/mnist
    """  # noqa: D301
    from local.system import System
    from training import folder
    from training.client.samples import write_samples
    from training.commands.waiting import until_stopped
    from training.publishing.publication import publish
    from training.publishing.stores import open_store
    from weir.settings import DEFAULT_ALIAS

    with Console() as console:
        if trained is None and not folder.is_complete(TRAINED):
            _train(console)
        served, out = TRAINED, TRAINED.parent
        if trained is not None:
            served, out = trained, trained.with_name(f"{trained.name}-samples")
        files = write_samples(served, out)
        with System(host=host, port=port, log=out / "functions.log") as system:
            os.environ.update(system.environment)
            publication = publish(served, open_store(system.store, system.store_endpoint), DEFAULT_ALIAS)
            print(_instructions(system, publication.model, files.request, files.rows), flush=True)
            until_stopped()


def _train(console: Console) -> None:
    from training.pipeline import train
    from training.task import load
    from training.terminal.callbacks import Callbacks

    train(load(MODEL), TRAINED, Callbacks(console.say, console.progress))


def _instructions(system: "System", model: str, request: Path, rows: Path) -> str:
    url, store, endpoint = system.url, system.store, system.store_endpoint
    bucket = store.removeprefix("s3://")
    post = f"curl -sS -X POST -H 'Content-Type: application/json' --data-binary {quote(f'@{request}')}"
    weir, file, name = quote(sys.argv[0]), quote(str(rows)), url_quote(rows.name)
    return f"""\
The API is at {url}; it asks for no authorization. {url}/docs is a page to try it on. Ctrl-C stops it.

Predict a row with the end-to-end model, then with the cascade; then answer a file of rows as a batch:

{post} {url}/v2/models/{model}/infer
{post} {url}/cascade/v2/models/{model}/infer
curl -sS -T {file} {endpoint}/{bucket}/batches/in/{model}/{name} && sleep 5 && \
curl -sS -u local:local {endpoint}/{bucket}/batches/out/{model}/{name}/summary.json

For `weir predict`, `weir batch` and `weir publish` in another terminal:

export MODEL_STORE={store} MODEL_STORE_ENDPOINT={endpoint} AWS_ACCESS_KEY_ID=local AWS_SECRET_ACCESS_KEY=local
{weir} batch {model} {file} --cascade

The functions log to {rows.parent}/functions.log.
"""
