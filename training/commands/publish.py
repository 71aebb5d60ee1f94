"""`weir publish`."""

import json
from dataclasses import asdict
from pathlib import Path

import click

from training.commands import options


@click.command()
@options.trained
@options.needed_store
@options.endpoint
@options.alias
@options.as_json
def publish(trained: Path, store: str, store_endpoint: str, alias: str, as_json: bool) -> None:  # noqa: FBT001
    """Publish a training as the next version.

    \b
    Arguments:
      DIR  Folder of a complete training.

    The training becomes the next version of its model in the store, and the alias serves it from then on. On s3:// the
    command uses the credentials of your AWS profile (AWS_PROFILE, or the default one).

    \b
    Example:
      weir publish build/mnist --store s3://my-bucket/prefix --alias champion
    """  # noqa: D301
    from training import folder
    from training.publishing.publication import publish as run
    from training.publishing.stores import open_store
    from weir.catalog import keys

    keys.alias(folder.manifest(trained).model, alias)  # first: opening the store makes its folder
    published = run(trained, open_store(store, store_endpoint), alias)
    if as_json:
        print(json.dumps(asdict(published)))
    else:
        print(
            f"published {published.model} version {published.version} to {published.store}; {published.alias} serves it"
        )
