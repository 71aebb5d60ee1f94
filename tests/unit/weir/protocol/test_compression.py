"""weir.protocol.compression."""

import gzip
import tracemalloc
import zlib
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from weir.errors import BadBody, BadInput, TooLarge, UnsupportedMedia
from weir.protocol.compression import compress, decompress, takes_gzip

COMPRESSIONS: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.compress,
    "x-gzip": gzip.compress,
    "deflate": zlib.compress,
}

TEXT = b'{"inputs": [1, 2, 3, 4, 5, 6, 7, 8, 9]}' * 5


@given(st.binary(), st.sampled_from(sorted(COMPRESSIONS)))
def test_what_was_compressed_is_what_came(content: bytes, encoding: str) -> None:
    """Decompressing a body restores any bytes."""
    assert decompress(COMPRESSIONS[encoding](content), encoding, 10_000) == content


@pytest.mark.parametrize("encoding", ["", " ", "identity", "Identity"])
def test_a_body_that_is_not_compressed_is_left_alone(encoding: str) -> None:
    """Without an encoding the body stays, even if it looks compressed."""
    for content in (TEXT, gzip.compress(TEXT)):
        assert decompress(content, encoding, len(content)) == content


@pytest.mark.parametrize("encoding", ["", "identity"])
def test_a_body_that_is_not_compressed_has_the_same_limit(encoding: str) -> None:
    """One byte more is refused."""
    with pytest.raises(TooLarge, match=f"a body has at most {len(TEXT) - 1} bytes. Got: {len(TEXT)}"):
        decompress(TEXT, encoding, len(TEXT) - 1)


def test_encodings_are_written_in_any_case() -> None:
    """The name of an encoding may have any case and spaces around it, as headers may."""
    assert decompress(gzip.compress(TEXT), " GZip ", 1000) == TEXT


@pytest.mark.parametrize("encoding", ["br", "zstd", "compress", "gzip, gzip", "gzip,deflate", "x"])
def test_other_encodings_are_refused(encoding: str) -> None:
    """The error lists the encodings that are read."""
    with pytest.raises(UnsupportedMedia, match=r"Content-Encoding is gzip, deflate or identity\. Got: "):
        decompress(TEXT, encoding, 1000)


@pytest.mark.parametrize("encoding", ["gzip", "deflate"])
def test_a_stream_that_was_cut_is_refused(encoding: str) -> None:
    """A stream cut at any byte is refused."""
    content = COMPRESSIONS[encoding](TEXT)
    for length in range(len(content)):
        with pytest.raises(BadBody, match=f"the body is (one whole|compressed with) {encoding}"):
            decompress(content[:length], encoding, 1000)


def test_nothing_follows_a_stream_of_deflate() -> None:
    """A byte or another stream behind the first is refused."""
    content = zlib.compress(TEXT)
    for more in (b"\0", b"x", content):
        with pytest.raises(BadBody, match=r"one whole deflate stream\. Got: more behind it"):
            decompress(content + more, "deflate", 1000)


@pytest.mark.parametrize("parts", [[TEXT, TEXT], [b"", TEXT], [TEXT, b"", b""], [bytes([byte]) for byte in TEXT]])
def test_gzip_may_have_several_members(parts: list[bytes]) -> None:
    """What `cat a.gz b.gz` and block compressors write is one body."""
    content = b"".join(gzip.compress(part) for part in parts)
    assert decompress(content, "gzip", 1000) == b"".join(parts)


@pytest.mark.parametrize("more", [b"\0", b"x", b"xy", zlib.compress(TEXT), gzip.compress(TEXT, mtime=0)[:-1]])
def test_only_whole_members_follow_a_member(more: bytes) -> None:
    """Other bytes behind a member are refused."""
    with pytest.raises(BadBody, match=r"the body is (one whole|compressed with) gzip"):
        decompress(gzip.compress(TEXT) + more, "gzip", 1000)


def test_members_together_have_the_limit_of_one() -> None:
    """The limit is that of the whole body, and the number of members is limited, too."""
    content = gzip.compress(TEXT)
    assert decompress(content * 3, "gzip", 3 * len(TEXT)) == TEXT * 3
    with pytest.raises(TooLarge, match=f"at most {3 * len(TEXT) - 1} bytes"):
        decompress(content * 3, "gzip", 3 * len(TEXT) - 1)
    empty = gzip.compress(b"")
    assert decompress(empty * 1024, "gzip", 1) == b""
    with pytest.raises(BadBody, match="a gzip body has at most 1024 members"):
        decompress(empty * 1025, "gzip", 1)


@pytest.mark.parametrize(
    ("content", "encoding"),
    [
        (TEXT, "gzip"),
        (TEXT, "deflate"),
        (gzip.compress(TEXT, mtime=0), "deflate"),
        (zlib.compress(TEXT), "gzip"),
        (zlib.compress(TEXT, wbits=-15), "deflate"),
    ],
)
def test_other_bytes_are_refused(content: bytes, encoding: str) -> None:
    """A body that is not compressed as its header claims is refused."""
    with pytest.raises(BadBody, match=f"the body is compressed with {encoding}"):
        decompress(content, encoding, 1000)


@given(st.integers(0, 10_000), st.integers(0, 255))
def test_a_damaged_stream_is_no_other_body(at: int, byte: int) -> None:
    """A changed byte is noticed, or changes nothing."""
    content = bytearray(gzip.compress(TEXT, mtime=0))
    content[at % len(content)] = byte
    try:
        assert decompress(bytes(content), "gzip", 1000) == TEXT
    except BadInput:
        return


@pytest.mark.parametrize("encoding", ["gzip", "deflate"])
def test_a_body_may_be_as_long_as_the_limit(encoding: str) -> None:
    """A body of exactly the limit is read, and one byte more is refused."""
    content = COMPRESSIONS[encoding](TEXT)
    assert decompress(content, encoding, len(TEXT)) == TEXT
    with pytest.raises(TooLarge, match=f"at most {len(TEXT) - 1} bytes when it is decompressed"):
        decompress(content, encoding, len(TEXT) - 1)


@pytest.mark.parametrize(("encoding", "window"), [("gzip", 31), ("deflate", 15)])
def test_a_bomb_is_refused_with_little_memory(encoding: str, window: int) -> None:
    """100 MB of zeros in 100 kB cost no more than a few times the limit."""
    compressor = zlib.compressobj(1, wbits=window)
    bomb = b"".join(compressor.compress(bytes(1_000_000)) for _ in range(100)) + compressor.flush()
    limit = 1_000_000
    tracemalloc.start()
    try:
        with pytest.raises(TooLarge):
            decompress(bomb, encoding, limit)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 4 * limit


@pytest.mark.parametrize(
    ("header", "takes"),
    [
        ("gzip", True),
        ("GZIP", True),
        ("x-gzip", True),
        ("gzip, deflate, br", True),
        ("br,gzip", True),
        ("deflate;q=0.5, gzip;q=1.0", True),
        ("gzip;q=0.001", True),
        ("gzip ; q=0.5", True),
        ("gzip;q=1", True),
        ("gzip;q=0", False),
        ("gzip;q=0.0", False),
        ("gzip;q=0.000", False),
        ("gzip;Q=0", False),
        ("gzip ; q = 0 , identity", False),
        ("*;q=1, gzip;q=0", False),
        ("", False),
        ("identity", False),
        ("deflate, br", False),
        ("*", False),
        ("gzipped", False),
        (",,;", False),
    ],
)
def test_gzip_is_for_clients_that_accept_it(header: str, takes: bool) -> None:
    """An answer is compressed when the header names gzip with a weight above 0."""
    assert takes_gzip(header) is takes


def test_the_same_answer_is_the_same_bytes() -> None:
    """Compression is deterministic: it writes no time."""
    assert compress(TEXT) == compress(TEXT)
    assert compress(TEXT)[4:8] == b"\0\0\0\0"
    assert gzip.decompress(compress(TEXT)) == TEXT
