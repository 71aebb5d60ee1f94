"""Bytes by key, on S3 or in a folder: the serving path's only way to the store, without boto3."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

import obstore
from obstore.exceptions import BaseError
from obstore.store import LocalStore, S3Store

from weir.errors import BadInput, BadName, ObjectNotFound, StoreUnavailable

if TYPE_CHECKING:
    from obstore.store import S3Config, S3CredentialProvider

_CONNECT_TIMEOUT_S, _TIMEOUT_S, _RETRIES = 2, 10, 2
_RULE = "a store is s3://bucket[/prefix] or file:///path"


class Store:
    """What one store URL names."""

    def __init__(self, url: str, *, endpoint: str = "", credentials: "S3CredentialProvider | None" = None) -> None:
        """Name a store; nothing is read yet.

        Args:
            url: `s3://bucket[/prefix]` or `file:///path`.
            endpoint: URL of an S3 other than AWS's; empty on AWS.
            credentials: where S3 credentials come from, when not from the environment.

        Raises:
            BadInput: the URL is neither, or the folder does not exist.
        """
        self.url = url
        parts = urlsplit(url)
        if parts.scheme == "s3" and parts.netloc:
            self._bytes: S3Store | LocalStore = _s3(parts.netloc, parts.path.strip("/"), endpoint, credentials)
        elif parts.scheme == "file" and not parts.netloc and Path(unquote(parts.path)).is_dir():
            self._bytes = LocalStore(Path(unquote(parts.path)).resolve())
        else:
            raise BadInput(f"{_RULE}; the folder exists" if parts.scheme == "file" else _RULE, url)

    def get(self, key: str) -> bytes:
        """Read one object whole.

        Raises:
            ObjectNotFound: no such key.
            StoreUnavailable: the store did not answer, or refused.
        """
        with self._translated(key):
            return bytes(obstore.get(self._bytes, key).bytes())

    def put(self, key: str, data: bytes) -> None:
        """Write one object whole, or not at all. Raises `StoreUnavailable`."""
        with self._translated(key):
            obstore.put(self._bytes, key, data)

    def keys(self, prefix: str) -> list[str]:
        """List the keys below a prefix that ends with a slash. Raises `StoreUnavailable`."""
        with self._translated(prefix):
            return [found["path"] for page in obstore.list(self._bytes, prefix) for found in page]

    def folders(self, prefix: str) -> list[str]:
        """List the names of the folders right below a prefix. Raises `StoreUnavailable`."""
        with self._translated(prefix):
            found = obstore.list_with_delimiter(self._bytes, prefix)["common_prefixes"]
            return sorted(folder.rpartition("/")[2] for folder in found)

    def check(self) -> None:
        """Ask the store anything at all. Raises `StoreUnavailable`."""
        self.folders("models")

    @contextmanager
    def _translated(self, key: str) -> Iterator[None]:
        try:
            yield
        except ValueError as exc:
            raise BadName("a key has printable characters, and no empty, '.' or '..' part", key) from exc
        except FileNotFoundError as exc:
            if "<Code>NoSuchBucket</Code>" in str(exc):
                raise StoreUnavailable(f"the bucket of {self.url} exists", "NoSuchBucket") from exc
            raise ObjectNotFound(f"the key exists in {self.url}", key) from exc
        except (BaseError, OSError) as exc:
            raise StoreUnavailable(f"the store {self.url} answers", type(exc).__name__) from exc


def _s3(bucket: str, prefix: str, endpoint: str, credentials: "S3CredentialProvider | None") -> S3Store:
    config: S3Config = {"endpoint": endpoint} if endpoint else {}
    return S3Store(
        bucket,
        prefix=prefix or None,
        config=config,
        client_options={
            "timeout": timedelta(seconds=_TIMEOUT_S),
            "connect_timeout": timedelta(seconds=_CONNECT_TIMEOUT_S),
            "allow_http": endpoint.startswith("http://"),
        },
        retry_config={"max_retries": _RETRIES, "retry_timeout": timedelta(seconds=_TIMEOUT_S)},
        credential_provider=credentials,
    )
