"""`weir plan`."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from training.commands import options

if TYPE_CHECKING:
    from training.costing.prices import Architecture
    from training.measuring.results import Evaluation


@click.command()
@options.trained
@click.option(
    "--memory", default=1769, show_default=True, metavar="MB", help="Memory of the function, 128 to 10,240 MB."
)
@click.option("--rows-per-request", default=1, show_default=True, metavar="ROWS", help="Rows per request, 1 to 1,024.")
@click.option("--requests-per-month", type=int, metavar="N", help="Also estimate the cost of this many requests.")
@click.option(
    "--overhead-ms",
    default=0.2,
    show_default=True,
    metavar="MS",
    help="Time of a request without its rows, on a whole vCPU: an assumption. If you have measured yours, pass it.",
)
@click.option(
    "--architecture",
    type=click.Choice(["x86_64", "arm64"]),
    default="x86_64",
    show_default=True,
    help="Processor architecture of the function.",
)
@options.as_json
def plan(  # noqa: PLR0913, PLR0917 (one argument an option)
    trained: Path,
    memory: int,
    rows_per_request: int,
    requests_per_month: int | None,
    overhead_ms: float,
    architecture: "Architecture",
    as_json: bool,  # noqa: FBT001
) -> None:
    """Estimate what predictions cost on AWS Lambda.

    \b
    Arguments:
      DIR  Folder of a complete training.

    Prints dollars, GB-seconds, joules and grams of CO2 for a million predictions, end-to-end and with the cascade, from
    the times that the training measured. Says whether the cascade saves anything, and at how many rows per request and
    at which memory it would. The command runs no network and calls no AWS service.

    \b
    Example:
      weir plan build/mnist --rows-per-request 64 --memory 512
    """  # noqa: D301
    from training.costing import bill, prices, savings
    from training.costing.economics import Setting

    table = prices.load()
    setting = Setting(
        memory_mb=memory,
        rows_per_request=rows_per_request,
        overhead_ms=overhead_ms,
        architecture=architecture,
        requests_per_month=requests_per_month,
    )
    bill.show(savings.plan(savings.times(_summary(trained)), setting, table), table, as_json=as_json)


def _summary(trained: Path) -> "Evaluation":
    import msgspec

    from training import folder
    from training.measuring.results import Evaluation
    from weir.errors import BadInput

    folder.manifest(trained)
    try:
        return msgspec.json.decode((trained / folder.SUMMARY).read_bytes(), type=Evaluation)
    except (OSError, msgspec.MsgspecError) as exc:
        raise BadInput("a training folder holds the summary.json that its training wrote", exc) from exc
