"""The engine: levels answer a batch of rows in turn, each only those that are still open.

An end-to-end model is a cascade of one level, so the same engine runs both.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from weir.catalog.manifest import Fusion
from weir.engine import fusion
from weir.engine.confidence import confidence, label
from weir.engine.fusion import Word
from weir.engine.hierarchy import Hierarchy

Floats = NDArray[np.float32]

ALWAYS_ESCALATE = 2.0
"""a threshold no confidence reaches, not even one that rounds to 1"""


@dataclass(frozen=True)
class Step:
    """One level, ready to run: it has a word of its own, or experts that refine the levels before it."""

    word: Word | None = None
    """rows `(n, …)` -> calibrated probabilities `(n, labels)`; called only when some row needs this level"""
    threshold: float = 0.0
    fusion: Fusion = "replace"
    weights: tuple[float, float] = (1.0, 1.0)
    """of `pool`: of the posterior so far, of this level's word"""
    experts: Mapping[int, Word] = field(default_factory=dict)
    """of `refine`: group number -> rows -> calibrated probabilities of the group's labels"""
    before_weights: Mapping[int, float] = field(default_factory=dict)
    """of `refine`: group number -> weight of the posterior so far beside the expert; 0, also where missing: none"""


@dataclass(frozen=True)
class Abstentions:
    """How much each of n rows is told."""

    abstains: NDArray[np.bool_]
    """the row gets no label, `(n,)`"""
    group: NDArray[np.intp]
    """number of the row's group, -1 for none, `(n,)`"""
    group_confidence: Floats
    """probability of the most probable group, `(n,)`; NaN where the row has a label, or the model no groups"""
    best_group: NDArray[np.intp]
    """number of the group of each row's most probable label, whether it is given or not; -1 without groups, `(n,)`"""


@dataclass(frozen=True)
class Predictions:
    """What a batch of n rows was answered."""

    probabilities: Floats
    """posterior of each row at its exit, `(n, labels)`; after `refine` whole only when asked for"""
    label: NDArray[np.intp]
    """index of the label, `(n,)`"""
    confidence: Floats
    """largest probability, `(n,)`"""
    exit_level: NDArray[np.int32]
    """number of the level that answered, `(n,)`"""
    levels: int
    """how many there are"""
    trace: Floats | None = None
    """how sure each level was, `(n, levels)`, NaN where it was not asked; None when nobody asked for it"""
    given: Abstentions | None = None
    """who abstains, and each row's group; None where the model does not say"""

    @property
    def at_end(self) -> NDArray[np.bool_]:
        """Whether the last level answered, `(n,)`."""
        found: NDArray[np.bool_] = self.exit_level == self.levels - 1
        return found

    def share(self, level: int) -> float:
        """Share of rows that this level answered, 0 to 1."""
        return float((self.exit_level == level).mean())


def run(
    rows: Floats, steps: Sequence[Step], hierarchy: Hierarchy | None = None, *, traced: bool = False, whole: bool = True
) -> Predictions:
    """Answer rows `(n, …)`, n at least 1: a row exits at the first level that is sure enough, at the last otherwise.

    A level that can never exit, and whose posterior nothing later uses, is not run.

    Args:
        rows: what the levels read.
        steps: the levels in turn.
        hierarchy: the groups; needed where a level refines.
        traced: keep how sure each level was of each row.
        whole: whether somebody needs more of the posterior than its largest probability.
    """
    last = len(steps) - 1
    open_rows = np.arange(len(rows))
    exit_level = np.full(len(rows), last, np.int32)
    posterior: Floats | None = None
    answered = np.empty((len(rows), 0), np.float32)
    trace = np.full((len(rows), len(steps)), np.nan, np.float32) if traced else None
    for number in needed([step.threshold for step in steps], [step.fusion for step in steps]):
        step = steps[number]
        all_open = len(open_rows) == len(rows)
        reads = rows if all_open else rows[open_rows]
        whole_here = whole or any(later.fusion != "replace" for later in steps[number + 1 :])
        posterior = _fused(step, posterior, reads, hierarchy, whole=whole_here)
        sure = confidence(posterior)
        if trace is not None:
            trace[open_rows, number] = sure
        stays = ~(sure >= step.threshold) if number < last else np.zeros(len(sure), bool)
        if all_open and not stays.any():  # one level answers everybody
            exit_level[:] = number
            return Predictions(posterior, label(posterior), sure, exit_level, len(steps), trace)
        if all_open:  # nobody has exited yet: whoever stays is overwritten later
            answered = posterior.copy()
        else:
            answered[open_rows] = posterior
        exit_level[open_rows[~stays]] = number
        open_rows, posterior = open_rows[stays], posterior[stays]
        if not len(open_rows):
            break
    return Predictions(answered, label(answered), confidence(answered), exit_level, len(steps), trace)


def tempered(answers: Predictions, temperature: float, fusions: Sequence[Fusion]) -> Predictions:
    """Calibrate what the cascade says in the end, where `replace` or `pool` said it: `q ∝ posterior ** (1 / T)`.

    Labels stay what they are, for a temperature keeps their order.
    """
    rows = np.flatnonzero(np.asarray([name != "refine" for name in fusions])[answers.exit_level])
    if temperature == 1 or not len(rows):
        return answers
    probabilities = answers.probabilities.copy()
    probabilities[rows] = fusion.power(probabilities[rows], 1 / temperature)
    return replace(answers, probabilities=probabilities, confidence=confidence(probabilities))


def needed(thresholds: Sequence[float], fusions: Sequence[Fusion]) -> list[int]:
    """List the levels that are run when rows reach them, in turn.

    The last always is; another one where it can exit, or where a later level that is run builds on its posterior.
    """
    found = [len(thresholds) - 1]
    for number in reversed(range(len(thresholds) - 1)):
        builds_on_it = found[0] == number + 1 and fusions[number + 1] != "replace"
        if thresholds[number] <= 1 or builds_on_it:
            found.insert(0, number)
    return found


def _fused(step: Step, before: Floats | None, rows: Floats, hierarchy: Hierarchy | None, *, whole: bool) -> Floats:
    """Bring a level's word and the posterior so far together, `(n, labels)`."""
    if step.fusion == "refine":
        assert hierarchy is not None, "a manifest whose level refines has groups"
        if before is None:
            before = np.broadcast_to(np.asarray(hierarchy.prior, np.float32), (len(rows), len(hierarchy.prior)))
        return fusion.refine(rows, before, hierarchy, step.experts, step.before_weights, whole=whole)
    assert step.word is not None, "a level that does not refine has a word of its own"
    word = step.word(rows)
    if step.fusion == "replace":
        return word
    return fusion.power(word, step.weights[1]) if before is None else fusion.pool(before, word, step.weights)
