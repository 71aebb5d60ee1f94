"""Whom long work tells what it does."""

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Callbacks:
    """A line at a time, and how far each piece of work has come."""

    say: Callable[[str], None]
    progress: Callable[[str, int, int], None]
    """what, done, of how many"""
