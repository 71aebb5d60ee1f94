"""What the commands share that run the local system: its template, and how long it runs."""

import signal
from pathlib import Path

TEMPLATE = Path(__file__).parents[2] / "template.yaml"


def until_stopped() -> None:
    """Wait for Ctrl-C, or SIGTERM."""
    try:
        while True:
            signal.pause()
    except KeyboardInterrupt:
        return
