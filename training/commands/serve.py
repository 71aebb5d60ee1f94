"""`weir serve`."""

import os

import click

from training.commands import options
from training.terminal.console import Console


@click.command()
@options.needed_store
@options.endpoint
@options.alias
@options.host
@options.port
def serve(store: str, store_endpoint: str, alias: str, host: str, port: int) -> None:
    """Serve a store's models on this machine.

    Runs the routes and handlers of the deployed API until Ctrl-C, without authorization. On s3:// it reads the store
    with the credentials of your AWS profile.

    \b
    Example:
      weir serve --store file:///tmp/models --port 8080
    """  # noqa: D301
    from local.system import System
    from training.aws_profile import environment
    from training.commands.waiting import until_stopped
    from weir.catalog.keys import alias_name
    from weir.catalog.store import Store
    from weir.catalog.store_urls import endpoint, is_bucket

    variables = {"MODEL_ALIAS": alias_name(alias)}
    if is_bucket(store):
        os.environ.update(environment(endpoint(store_endpoint)))
        variables |= {name: value for name, value in os.environ.items() if name.startswith("AWS_")}
    Store(store, endpoint=store_endpoint).check()  # say what is wrong here: the functions would answer 503
    with (
        Console() as console,
        System(store=store, store_endpoint=store_endpoint, host=host, port=port, environment=variables) as run,
    ):
        console.say(
            f"serving {store} at {run.url}/v2 and {run.url}/cascade/v2; {run.url}/docs to try it; Ctrl-C stops it"
        )
        console.say(f"the functions log to {run.log}")
        until_stopped()
