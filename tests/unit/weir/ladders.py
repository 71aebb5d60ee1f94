"""Random ladders of any kind, with levels whose words are written down."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from hypothesis import strategies as st
from numpy.typing import NDArray

from weir.engine.cascade import ALWAYS_ESCALATE, Step
from weir.engine.hierarchy import Hierarchy

Floats = NDArray[np.float32]


@dataclass
class Recorded:
    """A network whose probabilities are written down; it remembers which rows it was asked."""

    probabilities: Floats
    asked: list[int] = field(default_factory=list)

    def __call__(self, rows: Floats) -> Floats:
        """Say what is written down."""
        self.asked += rows.astype(int).tolist()
        found: Floats = self.probabilities[rows.astype(int)]
        return found


@dataclass
class Ladder:
    """Levels over the same rows and labels, and the groups of the labels."""

    rows: Floats
    hierarchy: Hierarchy
    steps: list[Step]

    def word(self, number: int) -> Recorded:
        """Take the network of a level that has one."""
        word = self.steps[number].word
        assert isinstance(word, Recorded)
        return word

    def experts(self, number: int) -> Mapping[int, Recorded]:
        """Take the experts of a level."""
        found = self.steps[number].experts
        return {group: expert for group, expert in found.items() if isinstance(expert, Recorded)}


def probabilities(random: np.random.Generator, rows: int, outputs: int, *, coarse: bool) -> Floats:
    """Draw probabilities `(rows, outputs)`; coarse ones come from few values, so that ties are common."""
    weights = random.integers(1, 4, (rows, outputs)) if coarse else np.exp(random.normal(0, 3, (rows, outputs)))
    weights = weights.astype(np.float32)
    found: Floats = weights / weights.sum(axis=1, keepdims=True)
    return found


@st.composite
def ladders(draw: st.DrawFn) -> Ladder:
    """Draw levels that replace, pool and refine, with any thresholds."""
    rows, labels, levels = draw(st.integers(1, 12)), draw(st.integers(2, 6)), draw(st.integers(1, 5))
    random = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    coarse = draw(st.booleans())
    of = [draw(st.integers(0, 2)) for _ in range(labels)]
    members = tuple(tuple(np.flatnonzero(np.array(of) == group).tolist()) for group in sorted(set(of)))
    prior = probabilities(random, 1, labels, coarse=coarse)[0]
    hierarchy = Hierarchy(tuple(f"g{n}" for n in range(len(members))), members, tuple(prior.tolist()))
    thresholds = st.one_of(st.floats(0, 1), st.sampled_from([0.0, 1.0, ALWAYS_ESCALATE]))
    before_weights = st.one_of(st.sampled_from([0.0, 1.0]), st.floats(0.1, 2))

    def step(number: int) -> Step:
        fusion = draw(st.sampled_from(["replace", "pool", "refine"] if number else ["replace", "refine"]))
        if fusion == "refine":
            chosen = draw(st.sets(st.integers(0, len(members) - 1), min_size=1))
            experts = {g: Recorded(probabilities(random, rows, len(members[g]), coarse=coarse)) for g in chosen}
            pooled = {group: draw(before_weights) for group in chosen if draw(st.booleans())}
            return Step(None, draw(thresholds), "refine", experts=experts, before_weights=pooled)
        word = Recorded(probabilities(random, rows, labels, coarse=coarse))
        weights = (draw(st.floats(0.1, 2)), draw(st.floats(0.1, 2)))
        return Step(word, draw(thresholds), "pool" if fusion == "pool" else "replace", weights)

    return Ladder(np.arange(rows, dtype=np.float32), hierarchy, [step(number) for number in range(levels)])
