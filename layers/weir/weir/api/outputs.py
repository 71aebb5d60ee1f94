"""The outputs of a model below a mount, and the values of each from the engine's predictions."""

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache

import numpy as np
from msgspec import Struct

from weir.catalog.inputs import TensorMetadata
from weir.catalog.manifest import Artifact, Manifest
from weir.catalog.mounts import CASCADE, Mount
from weir.catalog.promises import Quantile
from weir.engine.abstention import group_names, label_names
from weir.engine.cascade import Cascade
from weir.engine.paths import paths
from weir.engine.predictions import Predictions
from weir.engine.sets import sets
from weir.protocol.responses import Values

NEED_FULL_POSTERIOR = frozenset({"probabilities", "set"})
"""outputs that need more of the posterior than its largest probability"""


def outputs(manifest: Manifest, mount: Mount) -> Mapping[str, TensorMetadata]:
    """List the outputs of a model below a mount, by name."""
    has_groups, has_sets = bool(manifest.groups or manifest.abstention), manifest.sets is not None
    return _outputs(mount, len(manifest.labels), has_groups=has_groups, has_sets=has_sets)


@lru_cache(maxsize=64)
def _outputs(mount: Mount, labels: int, *, has_groups: bool, has_sets: bool) -> Mapping[str, TensorMetadata]:
    tensors = [
        TensorMetadata(name="probabilities", datatype="FP32", shape=(-1, labels)),
        TensorMetadata(name="label", datatype="BYTES", shape=(-1,)),
    ]
    if mount == CASCADE:
        tensors += [
            TensorMetadata(name="exit_level", datatype="INT32", shape=(-1,)),
            TensorMetadata(name="confidence", datatype="FP32", shape=(-1,)),
            TensorMetadata(name="path", datatype="BYTES", shape=(-1,)),
        ]
        if has_groups:
            tensors.append(TensorMetadata(name="group", datatype="BYTES", shape=(-1,)))
        if has_sets:
            tensors.append(TensorMetadata(name="set", datatype="BOOL", shape=(-1, labels)))
    return {tensor.name: tensor for tensor in tensors}


class OutputContext(Struct, frozen=True):
    """What the values of an output are computed from."""

    predictions: Predictions
    labels: Sequence[str]
    cascade: Cascade[Artifact]
    """that made the predictions"""
    limits: tuple[Quantile, bool] | None = None
    """which prediction sets: the entry of an alpha, and whether it is per label"""

    def values(self, output: str) -> Values:
        """Compute one output `(rows, …)`: numbers as an array, texts as a list."""
        return _VALUES[output](self)

    def groups(self) -> list[str]:
        """Return each row's group, the empty string for none."""
        abstentions = self.predictions.abstentions
        if abstentions is None:
            return [""] * len(self.predictions.label)
        return group_names(abstentions, self.cascade.hierarchy.groups)

    def paths(self) -> list[str]:
        """Describe each row's path through the levels."""
        return paths(self.predictions, self.cascade)

    def sets(self) -> Values:
        """Return each row's prediction set: which labels are in it, `(rows, labels)`."""
        assert self.limits is not None, "a request for sets names their alpha"
        quantile, per_label = self.limits
        return sets(self.predictions.probabilities, quantile, per_label=per_label)


_VALUES: dict[str, Callable[[OutputContext], Values]] = {
    "probabilities": lambda context: context.predictions.probabilities,
    "label": lambda context: label_names(context.predictions, context.labels),
    "exit_level": lambda context: context.predictions.exit_level,
    "confidence": lambda context: context.predictions.confidence.astype(np.float32, copy=False),
    "path": OutputContext.paths,
    "group": OutputContext.groups,
    "set": OutputContext.sets,
}
