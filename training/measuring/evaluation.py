"""Measure a trained model as it will be served: accuracy, time and calibration of each of its contenders."""

import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from training import folder
from training.certifying.certification import told
from training.data.split import Split
from training.measuring import reload as testsplit
from training.measuring.calibration import Reading, readings
from training.measuring.contenders import CASCADE, END_TO_END, Contender, Fetch, contenders, floated
from training.measuring.results import CascadeResult, Evaluation, LevelResult, NetworkResult
from training.replay.timing import ROUNDS
from weir.catalog.manifest import Artifact, Manifest, MeasuredMetrics
from weir.engine.cascade import Predictions

Floats = NDArray[np.float32]
Labels = NDArray[np.int64]

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Measured:
    """An evaluation, and the reliability diagrams behind its calibration errors."""

    evaluation: Evaluation
    readings: dict[str, Reading]


def evaluate(trained: Path, on_call: Progress) -> Evaluation:
    """Measure a complete training folder on its test split.

    Raises:
        BadInput: the folder is not a complete training, or its data have changed.
        ModelUnavailable: a file of it is missing or damaged.
    """
    manifest = folder.manifest(trained)
    references = {digest: folder.reference(trained, digest) for digest in manifest.artifacts}
    test = testsplit.load(manifest)
    return measure(manifest, lambda digest: folder.artifact(trained, digest), references, test, on_call).evaluation


def measure(
    manifest: Manifest, fetch: Fetch, references: Mapping[str, bytes], test: Split, on_call: Progress
) -> Measured:
    """Measure all contenders in one run on the same rows, on the deployed interpreter, one thread.

    Time per row is the median wall time of one batched call, engine included, over its rows; the contenders alternate.

    Args:
        manifest: what to measure.
        fetch: digest -> bytes of an artifact.
        references: digest -> bytes of the float32 model that the artifact was quantized from.
        test: rows that neither training nor tuning has seen.
        on_call: is told `(calls done, calls in all)`.
    """
    found = timed(contenders(manifest, fetch), test.inputs, on_call)
    floats = {name: side.ask(test.inputs)[0] for name, side in contenders(*floated(manifest, references)).items()}
    read = readings(manifest, fetch, test)

    def facts(name: str, artifacts: Sequence[Artifact]) -> dict[str, Any]:
        return {
            "accuracy": found[name].accuracy(test.labels),
            "float_accuracy": _accuracy(floats[name], test.labels),
            "latency_us": round(found[name].latency_us, 3),
            "ece": read[name].after,
            "size_bytes": sum(artifact.size_bytes for artifact in artifacts),
            "quantization": "/".join(sorted({artifact.quantization for artifact in artifacts})),
        }

    cascade, alone = found[CASCADE], found[END_TO_END]
    evaluation = Evaluation(
        end_to_end=NetworkResult(**facts(END_TO_END, [manifest.end_to_end.artifact])),
        levels=tuple(
            LevelResult(**facts(str(number), level.artifacts), name=level.name, share=cascade.answers.share(number))
            for number, level in enumerate(manifest.levels)
        ),
        cascade=CascadeResult(
            accuracy=cascade.accuracy(test.labels),
            latency_us=round(cascade.latency_us, 3),
            regret=float(((alone.answers.label == test.labels) & (cascade.answers.label != test.labels)).mean()),
            ece=read[CASCADE].after,
            ece_before=read[CASCADE].before,
            ece_floor=read[CASCADE].floor,
        ),
        promise=told(manifest),
    )
    return Measured(evaluation, read)


@dataclass(frozen=True)
class Timed:
    """What one side answered, and how long it took."""

    answers: Predictions
    latency_us: float

    def accuracy(self, labels: Labels) -> float:
        """Share of rows whose label is right."""
        return _accuracy(self.answers, labels)


def timed(measured: Mapping[str, Contender], images: Floats, on_call: Progress) -> dict[str, Timed]:
    """Ask every side for all rows, and then 5 times more for its time: the median wall time of a call over its rows."""
    times: dict[str, list[float]] = {name: [] for name in measured}
    answers = {name: side.ask(images)[0] for name, side in measured.items()}  # loads the networks, untimed
    calls = ROUNDS * len(measured)
    for done in range(calls):
        name = tuple(measured)[done % len(measured)]
        times[name].append(measured[name].ask(images)[1])
        on_call(done + 1, calls)
    return {name: Timed(answers[name], statistics.median(times[name])) for name in measured}


def with_metrics(draft: Manifest, evaluation: Evaluation) -> Manifest:
    """Add to a manifest what was measured on the test split."""
    levels = tuple(
        msgspec.structs.replace(level, metrics=_metrics(result, result.share))
        for level, result in zip(draft.levels, evaluation.levels, strict=True)
    )
    end_to_end = msgspec.structs.replace(draft.end_to_end, metrics=_metrics(evaluation.end_to_end, None))
    return msgspec.structs.replace(draft, levels=levels, end_to_end=end_to_end)


def _metrics(result: NetworkResult, share: float | None) -> MeasuredMetrics:
    return MeasuredMetrics(accuracy=result.accuracy, latency_us=result.latency_us, ece=result.ece, share=share)


def _accuracy(answers: Predictions, labels: Labels) -> float:
    return float((answers.label == labels).mean())
