"""Read the URL of a store, and that of an S3 other than AWS's."""

import re
from pathlib import Path
from typing import NamedTuple
from urllib.parse import unquote, urlsplit

from weir.errors import BadInput

RULE = "a store is s3://bucket[/prefix] or file:///path"

_CREDENTIALS = re.compile(r"(?<=//)[^/\s]*@")


class Bucket(NamedTuple):
    """A bucket of S3, and the prefix below which the store lies; the prefix may be empty."""

    name: str
    prefix: str


def parse(url: str) -> Bucket | Path:
    """Read the URL of a store: a bucket, or the path of a folder, which need not exist. Raises `BadInput`."""
    try:
        parts = urlsplit(url)
    except ValueError as exc:
        raise BadInput(RULE, url) from exc
    if parts.scheme == "s3" and parts.netloc:
        return Bucket(parts.netloc, parts.path.strip("/"))
    if parts.scheme == "file" and not parts.netloc and parts.path.startswith("/"):
        return Path(unquote(parts.path))
    raise BadInput(RULE, url)


def endpoint(url: str) -> str:
    """Return the URL of an S3 if it is one, or if it is empty, which stands for AWS. Raises `BadInput`."""
    try:
        parts = urlsplit(url)
        valid = parts.scheme in {"http", "https"} and parts.hostname and parts.port != 0
    except ValueError:
        valid = False
    if url and not valid:
        raise BadInput("a store's endpoint is an http:// or https:// URL", url)
    return url


def without_credentials(text: str) -> str:
    """Remove user names and passwords from the URLs of a text."""
    return _CREDENTIALS.sub("", text)
