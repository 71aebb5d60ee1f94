"""Measure a trained model as it will be served: accuracy, time and calibration of each of its contenders."""

import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from training import folder
from training.certifying.loss_promise import describe
from training.data.splits.balance import rows_of
from training.data.splits.split import Split
from training.measuring import reload
from training.measuring.accuracies import accuracies
from training.measuring.calibration import CalibrationResult, calibration
from training.measuring.contenders import (
    CASCADE_KEY,
    END_TO_END_KEY,
    Contender,
    Fetch,
    contenders,
    with_float_references,
)
from training.measuring.results import CascadeResult, Evaluation, LevelResult, NetworkResult
from training.replay.timing import ROUNDS
from weir.catalog.levels import MeasuredMetrics
from weir.catalog.manifest import Artifact, Manifest
from weir.engine.arrays import Floats, Labels
from weir.engine.predictions import Predictions

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Measured:
    """An evaluation, and the reliability diagrams behind its calibration errors."""

    evaluation: Evaluation
    calibration: dict[str, CalibrationResult]


def evaluate(trained: Path, on_call: Progress) -> Evaluation:
    """Measure a complete training folder on its test split.

    Raises:
        BadInput: the folder is not a complete training, or its data have changed.
        ModelUnavailable: a file of it is missing or damaged.
    """
    manifest = folder.manifest(trained)
    references = {digest: folder.reference(trained, digest) for digest in manifest.artifacts}
    test = reload.load(manifest)
    return measure(manifest, lambda digest: folder.artifact(trained, digest), references, test, on_call).evaluation


def measure(
    manifest: Manifest, fetch: Fetch, references: Mapping[str, bytes], test: Split, on_call: Progress
) -> Measured:
    """Measure all contenders in one run on the same rows, on the deployed interpreter, one thread.

    Time per row is the median CPU time of one batched call, engine included, over its rows; the contenders alternate.

    Args:
        manifest: what to measure.
        fetch: digest -> bytes of an artifact.
        references: digest -> bytes of the float32 model that the artifact was quantized from.
        test: rows that neither training nor tuning has used.
        on_call: called with `(calls done, calls in all)`.
    """
    timings = timed(contenders(manifest, fetch), test.inputs, on_call)
    float_contenders = contenders(*with_float_references(manifest, references))
    calibrated = calibration(manifest, fetch, test)

    def facts(name: str, artifacts: Sequence[Artifact]) -> dict[str, Any]:
        return {
            **accuracies(timings[name].predictions, test.labels, manifest.labels),
            "float_accuracy": _accuracy(float_contenders[name].answer(test.inputs)[0], test.labels),
            "latency_us": round(timings[name].latency_us, 3),
            "ece": calibrated[name].after,
            "size_bytes": sum(artifact.size_bytes for artifact in artifacts),
            "quantization": "/".join(sorted({artifact.quantization for artifact in artifacts})),
        }

    cascade, alone = timings[CASCADE_KEY].predictions, timings[END_TO_END_KEY].predictions
    lost = (alone.label == test.labels) & (cascade.label != test.labels)
    evaluation = Evaluation(
        rows=len(test.labels),
        end_to_end=NetworkResult(**facts(END_TO_END_KEY, [manifest.end_to_end.artifact])),
        levels=tuple(
            LevelResult(**facts(str(number), level.networks), name=level.name, share=cascade.share(number))
            for number, level in enumerate(manifest.levels)
        ),
        cascade=CascadeResult(
            **accuracies(cascade, test.labels, manifest.labels),
            latency_us=round(timings[CASCADE_KEY].latency_us, 3),
            regret=float(lost.mean()),
            regrets={
                name: float(lost[test.labels == number].mean())
                for number, name in enumerate(manifest.labels)
                if (test.labels == number).any()
            },
            ece=calibrated[CASCADE_KEY].after,
            ece_before=calibrated[CASCADE_KEY].before,
            ece_floor=calibrated[CASCADE_KEY].floor,
        ),
        promise=describe(manifest),
        label_rows=rows_of(manifest.labels, test.labels),
    )
    return Measured(evaluation, calibrated)


@dataclass(frozen=True)
class Timed:
    """The predictions of one contender, and its time."""

    predictions: Predictions
    latency_us: float

    def accuracy(self, labels: Labels) -> float:
        """Return the share of rows whose label is correct."""
        return _accuracy(self.predictions, labels)


def timed(named: Mapping[str, Contender], inputs: Floats, on_call: Progress) -> dict[str, Timed]:
    """Let every contender answer all rows, and then 5 times more for its time: the median CPU time per row."""
    times: dict[str, list[float]] = {name: [] for name in named}
    predictions = {name: contender.answer(inputs)[0] for name, contender in named.items()}  # loads networks, untimed
    calls = [*named.items()] * ROUNDS
    for done, (name, contender) in enumerate(calls, 1):
        times[name].append(contender.answer(inputs)[1])
        on_call(done, len(calls))
    return {name: Timed(predictions[name], statistics.median(times[name])) for name in named}


def with_metrics(draft: Manifest, evaluation: Evaluation) -> Manifest:
    """Add to a manifest what was measured on the test split."""
    levels = tuple(
        msgspec.structs.replace(level, metrics=_metrics(result, evaluation.rows, result.share))
        for level, result in zip(draft.levels, evaluation.levels, strict=True)
    )
    metrics = _metrics(evaluation.end_to_end, evaluation.rows)
    end_to_end = msgspec.structs.replace(draft.end_to_end, metrics=metrics)
    of_cascade = _metrics(evaluation.cascade, evaluation.rows)
    return msgspec.structs.replace(draft, levels=levels, end_to_end=end_to_end, cascade_metrics=of_cascade)


def _metrics(result: NetworkResult | CascadeResult, rows: int | None, share: float | None = None) -> MeasuredMetrics:
    return MeasuredMetrics(
        accuracy=result.accuracy,
        balanced_accuracy=result.balanced_accuracy,
        log_loss=result.log_loss,
        auc=result.auc,
        latency_us=result.latency_us,
        ece=result.ece,
        share=share,
        rows=rows,
    )


def _accuracy(predictions: Predictions, labels: Labels) -> float:
    return float((predictions.label == labels).mean())
