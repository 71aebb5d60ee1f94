"""Keep a command running."""

import signal


def until_stopped() -> None:
    """Wait for Ctrl-C, or SIGTERM."""
    try:
        while True:
            signal.pause()
    except KeyboardInterrupt:
        return
