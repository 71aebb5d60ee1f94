"""Put a manifest together from what was trained, chosen and measured."""

from importlib.metadata import version

import msgspec

from training.data.preparation import PreparedData
from training.levels.build import Built
from training.levels.ladder import Net, Rung
from training.task import Task
from weir.catalog.manifest import Artifact, EndToEnd, Expert, Level, Manifest, Provenance
from weir.engine.cascade import ALWAYS_ESCALATE

_LIBRARIES = ("weir-lambda", "tensorflow", "keras", "numpy", "ai-edge-litert")


def manifest(task: Task, data: PreparedData, built: Built) -> Manifest:
    """Describe the model. It promises nothing yet, so its thresholds always escalate, and it has no metrics."""
    rungs = built.ladder.rungs
    return Manifest(
        model=task.name,
        task=task.name,
        labels=data.label_names,
        prior=data.prior,
        inputs=(data.input,),
        end_to_end=EndToEnd(
            artifact=_artifact(built.ladder.end_to_end), temperature=built.ladder.end_to_end.temperature
        ),
        levels=tuple(_level(rung, built, last=rung is rungs[-1]) for rung in rungs),
        groups=dict(built.groups),
        provenance=Provenance(
            data_digest=data.digest,
            seed=task.seed,
            libraries={name: version(name) for name in _LIBRARIES},
            configuration=msgspec.to_builtins(task),
        ),
    )


def _level(rung: Rung, built: Built, *, last: bool) -> Level:
    names = tuple(built.groups)
    return Level(
        name=rung.name,
        kind=rung.kind,
        artifact=None if rung.net is None else _artifact(rung.net),
        experts={
            names[group]: Expert(
                artifact=_artifact(expert),
                temperature=expert.temperature,
                before_weight=rung.before_weights.get(group, 0.0),
            )
            for group, expert in rung.experts.items()
        },
        temperature=1.0 if rung.net is None else rung.net.temperature,
        fusion=rung.fusion,
        weights=rung.weights,
        threshold=0.0 if last else ALWAYS_ESCALATE,
    )


def _artifact(net: Net) -> Artifact:
    assert net.quantized is not None, "a finished ladder has quantized networks"
    return net.quantized.artifact
