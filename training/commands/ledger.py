"""`weir ledger`."""

from pathlib import Path

import click

from training.commands import options


@click.command()
@options.trained
@options.as_json
def ledger(trained: Path, as_json: bool) -> None:  # noqa: FBT001
    """Show what each level contributes.

    \b
    Arguments:
      DIR  Folder of a complete training.

    Prints, for each level of the cascade, its contribution to the overall loss on the test split (exact Shapley values
    over subsets of levels), the errors that it causes, and its share of rows and of time.

    \b
    Example:
      weir ledger build/mnist
    """  # noqa: D301
    from training.measuring.ledger import of_folder
    from training.measuring.report import show_ledger

    show_ledger(of_folder(trained), as_json=as_json)
