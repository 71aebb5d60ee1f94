"""Options and arguments that several commands share."""

from functools import partial
from pathlib import Path
from typing import Any

import click

from training.task import AUTO
from weir.catalog.mounts import CASCADE, END_TO_END
from weir.settings import DEFAULT_ALIAS


class Limit(click.ParamType[float | str]):
    """A share between 0 and 1, or `auto`."""

    name = "share"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float | str:  # noqa: ANN401
        """Read the value of an option."""
        if value == AUTO:
            return AUTO
        try:
            return BETWEEN.convert(value, param, ctx)
        except click.BadParameter:
            self.fail(f"a limit is a share above 0 and below 1, or {AUTO}. Got: {value}", param, ctx)


BETWEEN = click.FloatRange(0, 1, min_open=True, max_open=True)
"""a share that is neither 0 nor 1"""

_store = partial(
    click.option,
    "--store",
    envvar="MODEL_STORE",
    metavar="URL",
    show_envvar=True,
    help="s3://bucket[/prefix] or file:///path.",
)
store = _store()
needed_store = _store(required=True)
endpoint = click.option(
    "--store-endpoint",
    envvar="MODEL_STORE_ENDPOINT",
    default="",
    metavar="URL",
    help="URL of an S3 other than AWS's; default $MODEL_STORE_ENDPOINT.",
)
alias = click.option("--alias", default=DEFAULT_ALIAS, show_default=True, help="Alias that serves a version.")
cascade = click.option(
    "--cascade",
    "mount",
    flag_value=CASCADE,
    default=END_TO_END,
    type=click.UNPROCESSED,
    help="Use the cascade, not the end-to-end model.",
)
as_json = click.option("--json", "as_json", is_flag=True, help="Print one JSON document instead of text.")
trained = click.argument("trained", metavar="DIR", type=click.Path(path_type=Path))
host = click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
port = click.option(
    "--port",
    default=8080,
    show_default=True,
    type=click.IntRange(0, 65535),
    help="Port to listen on; 0 takes a free one.",
)
