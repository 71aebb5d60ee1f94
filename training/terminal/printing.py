"""What every command's table on stdout shares."""

import sys

from rich.console import Console

_WIDTH = 100
"""characters a line where stdout is no terminal"""


def console() -> Console:
    """Make what prints tables and sentences on stdout."""
    return Console(file=sys.stdout, width=None if sys.stdout.isatty() else _WIDTH, highlight=False)


def percent(share: float) -> str:
    """Write a share of 0 to 1, with one decimal."""
    return f"{100 * share:.1f} %"
