"""Stores that a person writes to: S3 through boto3, or a folder; functions read through `weir.catalog.store`."""

from pathlib import Path
from typing import Protocol
from urllib.parse import unquote, urlsplit

from training.publishing.stores.folder import FolderStore
from weir.errors import BadInput


class WritableStore(Protocol):
    """What publication and batch files need of a store; each method raises `StoreUnavailable`."""

    url: str

    def read(self, key: str) -> tuple[bytes, str] | None:
        """Read one object and the tag of its content; None when there is none."""

    def create(self, key: str, data: bytes) -> bool:
        """Write an object that does not exist yet, whole; False when it does, and then nothing changed."""

    def put(self, key: str, data: bytes) -> None:
        """Write one object whole, whatever was there."""

    def swap(self, key: str, data: bytes, tag: str) -> bool:
        """Replace an object whose content still has this tag; False when it has another, and then nothing changed."""

    def delete(self, key: str) -> None:
        """Remove one object, if it is there."""

    def keys(self, prefix: str) -> list[str]:
        """List the keys below a prefix that ends with a slash."""


def open_store(url: str, endpoint: str = "") -> WritableStore:
    """Name a store to write to: `s3://bucket[/prefix]`, or `file:///path`, whose folder is made if it is missing.

    Raises:
        BadInput: the URL is neither.
    """
    parts = urlsplit(url)
    if parts.scheme == "s3" and parts.netloc:
        from training.publishing.stores.s3 import S3Store  # noqa: PLC0415 (boto3 takes half a second)

        return S3Store(url, parts.netloc, parts.path.strip("/"), endpoint)
    if parts.scheme == "file" and not parts.netloc and parts.path.startswith("/"):
        return FolderStore(url, Path(unquote(parts.path)))
    raise BadInput("a store is s3://bucket[/prefix] or file:///path", url)
