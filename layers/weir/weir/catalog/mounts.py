"""The two mounts, of the API and of batch files: one for the end-to-end model, one for the cascade."""

from typing import Literal

from msgspec import Struct


class Mount(Struct, frozen=True):
    """What answers, and where: below `/` and `batches/in/<model>/`, or one segment further down."""

    name: Literal["end-to-end", "cascade"]
    segment: Literal["", "cascade"]
    """of paths and keys; empty where the end-to-end model answers"""

    @property
    def prefix(self) -> str:
        """The beginning of the API's paths: empty, or `/cascade`."""
        return f"/{self.segment}" if self.segment else ""


END_TO_END = Mount("end-to-end", segment="")
CASCADE = Mount("cascade", segment="cascade")
MOUNTS = (END_TO_END, CASCADE)
