"""Put a manifest together from what was trained, chosen and measured."""

from collections.abc import Sequence
from importlib.metadata import version

import msgspec

from training.data.preparation import Prepared
from training.promises import Promises
from training.quantized import Quantized
from training.results import Evaluation, NetworkResult
from training.task import Task
from weir.manifest import EndToEnd, Level, Manifest, Metrics, Provenance, TensorSpec

_LIBRARIES = ("weir-lambda", "tensorflow", "keras", "numpy", "ai-edge-litert")


def manifest(task: Task, data: Prepared, levels: Sequence[Quantized], promises: Promises) -> Manifest:
    """Describe the model; the last of the levels is the end-to-end model. It has no metrics yet."""
    low, high = data.value_range
    draft = Manifest(
        model=task.name,
        task=task.name,
        labels=data.label_names,
        prior=data.prior,
        inputs=(
            TensorSpec(name="image", shape=(-1, *data.input_shape), meaning=f"raw pixel values, {low:g} to {high:g}"),
        ),
        end_to_end=EndToEnd(artifact=levels[-1].artifact, temperature=levels[-1].temperature),
        levels=tuple(
            Level(name=level.name, artifact=level.artifact, temperature=level.temperature, threshold=0.0)
            for level in levels
        ),
        provenance=Provenance(
            data_digest=data.digest,
            seed=task.seed,
            libraries={name: version(name) for name in _LIBRARIES},
            configuration=msgspec.to_builtins(task),
        ),
    )
    return promises.on(draft)


def with_metrics(draft: Manifest, evaluation: Evaluation) -> Manifest:
    """Add what was measured on the test split."""
    levels = tuple(
        msgspec.structs.replace(level, metrics=_metrics(result, result.share))
        for level, result in zip(draft.levels, evaluation.levels, strict=True)
    )
    end_to_end = msgspec.structs.replace(draft.end_to_end, metrics=_metrics(evaluation.end_to_end, None))
    return msgspec.structs.replace(draft, levels=levels, end_to_end=end_to_end)


def _metrics(result: NetworkResult, share: float | None) -> Metrics:
    return Metrics(accuracy=result.accuracy, latency_us=result.latency_us, share=share)
