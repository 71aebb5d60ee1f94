"""`weir ledger`."""

from pathlib import Path

import click

from training.commands import options


@click.command()
@options.trained
@options.as_json
def ledger(trained: Path, as_json: bool) -> None:  # noqa: FBT001
    """Tell what each level is worth.

    Each level's contribution to the overall loss of the cascade in DIR, on its test split: exact Shapley values over
    subsets of levels, the errors it is to blame for, its share of rows and of time.

    \b
    Example:
      weir ledger build/mnist
    """  # noqa: D301
    from training.measuring.ledger import of_folder
    from training.measuring.report import show_ledger

    show_ledger(of_folder(trained), as_json=as_json)
