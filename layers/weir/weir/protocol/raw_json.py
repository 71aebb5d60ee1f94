"""JSON text that is not decoded yet: its byte order mark, and what kind of value it is."""

import msgspec

_MARK = b"\xef\xbb\xbf"


def without_mark(content: bytes | memoryview) -> bytes | memoryview:
    """Leave out UTF-8's byte order mark, which some editors write: a reader may ignore it (RFC 8259, 8.1)."""
    return content[len(_MARK) :] if bytes(content[: len(_MARK)]) == _MARK else content


def is_null(value: msgspec.Raw) -> bool:
    """Tell whether a value is null, without a copy of it."""
    return bytes(memoryview(value)[:4]) == b"null"


def is_object(value: msgspec.Raw) -> bool:
    """Tell whether a value is an object, without a copy of it."""
    return bytes(memoryview(value)[:1]) == b"{"


def why(content: bytes, error: Exception) -> Exception | str:
    """Say why a body is no such JSON: the decoder calls one that is empty truncated."""
    return error if content.strip() else "an empty body"
