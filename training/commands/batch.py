"""`weir batch`."""

from pathlib import Path

import click

from training.commands import options
from training.terminal.console import Console
from weir.catalog.mounts import Mount


@click.command()
@click.argument("model")
@click.argument("file", type=click.Path(path_type=Path))
@options.needed_store
@options.endpoint
@options.cascade
@click.option(
    "--timeout", default=900, show_default=True, type=click.IntRange(1), help="Seconds to wait for the summary."
)
@options.as_json
def batch(  # noqa: PLR0913, PLR0917 (one argument an option)
    model: str,
    file: Path,
    store: str,
    store_endpoint: str,
    mount: Mount,
    timeout: int,
    as_json: bool,  # noqa: FBT001
) -> int:
    """Answer every row of a batch file.

    \b
    Arguments:
      MODEL  Name of a published model.
      FILE   A .csv (commas, semicolons or tabs; its first line names the columns of a table
             or a text), a .jsonl of objects, a .npy of numbers, or one .png or .jpg.

    The file is uploaded to batches/in/MODEL/[cascade/] in the store. On s3:// that starts the deployed batch function,
    which is notified of files at the root of its bucket, so the store has no prefix; on file:// this command runs the
    same code itself. Bad rows are counted, and the others are answered. The predictions are in
    batches/out/MODEL/[cascade/]FILE/predictions.jsonl of the store.

    Exit codes: 1 when no row was answered, or none in time; 2 when the file can't be read, its model is not published,
    or the store's bucket notifies nobody of the file.

    \b
    Example:
      weir batch mnist-sample rows.csv --cascade --store s3://my-bucket
    """  # noqa: D301
    from training.client.batch_client import answer_here, show, upload_and_wait
    from training.client.requests import read
    from training.publishing.stores import open_store
    from weir.catalog.keys import batch_key
    from weir.catalog.store import Store
    from weir.catalog.store_urls import is_bucket
    from weir.runtime.registry import Registry

    key = batch_key(model, file.name, mount)
    data = read(file, "FILE")
    with Console() as console:
        if is_bucket(store):
            target = open_store(store, store_endpoint)
            summary = upload_and_wait(target, key, data, timeout_s=timeout, on_wait=console.progress)
        else:
            registry = Registry(Store(store))  # first: it refuses a folder that is not there
            summary = answer_here(open_store(store), registry, key, data, on_rows=console.progress)
    print(show(summary, key, as_json=as_json))
    if not summary.error:
        return 0
    return 1 if summary.rows or summary.failed else 2
