"""training.folder, on disks that are full and file systems without locks."""

import errno
import fcntl
import os
from pathlib import Path

import pytest

from training import folder
from weir.errors import BadInput, Unavailable


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


def test_a_training_that_fails_before_it_has_anything_leaves_no_folder(tmp_path: Path) -> None:
    """Its folder would be empty; one that was there before stays, and so does a finished network."""

    def fail(out: Path, *files: str) -> None:
        with pytest.raises(BadInput), folder.working(out) as work:  # noqa: PT012 (what fails is inside)
            for file in files:
                (work / file).touch()
            raise BadInput("there are data", "none")

    fail(tmp_path / "out")
    assert not (tmp_path / "out").exists()
    (tmp_path / "before").mkdir()
    fail(tmp_path / "before")
    assert list((tmp_path / "before").iterdir()) == []
    fail(tmp_path / "network", "a.keras")
    assert (tmp_path / "network" / folder.WORK / "a.keras").is_file()
