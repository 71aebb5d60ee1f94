"""Read the URL of a store, and that of an S3 other than AWS's."""

import ipaddress
import re
from pathlib import Path
from typing import NamedTuple
from urllib.parse import SplitResult, unquote, urlsplit

from weir.errors import BadInput

RULE = "a store is s3://bucket[/prefix] or file:///path"

_BUCKET = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,254}")
"""wider than today's rule of AWS: old buckets and those of other servers may have capitals, `_` and more characters"""
_PREFIX = re.compile(r"(?:/(?!\.{1,2}(?:/|$))[^/]+)*/?")
_HTTP = re.compile(r"https?://[!-~]+", re.IGNORECASE)
_HOST = re.compile(r"(?:[A-Za-z0-9_-]{1,63}\.)*[A-Za-z0-9_-]{1,63}\.?")
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
        raise _refused(RULE, url) from exc
    if not url.isprintable():  # urlsplit removes line breaks: the URL would name another store
        raise _refused(f"{RULE}, of printable characters", url)
    if parts.scheme == "s3" and parts.netloc:
        return _bucket(url, parts)
    if parts.scheme == "file" and not parts.netloc and parts.path.startswith("/") and "%00" not in parts.path:
        return Path(unquote(parts.path))
    raise _refused(RULE, url)


def is_bucket(url: str) -> bool:
    """Tell whether the URL of a store names a bucket, and no folder. Raises `BadInput`."""
    return isinstance(parse(url), Bucket)


def _bucket(url: str, parts: SplitResult) -> Bucket:
    if not _BUCKET.fullmatch(parts.netloc):
        raise _refused(f"{RULE}; a bucket's name has up to 255 of A-Z, a-z, 0-9, '.', '-', '_'", url)
    if not _PREFIX.fullmatch(parts.path):
        raise _refused(f"{RULE}; a prefix has no empty, '.' or '..' part", url)
    return Bucket(parts.netloc, parts.path.strip("/"))


def endpoint(url: str) -> str:
    """Return the URL of an S3 if it is one, or if it is empty, which stands for AWS. Raises `BadInput`."""
    if url and not is_http(url):
        raise _refused("a store's endpoint is an http:// or https:// URL", url)
    return url


def is_http(url: str) -> bool:
    """Return whether a URL is http:// or https:// with a valid host and port, in printable ASCII without spaces."""
    try:
        parts = urlsplit(url)
        return bool(_HTTP.fullmatch(url)) and parts.port != 0 and _has_host(parts)
    except ValueError:
        return False


def _has_host(parts: SplitResult) -> bool:
    """Return whether a URL has a valid host. Raises `ValueError` when brackets hold no IPv6 address."""
    if "[" in parts.netloc:
        ipaddress.IPv6Address(parts.hostname)
        return True
    return bool(_HOST.fullmatch(parts.hostname or ""))


def without_credentials(text: str) -> str:
    """Remove user names and passwords from the URLs of a text."""
    return _CREDENTIALS.sub("", text)


def _refused(rule: str, url: str) -> BadInput:
    return BadInput(rule, without_credentials(url))
