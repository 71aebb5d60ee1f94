"""Measure a trained model as it will be served: accuracy and time of the end-to-end model, each level, the cascade."""

import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import msgspec
import numpy as np
from numpy.typing import NDArray

from training import folder, testsplit
from training.certification import told
from training.data.split import Split
from training.results import CascadeResult, Evaluation, LevelResult, NetworkResult
from weir.cascade import Answers
from weir.interpreter import RUNTIMES, Network
from weir.manifest import Artifact, EndToEnd, Level, Manifest
from weir.model import Model

Floats = NDArray[np.float32]
Labels = NDArray[np.int64]

ROUNDS = 5
"""calls of each side that a median is taken over"""


Progress = Callable[[int, int], None]


def evaluate(trained: Path, on_call: Progress) -> Evaluation:
    """Measure a complete training folder on its test split.

    Raises:
        BadInput: the folder is not a complete training, or its data have changed.
        ModelUnavailable: a file of it is missing or damaged.
    """
    manifest = folder.manifest(trained)
    references = {digest: folder.reference(trained, digest) for digest in manifest.artifacts}
    test = testsplit.load(manifest)
    return measure(manifest, lambda digest: folder.artifact(trained, digest), references, test, on_call)


def measure(
    manifest: Manifest,
    fetch: Callable[[str], bytes],
    references: Mapping[str, bytes],
    test: Split,
    on_call: Progress,
) -> Evaluation:
    """Measure all sides in one run on the same rows, on the deployed interpreter, one thread.

    Time per row is the median wall time of one batched call, engine included, over its rows; the sides alternate.

    Args:
        manifest: what to measure.
        fetch: digest -> bytes of an artifact.
        references: digest -> bytes of the float32 model that the artifact was quantized from.
        test: rows that neither training nor tuning has seen.
        on_call: is told `(calls done, calls in all)`.
    """
    images, labels = test.images, test.labels
    sides = _sides(manifest, fetch)
    measured = _measure(sides, images, on_call)
    floats = {
        digest: _accuracy(Network(content, RUNTIMES[0]), images, labels) for digest, content in references.items()
    }
    cascade = measured[_CASCADE]

    def facts(artifact: Artifact) -> dict[str, object]:
        return {
            "accuracy": measured[artifact.digest].accuracy(labels),
            "float_accuracy": floats[artifact.digest],
            "size_bytes": artifact.size_bytes,
            "latency_us": round(measured[artifact.digest].latency_us, 3),
            "quantization": artifact.quantization,
        }

    end_to_end = manifest.end_to_end.artifact
    right = measured[end_to_end.digest].answers.label == labels
    return Evaluation(
        end_to_end=msgspec.convert(facts(end_to_end), NetworkResult),
        levels=tuple(
            msgspec.convert(
                {**facts(_own(level)), "name": level.name, "share": cascade.answers.share(number)}, LevelResult
            )
            for number, level in enumerate(manifest.levels)
        ),
        cascade=CascadeResult(
            accuracy=cascade.accuracy(labels),
            latency_us=round(cascade.latency_us, 3),
            regret=float((right & (cascade.answers.label != labels)).mean()),
        ),
        promise=told(manifest),
    )


@dataclass(frozen=True)
class _Measured:
    answers: Answers
    latency_us: float

    def accuracy(self, labels: Labels) -> float:
        return float((self.answers.label == labels).mean())


def _own(level: Level) -> Artifact:
    assert level.artifact is not None, "training makes levels with one network each"
    return level.artifact


_CASCADE = "cascade"
_Side = Callable[[Floats], Answers]


def _sides(manifest: Manifest, fetch: Callable[[str], bytes]) -> dict[str, _Side]:
    """Make one callable for each artifact alone, and one for the cascade."""
    alone = {digest: _alone(manifest, artifact, fetch) for digest, artifact in manifest.artifacts.items()}
    cascade = Model(manifest, fetch, RUNTIMES[0])
    return {**alone, _CASCADE: lambda rows: cascade.answer(rows, cascade=True)[0]}


def _alone(manifest: Manifest, artifact: Artifact, fetch: Callable[[str], bytes]) -> _Side:
    model = Model(msgspec.structs.replace(manifest, end_to_end=EndToEnd(artifact=artifact)), fetch, RUNTIMES[0])
    return lambda rows: model.answer(rows, cascade=False)[0]


def _measure(sides: Mapping[str, _Side], images: Floats, on_call: Progress) -> dict[str, _Measured]:
    times: dict[str, list[float]] = {name: [] for name in sides}
    answers = {name: side(images) for name, side in sides.items()}  # loads the networks, untimed
    calls = ROUNDS * len(sides)
    for done in range(calls):
        name = tuple(sides)[done % len(sides)]
        start = time.perf_counter()
        sides[name](images)
        times[name].append((time.perf_counter() - start) * 1e6 / len(images))
        on_call(done + 1, calls)
    return {name: _Measured(answers[name], statistics.median(times[name])) for name in sides}


def _accuracy(network: Network, images: Floats, labels: Labels) -> float:
    return float((network.logits(images).argmax(axis=1) == labels).mean())
