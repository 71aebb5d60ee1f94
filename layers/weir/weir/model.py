"""One published version, ready to answer: its networks are fetched when some row needs them."""

import hashlib
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from weir.cascade import Answers, Step, run
from weir.errors import ModelUnavailable
from weir.interpreter import Network
from weir.manifest import Artifact, Manifest

Floats = NDArray[np.float32]

OVERFLOW = "a row's values are small enough for the network's own numbers to stay finite"


@dataclass(frozen=True)
class LevelUse:
    """What one level did in one call."""

    rows: int
    time_us: float


@dataclass
class Model:
    """A manifest and the networks it names.

    `fetch` takes an artifact's digest and returns its bytes; `runtime` names the interpreter (default: the
    first installed).
    """

    manifest: Manifest
    fetch: Callable[[str], bytes]
    runtime: str | None = None
    _networks: dict[str, Network] = field(default_factory=dict)

    def steps(self, *, cascade: bool) -> list[Step]:
        """Build the levels in turn, or the end-to-end model as the only level; nothing is loaded yet."""
        if cascade:
            levels = self.manifest.levels
            return [Step(self._logits(v.artifact), v.threshold, v.temperature, v.fusion) for v in levels]
        only = self.manifest.end_to_end
        return [Step(self._logits(only.artifact), temperature=only.temperature)]

    def answer(self, rows: Floats, *, cascade: bool, traced: bool = False) -> tuple[Answers, list[LevelUse]]:
        """Answer rows `(n, …)`, and say what each level did; `traced` keeps how sure each level was.

        A row whose values are so large that the network's own numbers overflow has the confidence NaN.

        Raises:
            ModelUnavailable: an artifact is damaged, or the interpreter refuses it.
        """
        uses = [LevelUse(0, 0.0)] * len(self.manifest.levels if cascade else [0])
        steps = [_timed(step, number, uses) for number, step in enumerate(self.steps(cascade=cascade))]
        with np.errstate(invalid="ignore", over="ignore"):
            return run(rows, steps, traced=traced), uses

    def preload(self, *, cascade: bool) -> None:
        """Fetch and load every network that `answer` could need."""
        levels = [level.artifact for level in self.manifest.levels]
        for artifact in levels if cascade else [self.manifest.end_to_end.artifact]:
            self.network(artifact)

    def network(self, artifact: Artifact) -> Network:
        """Load an artifact once, after checking that its bytes are those the manifest names."""
        if artifact.digest not in self._networks:
            content = self.fetch(artifact.digest)
            if (found := hashlib.sha256(content).hexdigest()) != artifact.digest:
                raise ModelUnavailable(f"the artifact's sha256 is {artifact.digest}", found)
            network = Network(content, self.runtime)
            expected = (self.manifest.inputs[0].shape[1:], len(self.manifest.labels))
            if (network.input_shape, network.labels) != expected:
                raise ModelUnavailable(
                    f"the manifest promises rows {expected[0]} and {expected[1]} labels",
                    f"{network.input_shape} and {network.labels}",
                )
            self._networks[artifact.digest] = network
        return self._networks[artifact.digest]

    def _logits(self, artifact: Artifact) -> Callable[[Floats], Floats]:
        return lambda rows: self.network(artifact).logits(rows)


def _timed(step: Step, number: int, uses: list[LevelUse]) -> Step:
    def logits(rows: Floats) -> Floats:
        start = time.perf_counter()
        out = step.logits(rows)
        uses[number] = LevelUse(len(rows), (time.perf_counter() - start) * 1e6)
        return out

    return Step(logits, step.threshold, step.temperature, step.fusion)
