"""One published version, ready to answer: its networks are fetched when some row needs them."""

import hashlib
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from weir.abstention import give
from weir.cascade import Answers, Step, run, tempered
from weir.confidence import softmax
from weir.errors import ModelUnavailable
from weir.fusion import Word
from weir.hierarchy import Hierarchy
from weir.interpreter import Network
from weir.manifest import Artifact, EndToEnd, Expert, Level, Manifest

Floats = NDArray[np.float32]

OVERFLOW = "a row's values are small enough for the network's own numbers to stay finite"


@dataclass(frozen=True)
class LevelUse:
    """What one level did in one call."""

    rows: int
    """rows its networks ran on; a row that two experts see counts twice"""
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

    @cached_property
    def hierarchy(self) -> Hierarchy | None:
        """The groups of the labels, or None when there are none."""
        manifest = self.manifest
        return Hierarchy.named(manifest.groups, manifest.labels, manifest.prior) if manifest.groups else None

    def steps(self, *, cascade: bool) -> list[Step]:
        """Build the levels in turn, or the end-to-end model as the only level; nothing is loaded yet."""
        if cascade:
            return [self._step(level) for level in self.manifest.levels]
        only = self.manifest.end_to_end
        return [Step(self._word(only))]

    def answer(
        self, rows: Floats, *, cascade: bool, traced: bool = False, whole: bool = True
    ) -> tuple[Answers, list[LevelUse]]:
        """Answer rows `(n, …)`, and say what each level did.

        A row whose values are so large that the network's own numbers overflow has the confidence NaN.

        Args:
            rows: what the networks read.
            cascade: let the levels answer in turn, not the end-to-end model.
            traced: keep how sure each level was.
            whole: whether somebody needs more of the posterior than its largest probability.

        Raises:
            ModelUnavailable: an artifact is damaged, or the interpreter refuses it.
        """
        manifest = self.manifest
        steps = self.steps(cascade=cascade)
        uses = [LevelUse(0, 0.0)] * len(steps)
        timed = [_timed(step, number, uses) for number, step in enumerate(steps)]
        # only rows of the last level abstain, and the group of one is read off its whole posterior
        whole = whole or (cascade and manifest.abstention is not None and manifest.levels[-1].fusion == "refine")
        with np.errstate(invalid="ignore", over="ignore"):
            answers = run(rows, timed, self.hierarchy, traced=traced, whole=whole)
            return (self._finished(answers) if cascade else answers), uses

    def _finished(self, answers: Answers) -> Answers:
        """Calibrate the cascade's answers, and let those abstain that must."""
        manifest = self.manifest
        answers = tempered(answers, manifest.fused_temperature, [level.fusion for level in manifest.levels])
        if manifest.abstention is None and self.hierarchy is None:
            return answers
        return replace(answers, given=give(answers, manifest.abstention, self.hierarchy))

    def preload(self, *, cascade: bool, levels: int | None = None) -> None:
        """Fetch and load every network that `answer` could need, or those of the first levels."""
        for step in self.steps(cascade=cascade)[:levels]:
            for word in (step.word, *step.experts.values()):
                if word is not None:
                    word(np.empty((0, *self.manifest.inputs[0].shape[1:]), np.float32))

    def network(self, artifact: Artifact) -> Network:
        """Load an artifact once, after checking that its bytes are those the manifest names."""
        if artifact.digest not in self._networks:
            content = self.fetch(artifact.digest)
            if (found := hashlib.sha256(content).hexdigest()) != artifact.digest:
                raise ModelUnavailable(f"the artifact's sha256 is {artifact.digest}", found)
            network = Network(content, self.runtime)
            expected = (self.manifest.inputs[0].shape[1:], self.manifest.outputs[artifact.digest])
            if (network.input_shape, network.labels) != expected:
                raise ModelUnavailable(
                    f"the manifest promises rows {expected[0]} and {expected[1]} labels",
                    f"{network.input_shape} and {network.labels}",
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

    def _word(self, part: EndToEnd | Level | Expert) -> Word:
        artifact, temperature = part.artifact, part.temperature
        assert artifact is not None, "a manifest whose level has no artifact has experts there"
        return lambda rows: softmax(self.network(artifact).logits(rows), temperature)


def _spread(known: Word, hierarchy: Hierarchy) -> Word:
    return lambda rows: hierarchy.spread(known(rows))


def _timed(step: Step, number: int, uses: list[LevelUse]) -> Step:
    """Count what a level does; of experts every one counts its own rows."""

    def timed(word: Word) -> Word:
        def run_word(rows: Floats) -> Floats:
            start = time.perf_counter()
            out = word(rows)
            used = uses[number]
            uses[number] = LevelUse(used.rows + len(rows), used.time_us + (time.perf_counter() - start) * 1e6)
            return out

        return run_word

    experts = {group: timed(expert) for group, expert in step.experts.items()}
    return replace(step, word=timed(step.word) if step.word else None, experts=experts)
