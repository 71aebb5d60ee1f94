"""The chunks of a PNG and the segments of a JPEG, counted before Pillow reads them: it runs Python code for each."""

import re

from weir.errors import BadBody, TooLarge

WHOLE = "a picture is a whole PNG or JPEG"

PICTURES = (b"\x89PNG\r\n\x1a\n", b"\xff\xd8")
"""first bytes of a PNG, of a JPEG"""

MAX_PARTS = 2_000
"""chunks of a PNG, of which an encoder writes one for each 8 kB; segments of a JPEG before its first scan"""

_PNG, _JPEG = PICTURES
_BEGINNINGS = {
    "image/png": re.escape(_PNG),
    "image/jpeg": re.escape(_JPEG),
    "image/gif": rb"GIF8",
    "image/webp": rb"RIFF....WEBP",
    "image/bmp": rb"BM",
    "image/tiff": rb"II\*\0|MM\0\*",
    "image/avif": rb"....ftypavi[fs]",
    "image/heic": rb"....ftyp(?:hei|mif)",
    "image/svg+xml": rb"\s*<(?:svg|\?xml)",
}
"""media type -> a pattern of the first bytes of its files"""
_SCAN = 0xDA
_WITHOUT_LENGTH = frozenset((0x01, *range(0xD0, 0xD9)))
"""markers that no length follows"""
_MARKER = re.compile(rb"\xff{1,16}([^\x00\xff])", re.DOTALL)
"""up to 15 bytes may fill the space before a marker"""


def media_type(content: bytes) -> str:
    """Tell the media type of a file by its first bytes, whatever its name says; none that is known: nothing."""
    head = content[:64]
    return next((kind for kind, first in _BEGINNINGS.items() if re.match(first, head, re.DOTALL)), "")


def check(content: bytes) -> None:
    """Refuse an abnormal number of chunks or segments. Raises `TooLarge`, and `BadBody` for what is neither."""
    if content.startswith(_PNG):
        _check_chunks(content)
    elif content.startswith(_JPEG):
        _check_segments(content)
    else:
        raise BadBody(WHOLE, media_type(content) or content[:8])


def scans(content: bytes) -> int:
    """Count the scans of a JPEG; each costs a pass over all pixels. Other pictures count as one."""
    return content.count(bytes((0xFF, _SCAN))) if content.startswith(_JPEG) else 1


def _check_chunks(content: bytes) -> None:
    at, parts = len(_PNG), 0
    while at < len(content):
        at += 12 + int.from_bytes(content[at : at + 4], "big")  # length, type, data, checksum
        parts = _counted(parts)


def _check_segments(content: bytes) -> None:
    at, parts = len(_JPEG), 0
    while match := _MARKER.match(content, at):
        marker, at = match[1][0], match.end()
        if marker == _SCAN:
            return
        if marker not in _WITHOUT_LENGTH:
            at += int.from_bytes(content[at : at + 2], "big")
        parts = _counted(parts)
    raise BadBody(WHOLE, f"a JPEG with no segment at byte {at}")


def _counted(parts: int) -> int:
    if parts >= MAX_PARTS:
        raise TooLarge(f"a picture has at most {MAX_PARTS} chunks or segments", "more")
    return parts + 1
