"""One published version, ready to answer: its networks are fetched when some row needs them."""

import hashlib
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property, partial

import numpy as np
from msgspec import Struct

from weir.catalog.manifest import Artifact, Manifest
from weir.catalog.mounts import CASCADE, Mount
from weir.engine.arrays import Floats
from weir.engine.cascade import Cascade, cascade_of, end_to_end_cascade
from weir.engine.levels import NetworkFunction
from weir.engine.predictions import Predictions
from weir.errors import ModelUnavailable
from weir.inputs.rows import RowReader
from weir.inputs.tensor import InputRows
from weir.runtime.interpreter import Network

OVERFLOW = "a row's values are small enough for the network's own numbers to stay finite"


class LevelUse(Struct, frozen=True):
    """What one level did in one call."""

    rows: int
    """rows its networks ran on; a row that two experts see counts twice"""
    time_us: float


_UNUSED = LevelUse(0, 0.0)


class Predictor:
    """A cascade whose networks are loaded when a row needs them, and which counts what each level does."""

    def __init__(
        self,
        cascade: Cascade[Artifact],
        load: Callable[[Artifact], Network],
        clock_s: Callable[[], float] = time.perf_counter,
    ) -> None:
        """Describe a predictor; nothing is loaded yet. Levels are timed by `clock_s`."""
        self._load, self._clock_s = load, clock_s
        self._uses: list[LevelUse] = []
        self.definition = cascade
        """the cascade, over the artifacts of its networks"""
        self._counted = cascade.with_levels(
            [level.map(partial(self._network, number)) for number, level in enumerate(cascade.levels)]
        )

    def answer(self, rows: InputRows, *, trace: bool = False, full: bool = True) -> tuple[Predictions, list[LevelUse]]:
        """Answer rows as `Cascade.answer` does, and say what each level did.

        Raises:
            ModelUnavailable: an artifact is damaged, or the interpreter refuses it.
        """
        self._uses = [_UNUSED] * len(self.definition.levels)
        with np.errstate(invalid="ignore", over="ignore"):
            return self._counted.answer(rows, trace=trace, full=full), self._uses

    def preload(self, levels: int | None = None) -> None:
        """Load the networks of the first levels that run; of all by default. Raises `ModelUnavailable`."""
        for number in self.definition.runs[:levels]:
            for artifact in self.definition.levels[number].networks:
                self._load(artifact)

    def _network(self, level: int, artifact: Artifact) -> NetworkFunction:
        """Run an artifact's network, and count its rows and its time for the level; softmax is not counted."""

        def logits(rows: InputRows) -> Floats:
            start = self._clock_s()
            out = self._load(artifact).logits(rows)
            used = self._uses[level]
            taken_us = (self._clock_s() - start) * 1e6
            self._uses[level] = LevelUse(used.rows + len(rows), used.time_us + taken_us)
            return out

        return logits


@dataclass(eq=False)
class Model:
    """A manifest and the networks it names.

    `fetch` takes an artifact's digest and returns its bytes; `runtime` names the interpreter (default: the
    first installed).
    """

    manifest: Manifest
    fetch: Callable[[str], bytes]
    runtime: str | None = None
    _networks: dict[str, Network] = field(default_factory=dict)

    @cached_property
    def end_to_end(self) -> Predictor:
        """The end-to-end model."""
        return Predictor(end_to_end_cascade(self.manifest), self.network)

    @cached_property
    def cascade(self) -> Predictor:
        """The levels."""
        return Predictor(cascade_of(self.manifest), self.network)

    def predictor(self, mount: Mount) -> Predictor:
        """Return the predictor that answers below a mount."""
        return self.cascade if mount == CASCADE else self.end_to_end

    @cached_property
    def reader(self) -> RowReader:
        """What reads its rows."""
        return RowReader(self.manifest.inputs)

    def network(self, artifact: Artifact) -> Network:
        """Load an artifact once, after checking that its bytes are those the manifest names.

        Raises:
            ModelUnavailable: the bytes are others, the interpreter refuses them, or the network is not the manifest's.
        """
        if artifact.digest not in self._networks:
            self._networks[artifact.digest] = self._loaded(artifact)
        return self._networks[artifact.digest]

    def _loaded(self, artifact: Artifact) -> Network:
        content = self.fetch(artifact.digest)
        if (digest := hashlib.sha256(content).hexdigest()) != artifact.digest:
            raise ModelUnavailable(f"the artifact {artifact.digest} is damaged", f"its sha256 is {digest}")
        specs = self.manifest.inputs
        network = Network(content, self.runtime, [spec.name for spec in specs])
        inputs = tuple((spec.row_shape, spec.dtype) for spec in specs if spec.name in network.names)
        labels = self.manifest.outputs[artifact.digest]
        if (network.inputs, network.labels) != (inputs, labels):
            expected = f"rows {inputs} and {labels} labels"
            raise ModelUnavailable(
                f"the artifact {artifact.digest} is not the network that the manifest promises",
                f"it has {network.inputs} and {network.labels}, not {expected}",
            )
        return network
