"""Read the URL of a store, and that of an S3 other than AWS's."""

import ipaddress
import re
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple
from urllib.parse import SplitResult, unquote, urlsplit

from weir.errors import BadInput

RULE = "a store is s3://bucket[/prefix] or file:///path"

_ENDPOINT_VARIABLES = ("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL")
"""of AWS's own libraries; the first that is set counts"""
_IGNORED = "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS"
"""true: AWS's own libraries disregard those variables"""
_ENDPOINT_RULE = "is an http:// or https:// URL, without a query"

_BUCKET = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,254}")
"""wider than today's rule of AWS: old buckets and those of other servers may have capitals, `_` and more characters"""
_PREFIX = re.compile(r"(?:/(?!\.{1,2}(?:/|$))[^/]+)*/?")
_HTTP = re.compile(r"https?://[!\"$->@-~]+", re.IGNORECASE)
_HOST = re.compile(r"(?:[A-Za-z0-9_-]{1,63}\.)*[A-Za-z0-9_-]{1,63}\.?")
_NUMBER = re.compile(r"\d+|0x[0-9a-f]*")
"""the last label of a host that can only be an address"""
_REGION = re.compile(r"[A-Za-z0-9-]{1,63}")
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
    if "?" in url or "#" in url:  # what follows would be lost: a path has %3F and %23 for them
        raise _refused(f"{RULE}, without '?' and '#'", url)
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
        raise _refused(f"a store's endpoint {_ENDPOINT_RULE}", url)
    return url


def s3_endpoint(environment: Mapping[str, str]) -> str:
    """Return the URL of the S3 that AWS's own variables name, as AWS's own libraries read them. Raises `BadInput`."""
    if environment.get(_IGNORED, "").lower() != "true":
        for name in _ENDPOINT_VARIABLES:
            if url := environment.get(name):
                if not is_http(url):
                    raise _refused(f"{name} {_ENDPOINT_RULE}", url)
                return url
    return f"https://s3.{region(environment)}.amazonaws.com"


def region(environment: Mapping[str, str]) -> str:
    """Return the region that AWS's own variables name. Raises `BadInput`."""
    name = environment.get("AWS_REGION") or environment.get("AWS_DEFAULT_REGION") or "us-east-1"
    if not _REGION.fullmatch(name):
        raise BadInput("AWS_REGION and AWS_DEFAULT_REGION name a region, such as eu-west-1", name)
    return name


def is_http(url: str) -> bool:
    """Return whether a URL is http:// or https:// with a valid host and port, without query, spaces or non-ASCII."""
    try:
        parts = urlsplit(url)
        return bool(_HTTP.fullmatch(url)) and parts.port != 0 and _has_host(parts)
    except ValueError:
        return False


def _has_host(parts: SplitResult) -> bool:
    """Return whether a URL has a valid host. Raises `ValueError` for one that is no valid address or foreign name."""
    host = parts.hostname or ""
    if "[" in parts.netloc:
        ipaddress.IPv6Address(host)
        return "%" not in host
    labels = host.removesuffix(".").split(".")
    if _NUMBER.fullmatch(labels[-1]):
        ipaddress.IPv4Address(host)
    foreign = [label.removeprefix("xn--").encode().decode("punycode") for label in labels if label[:4] == "xn--"]
    return bool(_HOST.fullmatch(host)) and all(label.isprintable() for label in foreign)


def without_credentials(text: str) -> str:
    """Remove user names and passwords from the URLs of a text."""
    return _CREDENTIALS.sub("", text)


def _refused(rule: str, url: str) -> BadInput:
    return BadInput(rule, without_credentials(url))
