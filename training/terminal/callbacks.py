"""Callbacks for messages and progress."""

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Callbacks:
    """The two functions that long work calls."""

    say: Callable[[str], None]
    """print one line"""
    progress: Callable[[str, int, int], None]
    """show progress: name of the work, steps done, steps in all"""
