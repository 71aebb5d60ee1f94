"""Print tables and figures on stdout."""

import sys

from rich.console import Console

_WIDTH = 100
"""characters per line when stdout is no terminal"""


def console() -> Console:
    """Make a console that prints on stdout."""
    return Console(file=sys.stdout, width=None if sys.stdout.isatty() else _WIDTH, highlight=False)


def percent(share: float) -> str:
    """Write a share of 0 to 1 in percent, with one decimal."""
    return f"{100 * share:.1f} %"
