"""Content-Encoding of requests and answers: gzip and deflate."""

import gzip
import zlib

from weir.errors import BadBody, TooLarge, UnsupportedMedia

SMALLEST = 256
"""size in bytes from which an answer is compressed"""

_WINDOWS = {"gzip": 31, "x-gzip": 31, "deflate": 15}
_LEVEL = 1


def decompress(content: bytes, encoding: str, limit: int) -> bytes:
    """Decompress a body, with no more memory than `limit` bytes.

    Args:
        content: the body as it came.
        encoding: the header Content-Encoding; empty when there is none.
        limit: largest size in bytes once it is decompressed; the gateway limits bodies that are not compressed.

    Raises:
        UnsupportedMedia: another encoding.
        TooLarge: it has more bytes.
        BadBody: it is not compressed that way, is incomplete, or has bytes behind it.
    """
    name = encoding.strip().lower()
    if name in {"", "identity"}:
        return content
    if name not in _WINDOWS:
        raise UnsupportedMedia("Content-Encoding is gzip, deflate or identity", encoding)
    reader = zlib.decompressobj(_WINDOWS[name])
    try:
        plain = reader.decompress(content, limit + 1)
    except zlib.error as exc:
        raise BadBody(f"the body is compressed with {name}", exc) from exc
    if len(plain) > limit:
        raise TooLarge(f"the body has at most {limit} bytes when it is decompressed", "more")
    if not reader.eof or reader.unused_data:
        raise BadBody(f"the body is one whole {name} stream", "less" if not reader.eof else "more behind it")
    return plain


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
