"""The two mounts of the API: below `/` the end-to-end model answers, below `/cascade` the cascade does."""

from typing import Literal

from msgspec import Struct


class Mount(Struct, frozen=True):
    """Where the protocol is mounted, and what answers there."""

    name: Literal["end-to-end", "cascade"]
    prefix: str
    """of the paths"""
    tag: str
    """heading in the OpenAPI document"""


END_TO_END = Mount("end-to-end", prefix="", tag="End-to-end")
CASCADE = Mount("cascade", prefix="/cascade", tag="Levels")
MOUNTS = (END_TO_END, CASCADE)
