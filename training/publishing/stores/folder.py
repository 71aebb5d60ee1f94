"""A store in a folder."""

import errno
import fcntl
import hashlib
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from weir.catalog.store_failures import unavailable
from weir.errors import StoreUnavailable

_NO_HARD_LINKS = {errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK, errno.EACCES, errno.EXDEV}
"""what systems answer where a file can't be linked: FAT, some network and container file systems, Android"""


class FolderStore:
    """Objects are files. Creating links a finished file; swapping holds a lock file: S3 has conditions for both.

    Where the file system has no hard links, creating holds the lock file, too.
    """

    def __init__(self, url: str, root: Path) -> None:
        """Name a folder, and make it if it is missing. Raises `StoreUnavailable`."""
        self.url = url
        self._root = root
        with self._translated():
            root.mkdir(parents=True, exist_ok=True)

    def read(self, key: str) -> tuple[bytes, str] | None:
        """Read one object and the tag of its content; return None when there is no such object."""
        with self._translated():
            path = self._root / key
            if not path.is_file():
                return None
            data = path.read_bytes()
            return data, hashlib.sha256(data).hexdigest()

    def create(self, key: str, data: bytes) -> bool:
        """Write an object that does not exist yet, whole; return False when it does."""
        with self._translated(), self._written(key, data) as temporary:
            try:
                os.link(temporary, self._root / key)
            except FileExistsError:
                return False
            except OSError as exc:
                if exc.errno not in _NO_HARD_LINKS:
                    raise
                return self._create_locked(temporary, self._root / key)
            return True

    def _create_locked(self, temporary: Path, path: Path) -> bool:
        with self._locked():
            if path.exists():
                return False
            temporary.replace(path)
            return True

    def put(self, key: str, data: bytes) -> None:
        """Write one object whole, replacing any that is there."""
        with self._translated(), self._written(key, data) as temporary:
            temporary.replace(self._root / key)

    def swap(self, key: str, data: bytes, tag: str) -> bool:
        """Replace an object whose content still has this tag; return False when it has another."""
        with self._translated(), self._locked():
            current = self.read(key)
            if current is None or current[1] != tag:
                return False
            self.put(key, data)
            return True

    def delete(self, key: str) -> None:
        """Remove one object, if it is there."""
        with self._translated():
            (self._root / key).unlink(missing_ok=True)

    def keys(self, prefix: str) -> list[str]:
        """List the keys below a prefix that ends with a slash."""
        with self._translated():
            paths = (self._root / prefix).rglob("*")
            return sorted(str(path.relative_to(self._root)) for path in paths if path.is_file())

    def notifies(self, key: str) -> bool:
        """Tell that a folder notifies nobody."""
        del key
        return False

    @contextmanager
    def _written(self, key: str, data: bytes) -> Iterator[Path]:
        """Write the bytes to a temporary file beside the key's; it is removed afterwards if it is still there."""
        folder = (self._root / key).parent
        folder.mkdir(parents=True, exist_ok=True)
        file = tempfile.NamedTemporaryFile(dir=folder, prefix=".", suffix=".part", delete=False)  # noqa: SIM115
        temporary = Path(file.name)
        try:
            with file:
                file.write(data)
            with suppress(PermissionError):  # FAT has no modes of its own, and refuses to change them
                temporary.chmod(0o644)
            yield temporary
        finally:
            temporary.unlink(missing_ok=True)

    @contextmanager
    def _locked(self) -> Iterator[None]:
        with (self._root / ".lock").open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX)
            except OSError as exc:
                failed = f"nothing can be published to {self.url}"
                cause = f"its file system can't lock a file ({exc.strerror}): publishers could not be kept apart"
                raise StoreUnavailable(failed, cause) from exc
            yield

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except OSError as exc:
            raise unavailable(self.url, exc) from exc
