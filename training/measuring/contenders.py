"""The contenders that an evaluation compares: the end-to-end model, each level alone, the cascade."""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import msgspec

from training.replay.recording import escalating
from training.replay.timing import clock_s
from weir.catalog.levels import Classifier, Experts, Level, Router
from weir.catalog.manifest import Artifact, Manifest
from weir.engine.arrays import Floats
from weir.engine.predictions import Predictions
from weir.runtime.interpreter import DEPLOYED
from weir.runtime.model import Model, Predictor

Fetch = Callable[[str], bytes]

END_TO_END_KEY, CASCADE_KEY = "end-to-end", "cascade"


@dataclass(frozen=True)
class Contender:
    """A predictor to compare with others, and the part of it that is timed."""

    predictor: Predictor
    timed_level: int | None = None
    """the level whose networks alone are timed; None: the whole call"""

    def answer(self, rows: Floats) -> tuple[Predictions, float]:
        """Answer rows in one batched call, and return the CPU time of this thread in µs per row too."""
        start = clock_s()
        predictions, uses = self.predictor.answer(rows, full=False)
        call_us = (clock_s() - start) * 1e6
        time_us = call_us if self.timed_level is None else uses[self.timed_level].time_us
        return predictions, time_us / len(rows)


def contenders(manifest: Manifest, fetch: Fetch) -> dict[str, Contender]:
    """Name each contender: the end-to-end model, the levels by their numbers, the cascade.

    A level alone answers from its own network. Experts answer after the levels before them, and only their own
    networks are timed. Each contender loads networks of its own.
    """
    numbers = range(len(manifest.levels))
    return {
        END_TO_END_KEY: Contender(_model(manifest, fetch).end_to_end),
        **{str(number): _alone(manifest, number, fetch) for number in numbers},
        CASCADE_KEY: Contender(_model(manifest, fetch).cascade),
    }


def _model(manifest: Manifest, fetch: Fetch) -> Model:
    return Model(manifest, fetch, DEPLOYED)


def _alone(manifest: Manifest, number: int, fetch: Fetch) -> Contender:
    model = _model(manifest, fetch)
    cascade = escalating(model.cascade.definition, number + 1)
    level = cascade.levels[number]
    if isinstance(level, Experts):
        return Contender(Predictor(cascade, model.network, clock_s), timed_level=number)
    only = msgspec.structs.replace(level, fusion="replace", threshold=0.0)
    return Contender(Predictor(cascade.with_levels([only]), model.network))


def with_float_references(manifest: Manifest, references: Mapping[str, bytes]) -> tuple[Manifest, Fetch]:
    """Put the float32 model in the place of each artifact that was quantized from it; `references` is by digest."""
    digests = {digest: hashlib.sha256(content).hexdigest() for digest, content in references.items()}
    contents = {digests[digest]: content for digest, content in references.items()}

    def float_of(artifact: Artifact) -> Artifact:
        return msgspec.structs.replace(artifact, digest=digests[artifact.digest], quantization="float32")

    end_to_end = msgspec.structs.replace(manifest.end_to_end, artifact=float_of(manifest.end_to_end.artifact))
    levels = tuple(level.map(float_of) for level in manifest.levels)
    return msgspec.structs.replace(manifest, end_to_end=end_to_end, levels=levels), contents.__getitem__


def uncalibrated(manifest: Manifest) -> Manifest:
    """Set every temperature to 1."""
    end_to_end = msgspec.structs.replace(manifest.end_to_end, temperature=1.0)
    levels = tuple(_uncalibrated(level) for level in manifest.levels)
    return msgspec.structs.replace(manifest, end_to_end=end_to_end, levels=levels, fused_temperature=1.0)


def _uncalibrated(level: Level[Artifact]) -> Level[Artifact]:
    match level:
        case Classifier() | Router():
            return msgspec.structs.replace(level, temperature=1.0)
        case Experts():
            experts = {
                group: msgspec.structs.replace(expert, temperature=1.0) for group, expert in level.experts.items()
            }
            return msgspec.structs.replace(level, experts=experts)
