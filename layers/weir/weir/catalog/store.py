"""Object store client of the functions: bytes by key, on S3 or in a folder, without boto3."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import obstore
from obstore.exceptions import BaseError
from obstore.store import LocalStore, S3Store

from weir.catalog import store_urls
from weir.catalog.store_failures import error_code, unavailable
from weir.catalog.store_urls import Bucket
from weir.errors import BadInput, BadName, ObjectNotFound

if TYPE_CHECKING:
    from obstore.store import ClientConfig, S3Config, S3CredentialProvider

_BUNDLE = "AWS_CA_BUNDLE is a file of certificates in PEM that can be read"
_CONNECT_TIMEOUT_S, _TIMEOUT_S, _RETRIES = 2, 10, 2


class Store:
    """The objects that one store URL names."""

    def __init__(self, url: str, *, endpoint: str = "", credentials: "S3CredentialProvider | None" = None) -> None:
        """Name a store; nothing is read yet.

        Args:
            url: `s3://bucket[/prefix]` or `file:///path`.
            endpoint: URL of an S3 other than AWS's; empty for the one that AWS's own variables name
                (AWS_ENDPOINT_URL_S3, AWS_ENDPOINT_URL), which is AWS's if there are none.
            credentials: source of S3 credentials; default the environment.

        Raises:
            BadInput: a URL or the region breaks its rule, the folder does not exist, or AWS_CA_BUNDLE can't be read.
            StoreUnavailable: the environment holds half of the AWS credentials.
        """
        self.url = url
        place = store_urls.parse(url)
        if isinstance(place, Path):
            self._bytes: S3Store | LocalStore = _folder(place)
        else:
            address = store_urls.endpoint(endpoint) or store_urls.s3_endpoint(os.environ)
            with self._translated(place.prefix):
                self._bytes = _s3(place, address, credentials)

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
            return [entry["path"] for page in obstore.list(self._bytes, prefix) for entry in page]

    def folders(self, prefix: str) -> list[str]:
        """List the names of the folders directly below a prefix. Raises `StoreUnavailable`."""
        with self._translated(prefix):
            folders = obstore.list_with_delimiter(self._bytes, prefix)["common_prefixes"]
            return sorted(folder.rpartition("/")[2] for folder in folders)

    def check(self) -> None:
        """List something, to see whether the store answers. Raises `StoreUnavailable`."""
        self.folders("models")

    @contextmanager
    def _translated(self, key: str) -> Iterator[None]:
        try:
            yield
        except ValueError as exc:
            raise BadName("a key has printable characters, and no empty, '.' or '..' part", key) from exc
        except FileNotFoundError as exc:
            if error_code(exc) == "NoSuchBucket":
                raise unavailable(self.url, exc) from exc
            raise ObjectNotFound(key, self.url) from exc
        except (BaseError, OSError) as exc:
            raise unavailable(self.url, exc) from exc
        except BaseException as exc:
            if type(exc).__name__ != "PanicException":  # obstore's, which no module exports
                raise
            raise unavailable(self.url, exc) from exc


def _folder(path: Path) -> LocalStore:
    if not path.is_dir():
        raise BadInput(f"{store_urls.RULE}; the folder exists", path.as_uri())
    return LocalStore(path.resolve())


def _s3(bucket: Bucket, endpoint: str, credentials: "S3CredentialProvider | None") -> S3Store:
    # obstore reads the variable of this name, too, and it counts more than the other that it has for an endpoint
    config: S3Config = {"aws_endpoint_url_s3": endpoint, "region": store_urls.region(os.environ)}
    client: ClientConfig = {
        "timeout": timedelta(seconds=_TIMEOUT_S),
        "connect_timeout": timedelta(seconds=_CONNECT_TIMEOUT_S),
        "allow_http": not endpoint.lower().startswith("https://"),
    }
    if bundle := os.environ.get("AWS_CA_BUNDLE"):
        client["root_certificate"] = _certificates(Path(bundle))
    return S3Store(
        bucket.name,
        prefix=bucket.prefix or None,
        config=config,
        client_options=client,
        retry_config={"max_retries": _RETRIES, "retry_timeout": timedelta(seconds=_TIMEOUT_S)},
        credential_provider=credentials,
    )


def _certificates(bundle: Path) -> bytes:
    """Read the authorities that AWS's own libraries trust, too. Raises `BadInput`."""
    try:
        certificates = bundle.read_bytes()
    except OSError as exc:
        raise BadInput(_BUNDLE, exc) from exc
    if b"-----BEGIN CERTIFICATE-----" not in certificates:
        raise BadInput(_BUNDLE, str(bundle))
    return certificates
