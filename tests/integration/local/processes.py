"""Whether processes run."""

import time
from collections.abc import Callable
from pathlib import Path


def alive(pid: int) -> bool:
    """Check whether a process runs; a zombie does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def eventually(holds: Callable[[], bool], timeout_s: float = 30) -> bool:
    """Wait until something holds."""
    deadline = time.monotonic() + timeout_s
    while not holds():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True
