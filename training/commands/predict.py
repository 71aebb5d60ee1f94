"""`weir predict`."""

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click
from click.core import ParameterSource

from training.commands import options
from training.terminal.console import Console
from weir.catalog.mounts import Mount

if TYPE_CHECKING:
    from training.client.clients import Client


@click.command()
@click.argument("model")
@click.argument("file", metavar="INPUT", required=False, type=click.Path(path_type=Path))
@click.option(
    "--text", "texts", multiple=True, help="A text, instead of INPUT, for a model that reads one; repeatable."
)
@click.option("--url", help="Send requests to the API at this URL; on https they are signed with your AWS profile.")
@options.store
@options.endpoint
@options.alias
@click.option("--version", default="", help="Version number or alias; default the one that serves.")
@options.cascade
@options.as_json
def predict(  # noqa: PLR0913, PLR0917 (one argument an option)
    model: str,
    file: Path | None,
    texts: tuple[str, ...],
    url: str | None,
    store: str | None,
    store_endpoint: str,
    alias: str,
    version: str,
    mount: Mount,
    as_json: bool,  # noqa: FBT001
) -> None:
    """Predict the labels of one input or of many.

    \b
    Arguments:
      MODEL  Name of a published model.
      INPUT  A .png or .jpg; a .csv whose first line names columns; a .jsonl of objects;
             a .txt; a .npy of one row or many; or a .json: a request of the V2 protocol,
             a row by name, or nested numbers.

    With --url the API answers. With --store this command loads the model from the store and runs the code of the
    functions itself. Columns that the model does not read are left out. A row that it can't read is an error, before
    anything is sent. A picture is brought to the model's size, and to grey if the model reads grey: MNIST's digits are
    white on black.

    \b
    Examples:
      weir predict mnist-sample digit.png --store file:///tmp/models
      weir predict customers rows.csv --store file:///tmp/models
      weir predict moods --text "never again" --store file:///tmp/models
      weir predict mnist-sample rows.npy --url http://127.0.0.1:8080 --cascade
    """  # noqa: D301
    from training.client.answers import lines, merged
    from training.client.requests import check_file, of_texts, requests

    if (file is None) == (not texts):
        raise click.UsageError(f"either INPUT or --text is what to predict. Got: {'both' if texts else 'neither'}")
    if file is not None:
        check_file(file)
    client = _client(url, store, store_endpoint, alias=alias, mount=mount)
    metadata = client.metadata(model, version)
    calls = list(of_texts(texts, metadata) if file is None else requests(file, metadata))
    answers = []
    with Console() as console:
        for number, call in enumerate(calls, 1):
            answers.append(client.infer(model, version, call))
            if len(calls) > 1:
                console.progress("predicting", number, len(calls))
    answer = merged(answers)
    print(json.dumps(answer) if as_json else "\n".join(lines(answer)))


def _client(url: str | None, store: str | None, endpoint: str, *, alias: str, mount: Mount) -> "Client":
    import os

    from training.client.clients import HttpClient, StoreClient
    from weir.catalog.store_urls import endpoint as store_endpoint
    from weir.catalog.store_urls import is_bucket

    if url and click.get_current_context().get_parameter_source("store") is ParameterSource.COMMANDLINE:
        raise click.UsageError("either --url or --store says where the model is. Got: both")
    if url:
        return HttpClient(url, mount)
    if not store:
        raise click.UsageError("either --url or --store (or $MODEL_STORE) says where the model is. Got: neither")
    if is_bucket(store):
        from training.aws_profile import environment

        os.environ.update(environment(store_endpoint(endpoint)))
    return StoreClient(store, endpoint, alias=alias, mount=mount)
