"""Content-Encoding of requests and answers: gzip and deflate."""

import gzip
import zlib

from weir.errors import BadBody, TooLarge, UnsupportedMedia

SMALLEST = 256
"""size in bytes from which an answer is compressed"""

_WINDOWS = {"gzip": 31, "x-gzip": 31, "deflate": 15}
_LEVEL = 1

_MAX_MEMBERS = 1_024
"""of a gzip body; each is inflated by itself, so their number costs time whatever their size"""


def decompress(content: bytes, encoding: str, limit: int) -> bytes:
    """Decompress a body, with no more memory than `limit` bytes.

    Args:
        content: the body as it came.
        encoding: the header Content-Encoding; empty when there is none.
        limit: largest size in bytes once it is decompressed, or as it came. A gzip body may have several members, one
            behind the other (RFC 1952, 2.2).

    Raises:
        UnsupportedMedia: another encoding.
        TooLarge: it has more bytes.
        BadBody: it is not compressed that way, is incomplete, has bytes behind it, or more than 1,024 members.
    """
    name = encoding.strip().lower()
    if name in {"", "identity"}:
        if len(content) > limit:
            raise TooLarge(f"a body has at most {limit} bytes", len(content))
        return content
    if name not in _WINDOWS:
        raise UnsupportedMedia("Content-Encoding is gzip, deflate or identity", encoding)
    plain, rest = _stream(content, name, limit, 0)
    if not rest:
        return plain
    if name == "deflate":
        raise BadBody("the body is one whole deflate stream", "more behind it")
    members, size = [plain], len(plain)
    while rest:
        if len(members) == _MAX_MEMBERS:
            raise BadBody(f"a gzip body has at most {_MAX_MEMBERS} members", "more")
        plain, rest = _stream(rest, name, limit, size)
        members.append(plain)
        size += len(plain)
    return b"".join(members)


def _stream(content: bytes, name: str, limit: int, size: int) -> tuple[bytes, bytes]:
    """Decompress the first stream, `size` bytes after those before it; return it and what stands behind it."""
    reader = zlib.decompressobj(_WINDOWS[name])
    try:
        plain = reader.decompress(content, limit - size + 1)
    except zlib.error as exc:
        raise BadBody(f"the body is compressed with {name}", exc) from exc
    if size + len(plain) > limit:
        raise TooLarge(f"a body has at most {limit} bytes when it is decompressed", "more")
    if not reader.eof:
        raise BadBody(f"the body is one whole {name} stream", "less")
    return plain, reader.unused_data


def takes_gzip(accept_encoding: str) -> bool:
    """Tell whether an Accept-Encoding header accepts gzip; the weight 0 refuses it (RFC 9110, 12.5.3)."""
    for part in accept_encoding.lower().split(","):
        name, _, weight = (piece.strip() for piece in part.partition(";"))
        if name in {"gzip", "x-gzip"}:
            return weight.replace(" ", "").rstrip("0") not in {"q=", "q=0."}
    return False


def compress(content: bytes) -> bytes:
    """Compress an answer with gzip, deterministically."""
    return gzip.compress(content, _LEVEL, mtime=0)
