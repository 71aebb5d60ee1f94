"""Put a manifest together from what was trained, chosen and measured."""

from importlib.metadata import version

import msgspec

from training.data.preparation import Prepared
from training.levels.build import BuiltLevels
from training.levels.network import TrainableNetwork
from training.task import Task
from weir.catalog.manifest import Artifact, EndToEnd, Manifest, Provenance, TensorSpec
from weir.errors import ModelUnavailable

_LIBRARIES = ("weir-lambda", "tensorflow", "keras", "numpy", "ai-edge-litert")


def manifest(task: Task, data: Prepared, built: BuiltLevels) -> Manifest:
    """Describe the model. It promises nothing yet, so no row exits early, and it has no metrics."""
    low, high = data.value_range
    ladder = built.ladder
    cascade = ladder.cascade.map(_artifact)
    cascade = cascade.with_thresholds([*cascade.thresholds[:-1], 0.0])
    return Manifest(
        model=task.name,
        task=task.name,
        labels=data.label_names,
        prior=data.prior,
        inputs=(
            TensorSpec(
                name="image",
                shape=(-1, *data.input_shape),
                meaning=f"raw pixel values, {low:g} to {high:g}",
                range=(low, high),
            ),
        ),
        end_to_end=EndToEnd(
            artifact=_artifact(ladder.end_to_end), temperature=ladder.end_to_end.predictions.temperature
        ),
        levels=cascade.levels,
        groups=dict(built.groups),
        provenance=Provenance(
            data_digest=data.digest,
            seed=task.seed,
            libraries={name: version(name) for name in _LIBRARIES},
            configuration=msgspec.to_builtins(task),
        ),
    )


def _artifact(network: TrainableNetwork) -> Artifact:
    if network.quantized is None:
        raise ModelUnavailable("a network of a finished ladder is not quantized", network.spec.name)
    return network.quantized.artifact
