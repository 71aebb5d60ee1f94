"""Why a store failed, and what to do about it: the one place that reads the messages of obstore, boto3 and requests.

Their exceptions name a class (`GenericError`) or a URL, and bury the cause. Nothing that a server sent is repeated but
its status and error code, and URLs lose their credentials.
"""

import os
import re
from typing import NamedTuple

from weir import proxies
from weir.catalog.store_urls import without_credentials
from weir.errors import StoreUnavailable

_SILENT, _REFUSED, _CLOSED = "did not answer", "refused the request", "can't be opened"


class Failure(NamedTuple):
    """What a server did, and why."""

    failed: str
    cause: str


class _Known(NamedTuple):
    marks: tuple[str, ...]
    """parts of the libraries' messages, any of which identifies this failure"""
    failed: str
    cause: str
    remedy: str


_ADDRESS = "check the host and port of its URL"

# The first row that fits counts: a lookup of credentials that is refused has both marks.
_KNOWN = (
    _Known(
        ("NoCredentials", "PartialCredentials", "Missing Sec"),
        _CLOSED,
        "there are no AWS credentials",
        "set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY",
    ),
    _Known(
        ("InvalidUri", "InvalidIpv4Address", "InvalidIpv6Address", "IdnaError"),
        _CLOSED,
        "its endpoint and region make no valid URL",
        "check MODEL_STORE_ENDPOINT and AWS_DEFAULT_REGION",
    ),
    _Known(("ExpiredToken", "RequestExpired", "SSOToken"), _REFUSED, "the AWS credentials have expired", "renew them"),
    _Known(
        ("InvalidAccessKeyId", "SignatureDoesNotMatch", "InvalidToken"),
        _REFUSED,
        "the AWS credentials are wrong",
        "check AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY",
    ),
    _Known(("RequestTimeTooSkewed",), _REFUSED, "this machine's clock is wrong", "set it"),
    _Known(("NoSuchBucket", "InvalidBucketName"), _REFUSED, "there is no such bucket", "check its name"),
    _Known(
        ("BareRedirect", "PermanentRedirect", "AuthorizationHeaderMalformed", "IllegalLocationConstraint"),
        _REFUSED,
        "the bucket is in another region",
        "set AWS_DEFAULT_REGION to the bucket's",
    ),
    _Known(
        ("AccessDenied", "status code: 401", "status code: 403", "(401)", "(403)"),
        _REFUSED,
        "access denied",
        "reading takes s3:GetObject and s3:ListBucket, writing s3:PutObject and s3:DeleteObject",
    ),
    _Known(
        ("TunnelUnsuccessful", "ProxyConnectionError", "ProxyError", "status code: 407", "(407)"),
        _SILENT,
        "the proxy did not let the request through",
        "check HTTPS_PROXY, HTTP_PROXY and NO_PROXY",
    ),
    _Known(
        ("NotImplemented", "status code: 501", "(501)"),
        _REFUSED,
        "it lacks a part of S3",
        "a store must take conditional writes (If-None-Match, If-Match)",
    ),
    _Known(
        ("SlowDown", "ServiceUnavailable", "InternalError", "status code: 50", "(500)", "(502)", "(503)", "(504)"),
        _REFUSED,
        "the server is overloaded or broken",
        "try again",
    ),
    _Known(
        ("InvalidContentType", "WRONG_VERSION_NUMBER", "RECORD_LAYER_FAILURE"),
        _SILENT,
        "its URL says https, and the server has no TLS",
        "check the URL",
    ),
    _Known(
        ("ExpiredContext", "certificate has expired", "NotValidYet", "not yet valid"),
        _SILENT,
        "its TLS certificate is not valid today",
        "check this machine's clock, and renew the certificate",
    ),
    _Known(
        ("NotValidForName", "IP address mismatch", "doesn't match '"),
        _SILENT,
        "its TLS certificate is one of another host",
        "check the host of its URL",
    ),
    _Known(
        ("InvalidCertificate", "CERTIFICATE_VERIFY_FAILED"),
        _SILENT,
        "this machine does not trust its TLS certificate",
        "install the certificate of its authority, or name it in AWS_CA_BUNDLE",
    ),
    _Known(("dns error", "Failed to resolve", "Name or service"), _SILENT, "no host has this name", _ADDRESS),
    _Known(("ConnectionRefused", "Connection refused"), _SILENT, "connection refused", _ADDRESS),
    _Known(("kind: Timeout", "TimedOut", "timed out", "Timeout"), _SILENT, "no answer in time", _ADDRESS),
    _Known(
        ("ConnectionReset", "IncompleteMessage", "RemoteDisconnected"),
        _SILENT,
        "the server closed the connection",
        "check whether its URL is http:// or https://",
    ),
)

_CODE = re.compile(r"<Code>(\w+)</Code>|\((\w+)\) when calling")
_STATUS = re.compile(r"status code: (\d{3})")
_METADATA = re.compile(r"https?://(?:[^/\s]*/latest/(?:api/token|meta-data)|169\.254\.170\.2\b)")
"""a URL from which AWS's machines get their credentials, and which is tried where there are none"""
_NAMES = re.compile(
    r"""https?://[^\s"<]+"""
    r"""|(?<=with url: )\S+"""
    r"""|\b(?:path|location) .*?(?=: Error performing|$)"""
    r"""|^\s*path: ".*",$"""
    r"""|<(?!Code>)(\w+)>[^<]*</\1>""",
    re.MULTILINE,
)
"""the places where the libraries and S3 repeat a key, which may have any name"""
_KIND = re.compile(r"^Generic \w+ error: ")


def unavailable(url: str, error: BaseException) -> StoreUnavailable:
    """Make the error of a store from a library's."""
    failure = explain(error)
    return StoreUnavailable(f"the store {without_credentials(url)} {failure.failed}", failure.cause)


def explain(error: BaseException) -> Failure:
    """Say what a server or the file system did, why, and what to do about it."""
    if _is_of_a_file(error):  # a path may have any name, so it is not searched for marks
        return Failure("failed", first_line(error))
    text = _without_names("\n".join(_chain(error)))
    code = error_code(error)
    for known in _KNOWN:
        if any(mark in text for mark in known.marks):
            cause = f"{known.cause} ({code})" if code else known.cause
            return Failure(known.failed, f"{cause}; {known.remedy}{_proxy_hint(known)}")
    if code:
        return Failure(_REFUSED, code)
    if status := _STATUS.search(text):
        return Failure(_REFUSED, f"status {status[1]}")
    return Failure("failed", without_credentials(first_line(error)))


def error_code(error: BaseException) -> str:
    """Read the code that S3 gave, such as `NoSuchBucket`; empty when it gave none."""
    match = _CODE.search(_without_names(str(error)))
    return (match[1] or match[2]) if match else ""


def _without_names(text: str) -> str:
    """Remove keys and URLs from a text: they may contain the mark of any failure."""
    return _NAMES.sub("", _METADATA.sub("NoCredentials ", text))


def _chain(error: BaseException | None) -> list[str]:
    """Write an error and all that led to it."""
    texts: list[str] = []
    while error is not None and len(texts) < 10:  # noqa: PLR2004 (deep enough for every library)
        texts.append(f"{type(error).__name__}: {error}")
        error = error.__cause__ or error.__context__
    return texts


def _is_of_a_file(error: BaseException) -> bool:
    return (isinstance(error, OSError) and error.filename is not None) or "LocalFileSystem" in str(error)[:30]


def first_line(error: BaseException) -> str:
    """Return what an error says, without the dumps that libraries append."""
    if isinstance(error, OSError) and error.strerror:
        return f"{error.strerror}: {error.filename}" if error.filename else error.strerror
    line, _, rest = _KIND.sub("", str(error)).partition("\n")
    if line.endswith(":"):  # botocore names what failed on the first line, and the cause on the second
        line += " " + rest.partition("\n")[0]
    line = line.strip()
    return line or type(error).__name__


def _proxy_hint(known: _Known) -> str:
    """Name the variable by which requests go through a proxy, which may be what failed."""
    proxy = next((name for name in proxies.VARIABLES if os.environ.get(name)), "")
    return f", and the proxy in {proxy}" if proxy and known.remedy == _ADDRESS else ""
