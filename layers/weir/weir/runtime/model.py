"""One published version, ready to answer: its networks are fetched when some row needs them."""

import hashlib
import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from weir.catalog.manifest import Artifact, EndToEnd, Expert, Level, Manifest
from weir.engine.abstention import give
from weir.engine.cascade import Predictions, Step, run, tempered
from weir.engine.confidence import softmax
from weir.engine.fusion import Word
from weir.engine.hierarchy import Hierarchy
from weir.errors import ModelUnavailable
from weir.inputs.tensor import DTYPES, InputRows, no_rows
from weir.runtime.interpreter import Network

Floats = NDArray[np.float32]

OVERFLOW = "a row's values are small enough for the network's own numbers to stay finite"


class LevelUse(Struct, frozen=True):
    """What one level did in one call."""

    rows: int
    """rows its networks ran on; a row that two experts see counts twice"""
    time_us: float


_UNUSED = LevelUse(0, 0.0)


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
    _timed: dict[bool, list[Step]] = field(default_factory=dict)
    """the levels, counting what they do; one entry for the cascade, one for the end-to-end model"""
    _uses: list[LevelUse] = field(default_factory=list)
    """what each level has done in the call that runs"""

    @cached_property
    def hierarchy(self) -> Hierarchy | None:
        """The groups of the labels, or None when there are none."""
        manifest = self.manifest
        return Hierarchy.named(manifest.groups, manifest.labels, manifest.prior) if manifest.groups else None

    @cached_property
    def row_values(self) -> int:
        """How many values one row has, over all inputs."""
        return sum(math.prod(spec.shape[1:]) for spec in self.manifest.inputs)

    def steps(self, *, cascade: bool) -> list[Step]:
        """Build the levels in turn, or the end-to-end model as the only level; nothing is loaded yet."""
        if cascade:
            return [self._step(level) for level in self.manifest.levels]
        only = self.manifest.end_to_end
        return [Step(self._word(only))]

    def answer(
        self, rows: InputRows, *, cascade: bool, traced: bool = False, whole: bool = True
    ) -> tuple[Predictions, list[LevelUse]]:
        """Answer rows `(n, …)`, and say what each level did.

        A row whose values are so large that the network's own numbers overflow has the confidence NaN.

        Args:
            rows: what the networks read; of several inputs `(n,)` with a field for each.
            cascade: let the levels answer in turn, not the end-to-end model.
            traced: keep how sure each level was.
            whole: whether somebody needs more of the posterior than its largest probability.

        Raises:
            ModelUnavailable: an artifact is damaged, or the interpreter refuses it.
        """
        manifest = self.manifest
        if cascade not in self._timed:
            self._timed[cascade] = [self._counted(step, n) for n, step in enumerate(self.steps(cascade=cascade))]
        steps = self._timed[cascade]
        self._uses = [_UNUSED] * len(steps)
        # only rows of the last level abstain, and the group of one is read off its whole posterior
        whole = whole or (cascade and manifest.abstention is not None and manifest.levels[-1].fusion == "refine")
        with np.errstate(invalid="ignore", over="ignore"):
            answers = run(rows, steps, self.hierarchy, traced=traced, whole=whole)
            return (self._finished(answers) if cascade else answers), self._uses

    def _finished(self, answers: Predictions) -> Predictions:
        """Calibrate the cascade's answers, and let those abstain that must."""
        manifest = self.manifest
        answers = tempered(answers, manifest.fused_temperature, [level.fusion for level in manifest.levels])
        if manifest.abstention is None and self.hierarchy is None:
            return answers
        return replace(answers, given=give(answers, manifest.abstention, self.hierarchy))

    def preload(self, *, cascade: bool, levels: int | None = None) -> None:
        """Fetch and load every network that `answer` could need, or those of the first levels."""
        none = no_rows(self.manifest.inputs)
        for step in self.steps(cascade=cascade)[:levels]:
            for word in (step.word, *step.experts.values()):
                if word is not None:
                    word(none)

    def network(self, artifact: Artifact) -> Network:
        """Load an artifact once, after checking that its bytes are those the manifest names."""
        if artifact.digest not in self._networks:
            content = self.fetch(artifact.digest)
            if (found := hashlib.sha256(content).hexdigest()) != artifact.digest:
                raise ModelUnavailable(f"the artifact's sha256 is {artifact.digest}", found)
            specs = self.manifest.inputs
            network = Network(content, self.runtime, [spec.name for spec in specs])
            inputs = tuple((spec.shape[1:], DTYPES[spec.datatype]) for spec in specs)
            labels = self.manifest.outputs[artifact.digest]
            if (network.inputs, network.labels) != (inputs, labels):
                raise ModelUnavailable(
                    f"the manifest promises rows {inputs} and {labels} labels", f"{network.inputs} and {network.labels}"
                )
            self._networks[artifact.digest] = network
        return self._networks[artifact.digest]

    def _step(self, level: Level) -> Step:
        if level.kind == "experts":
            groups = tuple(self.manifest.groups)
            parts = {groups.index(group): expert for group, expert in level.experts.items()}
            experts = {group: self._word(expert) for group, expert in parts.items()}
            weights = {group: expert.before_weight for group, expert in parts.items() if expert.before_weight}
            return Step(None, level.threshold, level.fusion, experts=experts, before_weights=weights)
        word = self._word(level)
        if level.kind == "router":
            assert self.hierarchy is not None, "a manifest with a router has groups"
            word = _spread(word, self.hierarchy)
        return Step(word, level.threshold, level.fusion, level.weights)

    def _counted(self, step: Step, number: int) -> Step:
        """Count what a level does; of experts every one counts its own rows."""

        def counted(word: Word) -> Word:
            def run_word(rows: InputRows) -> Floats:
                start = time.perf_counter()
                out = word(rows)
                used = self._uses[number]
                self._uses[number] = LevelUse(used.rows + len(rows), used.time_us + (time.perf_counter() - start) * 1e6)
                return out

            return run_word

        experts = {group: counted(expert) for group, expert in step.experts.items()}
        return replace(step, word=counted(step.word) if step.word else None, experts=experts)

    def _word(self, part: EndToEnd | Level | Expert) -> Word:
        artifact, temperature = part.artifact, part.temperature
        assert artifact is not None, "a manifest whose level has no artifact has experts there"
        return lambda rows: softmax(self.network(artifact).logits(rows), temperature)


def _spread(known: Word, hierarchy: Hierarchy) -> Word:
    return lambda rows: hierarchy.spread(known(rows))
