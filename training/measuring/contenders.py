"""The contenders that a measurement compares: the end-to-end model, each level alone, the cascade."""

import hashlib
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import msgspec
import numpy as np
from numpy.typing import NDArray

from weir.catalog.manifest import Artifact, Expert, Level, Manifest
from weir.engine.cascade import ALWAYS_ESCALATE, Predictions
from weir.runtime.interpreter import RUNTIMES
from weir.runtime.model import Model

Floats = NDArray[np.float32]
Fetch = Callable[[str], bytes]

END_TO_END, CASCADE = "end-to-end", "cascade"


@dataclass(frozen=True)
class Contender:
    """A model that answers in one of its ways."""

    model: Model
    cascade: bool = True
    own: int | None = None
    """the level whose networks alone are timed; None: the whole call is"""

    def ask(self, rows: Floats) -> tuple[Predictions, float]:
        """Label rows in one batched call, and tell the wall time in µs a row."""
        start = time.perf_counter()
        answers, uses = self.model.answer(rows, cascade=self.cascade, whole=False)
        taken = (time.perf_counter() - start) * 1e6 if self.own is None else uses[self.own].time_us
        return answers, taken / len(rows)


def contenders(manifest: Manifest, fetch: Fetch) -> dict[str, Contender]:
    """Name each side: the end-to-end model, the levels by their numbers, the cascade.

    A level alone answers by its own word. Experts, which have none, stand behind the levels before them, and only
    their own networks are timed.
    """
    found = {END_TO_END: Contender(Model(manifest, fetch, RUNTIMES[0]), cascade=False)}
    found |= {str(number): _alone(manifest, number, fetch) for number in range(len(manifest.levels))}
    return {**found, CASCADE: Contender(Model(manifest, fetch, RUNTIMES[0]))}


def _alone(manifest: Manifest, number: int, fetch: Fetch) -> Contender:
    level = manifest.levels[number]
    if level.kind == "experts":
        before = tuple(msgspec.structs.replace(one, threshold=ALWAYS_ESCALATE) for one in manifest.levels[:number])
        return Contender(Model(_bare(manifest, (*before, level)), fetch, RUNTIMES[0]), own=number)
    only = msgspec.structs.replace(level, fusion="replace", threshold=0.0)
    return Contender(Model(_bare(manifest, (only,)), fetch, RUNTIMES[0]))


def _bare(manifest: Manifest, levels: tuple[Level, ...]) -> Manifest:
    return msgspec.structs.replace(manifest, levels=levels, abstention=None, fused_temperature=1.0)


def floated(manifest: Manifest, references: Mapping[str, bytes]) -> tuple[Manifest, Fetch]:
    """Put the float32 model in the place of each artifact that was quantized from it; `references` is by digest."""
    named = {digest: hashlib.sha256(content).hexdigest() for digest, content in references.items()}
    contents = {named[digest]: content for digest, content in references.items()}

    def of(artifact: Artifact) -> Artifact:
        return msgspec.structs.replace(artifact, digest=named[artifact.digest], quantization="float32")

    def floats(level: Level) -> Level:
        experts = {
            group: msgspec.structs.replace(expert, artifact=of(expert.artifact))
            for group, expert in level.experts.items()
        }
        return msgspec.structs.replace(level, artifact=of(level.artifact) if level.artifact else None, experts=experts)

    end_to_end = msgspec.structs.replace(manifest.end_to_end, artifact=of(manifest.end_to_end.artifact))
    levels = tuple(floats(level) for level in manifest.levels)
    return msgspec.structs.replace(manifest, end_to_end=end_to_end, levels=levels), contents.__getitem__


def uncalibrated(manifest: Manifest) -> Manifest:
    """Take every temperature away."""

    def plain(level: Level) -> Level:
        experts: dict[str, Expert] = {
            group: msgspec.structs.replace(expert, temperature=1.0) for group, expert in level.experts.items()
        }
        return msgspec.structs.replace(level, temperature=1.0, experts=experts)

    end_to_end = msgspec.structs.replace(manifest.end_to_end, temperature=1.0)
    levels = tuple(plain(level) for level in manifest.levels)
    return msgspec.structs.replace(manifest, end_to_end=end_to_end, levels=levels, fused_temperature=1.0)
