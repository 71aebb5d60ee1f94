"""A temporary file without a name: nothing of it is left, however the process ends."""

import os
import tempfile
import weakref
from pathlib import Path

_LARGE_FILES = Path("/var/tmp")  # noqa: S108 (a file without a name)
"""where it goes unless TMPDIR names a folder: /tmp may be memory"""


class UnnamedFile:
    """Bytes that are written one behind the other, and then read anywhere; closed when nothing refers to it."""

    def __init__(self) -> None:
        """Make an empty file. Raises `OSError`."""
        self._file = tempfile.TemporaryFile(dir=folder(), buffering=1 << 20)  # noqa: SIM115 (the next line closes it)
        self.close = weakref.finalize(self, self._file.close)

    def write(self, content: bytes) -> None:
        """Write behind what was written before. Raises `OSError`."""
        self._file.write(content)

    def flush(self) -> None:
        """Let reads find all that was written. Raises `OSError`."""
        self._file.flush()

    def read(self, start: int, size: int) -> bytearray:
        """Read so many bytes. Raises `OSError` if there are fewer, and `ValueError` if it is closed."""
        content = bytearray(size)
        view, done = memoryview(content), 0
        while done < size:
            got = os.preadv(self._file.fileno(), [view[done:]], start + done)
            if not got:
                raise OSError(f"it ends {size - done} bytes too early")
            done += got
        return content


def folder() -> Path | None:
    """Return the folder of large temporary files; None: wherever Python puts temporary files."""
    return None if "TMPDIR" in os.environ or not os.access(_LARGE_FILES, os.W_OK) else _LARGE_FILES
