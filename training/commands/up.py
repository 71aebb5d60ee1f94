"""`weir up`."""

import os
from pathlib import Path

import click

from training.commands import options
from training.terminal.console import Console

MODEL = "mnist-sample"
TRAINED = Path("build/demo/mnist-sample")


@click.command()
@options.host
@options.port
def up(host: str, port: int) -> None:
    """Run the whole system on this machine.

    Runs an S3, a queue, the API and the functions until Ctrl-C. They serve the model of `weir demo`, which is trained
    first when there is none yet.

    \b
    Example:
      weir up --port 8080
    """  # noqa: D301
    from local.system import System
    from training import folder
    from training.client.samples import write_samples
    from training.commands.waiting import until_stopped
    from training.publishing.publication import publish
    from training.publishing.stores import open_store
    from weir.settings import DEFAULT_ALIAS

    with Console() as console:
        if not folder.is_complete(TRAINED):
            _train(console)
        files = write_samples(TRAINED, TRAINED.parent)
        with System(host=host, port=port, log=TRAINED.parent / "functions.log") as system:
            os.environ.update(system.environment)
            publish(TRAINED, open_store(system.store, system.store_endpoint), DEFAULT_ALIAS)
            print(_instructions(system.url, system.store, system.store_endpoint, files.request, files.rows), flush=True)
            until_stopped()


def _train(console: Console) -> None:
    from training.pipeline import train
    from training.task import load
    from training.terminal.callbacks import Callbacks

    train(load(MODEL), TRAINED, Callbacks(console.say, console.progress))


def _instructions(url: str, store: str, endpoint: str, request: Path, rows: Path) -> str:
    bucket = store.removeprefix("s3://")
    post = f"curl -s -X POST -H 'Content-Type: application/json' --data-binary @{request}"
    return f"""\
The API is at {url}; it asks for no authorization. {url}/docs is a page to try it on. Ctrl-C stops it.

Predict a digit with the end-to-end model, then with the cascade; then answer a file of rows as a batch:

{post} {url}/v2/models/{MODEL}/infer
{post} {url}/cascade/v2/models/{MODEL}/infer
curl -s -T {rows} {endpoint}/{bucket}/batches/in/{MODEL}/{rows.name} && sleep 5 && \
curl -s -u local:local {endpoint}/{bucket}/batches/out/{MODEL}/{rows.name}/summary.json

For `weir predict`, `weir batch` and `weir publish` in another terminal:

export MODEL_STORE={store} MODEL_STORE_ENDPOINT={endpoint} AWS_ACCESS_KEY_ID=local AWS_SECRET_ACCESS_KEY=local
.venv/bin/weir batch {MODEL} {rows} --cascade

The functions log to {rows.parent}/functions.log.
"""
