"""The two mounts: where the end-to-end model and the cascade answer, in the API and in batch files."""

from typing import Literal

from msgspec import Struct


class Mount(Struct, frozen=True):
    """One form of a model, and the segment of paths and keys at which it answers.

    The end-to-end model answers below `/v2` and `batches/in/<model>/`, the cascade below `/cascade/v2` and
    `batches/in/<model>/cascade/`.
    """

    name: Literal["end-to-end", "cascade"]
    segment: Literal["", "cascade"]
    """empty for the end-to-end model"""

    @property
    def prefix(self) -> str:
        """The beginning of the API's paths: empty, or `/cascade`."""
        return f"/{self.segment}" if self.segment else ""


END_TO_END = Mount("end-to-end", segment="")
CASCADE = Mount("cascade", segment="cascade")
MOUNTS = (END_TO_END, CASCADE)
