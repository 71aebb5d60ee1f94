"""Aliases: names like `champion` that stand for a version."""

from typing import Annotated

import msgspec

from weir.errors import BadAlias

Version = Annotated[int, msgspec.Meta(ge=1, le=999_999_999)]


class Canary(msgspec.Struct, frozen=True, kw_only=True):
    """A second version that gets `weight` percent of the requests."""

    version: Version
    weight: int


class Alias(msgspec.Struct, frozen=True, kw_only=True):
    """The version that a name like `champion` stands for, and the earlier ones, newest first."""

    version: Version
    history: tuple[Version, ...] = ()
    canary: Canary | None = None


def decode_alias(data: bytes) -> Alias:
    """Read an alias document, else raise `BadAlias`."""
    try:
        return msgspec.json.decode(data, type=Alias)
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError) as exc:
        raise BadAlias('an alias is {"version": n, "history": [n, …]}', exc) from exc
