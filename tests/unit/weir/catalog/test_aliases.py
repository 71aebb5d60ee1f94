"""weir.catalog.aliases."""

import msgspec
import pytest

from weir.catalog.aliases import Alias, Canary, decode_alias
from weir.errors import BadAlias


@pytest.mark.parametrize(
    "alias",
    [
        Alias(version=1),
        Alias(version=3, history=(2, 1)),
        Alias(version=999_999_999, history=(1,), canary=Canary(version=4, weight=10)),
    ],
)
def test_an_alias_is_read_as_it_was_written(alias: Alias) -> None:
    """Version, history and canary survive encoding and decoding."""
    assert decode_alias(msgspec.json.encode(alias)) == alias


def test_aliases_are_read() -> None:
    """An alias names a version and those it named before."""
    assert decode_alias(b'{"version": 3, "history": [2, 1], "canary": null}') == Alias(version=3, history=(2, 1))


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"3",
        b'{"version": "3"}',
        b'{"version": 0}',
        b'{"version": -1}',
        b'{"version": 1000000000}',
        b'{"version": 2, "history": [0]}',
        b'{"version": 2, "canary": {"version": 0, "weight": 5}}',
        b"[" * 100_000,
        b"\xff",
    ],
)
def test_damaged_aliases_are_refused(data: bytes) -> None:
    """A document that breaks the format is an error of its own class, which states the format."""
    with pytest.raises(BadAlias, match="an alias is"):
        decode_alias(data)
