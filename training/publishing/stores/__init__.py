"""Stores that the command writes to: S3 through boto3, or a folder. Functions use `weir.catalog.store` instead."""

from pathlib import Path
from typing import Protocol

from training.publishing.stores.folder import FolderStore
from weir.catalog import store_urls


class WritableStore(Protocol):
    """The operations that publication and batch files need; each method raises `StoreUnavailable`."""

    url: str

    def read(self, key: str) -> tuple[bytes, str] | None:
        """Read one object and the tag of its content; return None when there is no such object."""

    def create(self, key: str, data: bytes) -> bool:
        """Write an object that does not exist yet, whole; return False and change nothing when it does."""

    def put(self, key: str, data: bytes) -> None:
        """Write one object whole, replacing any that is there."""

    def swap(self, key: str, data: bytes, tag: str) -> bool:
        """Replace an object whose content still has this tag; return False and change nothing when it has another."""

    def delete(self, key: str) -> None:
        """Remove one object, if it is there."""

    def keys(self, prefix: str) -> list[str]:
        """List the keys below a prefix that ends with a slash."""

    def notifies(self, key: str) -> bool:
        """Tell whether anyone is notified of a new object with this key, such as the batch function."""


def open_store(url: str, endpoint: str = "") -> WritableStore:
    """Open a store for writing: `s3://bucket[/prefix]`, or `file:///path`, whose folder is made if it is missing.

    Raises:
        BadInput: the URL is neither.
        StoreUnavailable: boto3 can't use the AWS profile or the endpoint, or the folder can't be made.
    """
    place = store_urls.parse(url)
    if isinstance(place, Path):
        return FolderStore(url, place)
    from training.publishing.stores.s3 import S3Store  # noqa: PLC0415 (boto3 takes half a second)

    return S3Store(url, place, store_urls.endpoint(endpoint))
