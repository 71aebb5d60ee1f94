"""Put a manifest together from what was trained, chosen and measured."""

from importlib.metadata import version

import msgspec

from training.data.preparation import PreparedData
from training.levels.build import BuiltLevels
from training.levels.network import TrainableNetwork
from training.task import Task
from weir.catalog.manifest import Artifact, EndToEnd, Manifest, Provenance
from weir.errors import ModelUnavailable

_LIBRARIES = ("weir-lambda", "tensorflow", "keras", "numpy", "ai-edge-litert")


def manifest(task: Task, data: PreparedData, built: BuiltLevels) -> Manifest:
    """Describe the model. It promises nothing yet, so no row exits early, and it has no metrics."""
    ladder = built.ladder
    cascade = ladder.cascade.map(_artifact)
    cascade = cascade.with_thresholds([*cascade.thresholds[:-1], 0.0])
    return Manifest(
        model=task.name,
        task=task.name,
        labels=data.label_names,
        prior=data.prior,
        inputs=data.inputs,
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
        raise ModelUnavailable(f"the network {network.spec.name} can't be published", "it is not quantized")
    return network.quantized.artifact
