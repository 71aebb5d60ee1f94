"""Messages and progress of a command, on stderr; progress bars only on a terminal."""

import sys
from types import TracebackType
from typing import Self

from rich.console import Console as Terminal
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn


class Console:
    """Lines, which stay, and progress bars, which go when their work is done."""

    def __init__(self) -> None:
        """Write to stderr; nothing is printed yet."""
        self._terminal = Terminal(file=sys.stderr, highlight=False, markup=False, soft_wrap=True)
        self._bars = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            console=self._terminal,
            transient=True,
            disable=not self._terminal.is_terminal,
        )
        self._ids: dict[str, TaskID] = {}

    def say(self, line: str) -> None:
        """Print one line."""
        self._terminal.print(line)

    def progress(self, work: str, done: int, total: int) -> None:
        """Move the bar of one piece of work; it appears with the first call and goes with the last."""
        if work not in self._ids:
            self._ids[work] = self._bars.add_task(work, total=total)
        self._bars.update(self._ids[work], completed=done, total=total)
        if done >= total:
            self._bars.remove_task(self._ids.pop(work))

    def __enter__(self) -> Self:
        """Show the bars."""
        self._bars.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Remove the bars."""
        self._bars.stop()
