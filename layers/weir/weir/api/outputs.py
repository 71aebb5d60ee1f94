"""What a model can be asked for, and how each output is told from the engine's answers."""

from collections.abc import Callable

import numpy as np
from msgspec import Struct

from weir.catalog.manifest import Manifest
from weir.catalog.promises import Quantile
from weir.engine.abstention import group_names, label_names
from weir.engine.cascade import of_manifest
from weir.engine.paths import paths
from weir.engine.predictions import Predictions
from weir.engine.sets import sets
from weir.protocol.messages import TensorMetadata
from weir.protocol.responses import Values

WHOLE = frozenset({"probabilities", "set"})
"""outputs that need more of the posterior than its largest probability"""


def outputs(manifest: Manifest, *, cascade: bool) -> dict[str, TensorMetadata]:
    """List what a mount of a model can be asked for, by name."""
    labels = len(manifest.labels)
    found = [
        TensorMetadata(name="probabilities", datatype="FP32", shape=(-1, labels)),
        TensorMetadata(name="label", datatype="BYTES", shape=(-1,)),
    ]
    if cascade:
        found.append(TensorMetadata(name="exit_level", datatype="INT32", shape=(-1,)))
        found.append(TensorMetadata(name="confidence", datatype="FP32", shape=(-1,)))
        found.append(TensorMetadata(name="path", datatype="BYTES", shape=(-1,)))
    if cascade and (manifest.groups or manifest.abstention):
        found.append(TensorMetadata(name="group", datatype="BYTES", shape=(-1,)))
    if cascade and manifest.sets:
        found.append(TensorMetadata(name="set", datatype="BOOL", shape=(-1, labels)))
    return {tensor.name: tensor for tensor in found}


class OutputContext(Struct, frozen=True):
    """What the values of an output are made from."""

    answers: Predictions
    manifest: Manifest
    limits: tuple[Quantile, bool] | None = None
    """which prediction sets: the entry of an alpha, and whether it is per label"""

    def values(self, output: str) -> Values:
        """Compute one output `(rows, …)`: numbers as an array, texts as a list."""
        return _VALUES[output](self)

    def groups(self) -> list[str]:
        """Return each row's group, the empty string for none."""
        abstentions = self.answers.abstentions
        return [""] * len(self.answers.label) if abstentions is None else group_names(abstentions, self.manifest.groups)

    def paths(self) -> list[str]:
        """Describe each row's path through the levels."""
        return paths(self.answers, of_manifest(self.manifest))

    def sets(self) -> Values:
        """Tell which labels are in each row's prediction set."""
        assert self.limits is not None, "whoever asks for sets says which"
        quantile, per_label = self.limits
        return sets(self.answers.probabilities, quantile, per_label=per_label)


_VALUES: dict[str, Callable[[OutputContext], Values]] = {
    "probabilities": lambda told: told.answers.probabilities,
    "label": lambda told: label_names(told.answers, told.manifest.labels),
    "exit_level": lambda told: told.answers.exit_level,
    "confidence": lambda told: told.answers.confidence.astype(np.float32, copy=False),
    "path": OutputContext.paths,
    "group": OutputContext.groups,
    "set": OutputContext.sets,
}
