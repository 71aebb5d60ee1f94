"""Keep every core of the machine busy while something else is measured."""

import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

_SPIN = """
import os, sys
import numpy as np
values = np.zeros(4_000_000, np.float32)
while os.getppid() == int(sys.argv[1]):
    np.sqrt(values + 1, out=values)
"""
"""Works on 16 MB, more than a core's own caches hold. It ends when the process that started it is gone."""


@contextmanager
def busy(processes: int) -> Iterator[Sequence[int]]:
    """Run processes that only compute, and stop them at the end, also after an error or Ctrl-C.

    Args:
        processes: how many.

    Yields:
        Their process ids.
    """
    command = [sys.executable, "-c", _SPIN, str(os.getpid())]
    started: list[subprocess.Popen[bytes]] = []
    try:
        # Ctrl-C reaches them too, and nobody needs their tracebacks
        started.extend(subprocess.Popen(command, stderr=subprocess.DEVNULL) for _ in range(processes))
        yield [process.pid for process in started]
    finally:
        for process in started:
            process.kill()
        for process in started:
            process.wait()
