"""training.folder, on disks that are full and file systems without locks."""

import errno
import fcntl
import os
from pathlib import Path

import pytest

from training import folder
from weir.errors import Unavailable


def test_a_full_disk_leaves_the_file_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A write that finds no space fails, changes nothing, and leaves no part of a file behind."""
    path = tmp_path / "a"
    folder.write(path, b"before")

    def full(part: Path, _: bytes) -> None:
        part.touch()
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(OSError, match=r"No space left on device: '.*/a'"):
        folder.write(path, b"after")
    assert [one.name for one in tmp_path.iterdir()] == ["a"]
    assert path.read_bytes() == b"before"


def test_a_folder_that_cannot_be_locked_is_explained(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file system without locks is named as the cause, and no training that is running."""

    def refuse(*_: object) -> None:
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    monkeypatch.setattr(fcntl, "flock", refuse)
    with pytest.raises(Unavailable, match="can't be locked, which keeps two trainings apart: No locks"):  # noqa: SIM117
        with folder.working(tmp_path / "out"):
            pass
