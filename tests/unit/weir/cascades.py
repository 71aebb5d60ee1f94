"""Random cascades of any kind, over networks whose logits are written down."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from hypothesis import strategies as st
from numpy.typing import NDArray

from weir.catalog.levels import Classifier, Expert, Experts, Level
from weir.engine.arrays import Floats
from weir.engine.cascade import Cascade
from weir.engine.confidence import softmax
from weir.engine.hierarchy import Hierarchy


@dataclass
class Recorded:
    """A network whose logits are written down; it remembers which rows it ran on."""

    logits: Floats
    ran_on: list[int] = field(default_factory=list)

    @property
    def probabilities(self) -> Floats:
        """Its probabilities of every row."""
        return softmax(self.logits)

    def __call__(self, rows: NDArray[Any]) -> Floats:
        """Return the logits of the rows with these numbers."""
        self.ran_on += rows.astype(int).tolist()
        logits: Floats = self.logits[rows.astype(int)]
        return logits


@dataclass
class RandomCascade:
    """A cascade over recorded networks, and the numbers of its rows."""

    rows: Floats
    cascade: Cascade[Recorded]


def logits(random: np.random.Generator, rows: int, outputs: int, *, coarse: bool) -> Floats:
    """Draw logits `(rows, outputs)`; coarse ones come from few values, so that ties are common."""
    if coarse:
        few: Floats = np.log(random.integers(1, 4, (rows, outputs))).astype(np.float32)
        return few
    return random.normal(0, 3, (rows, outputs)).astype(np.float32)


def probabilities(random: np.random.Generator, rows: int, outputs: int, *, coarse: bool) -> Floats:
    """Draw probabilities `(rows, outputs)`, as `logits` draws."""
    return softmax(logits(random, rows, outputs, coarse=coarse))


@st.composite
def cascades(draw: st.DrawFn) -> RandomCascade:
    """Draw levels that replace, pool and refine, with any thresholds."""
    rows, labels, levels = draw(st.integers(1, 12)), draw(st.integers(2, 6)), draw(st.integers(1, 5))
    random = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    coarse = draw(st.booleans())
    of = [draw(st.integers(0, 2)) for _ in range(labels)]
    members = tuple(tuple(np.flatnonzero(np.array(of) == group).tolist()) for group in sorted(set(of)))
    prior = probabilities(random, 1, labels, coarse=coarse)[0]
    groups = tuple(f"g{n}" for n in range(len(members)))
    hierarchy = Hierarchy(groups, members, tuple(prior.tolist()))
    thresholds = st.one_of(st.floats(0, 1), st.sampled_from([0.0, 1.0, None]))
    before_weights = st.one_of(st.sampled_from([0.0, 1.0]), st.floats(0.1, 2))

    def level(number: int) -> Level[Recorded]:
        fusion = draw(st.sampled_from(["replace", "pool", "refine"] if number else ["replace", "refine"]))
        if fusion == "refine":
            chosen = draw(st.sets(st.integers(0, len(members) - 1), min_size=1))
            experts = {
                groups[group]: Expert(
                    network=Recorded(logits(random, rows, len(members[group]), coarse=coarse)),
                    before_weight=draw(before_weights) if draw(st.booleans()) else 0.0,
                )
                for group in chosen
            }
            return Experts(name=str(number), experts=experts, threshold=draw(thresholds))
        network = Recorded(logits(random, rows, labels, coarse=coarse))
        weights = (draw(st.floats(0.1, 2)), draw(st.floats(0.1, 2)))
        return Classifier(
            name=str(number),
            network=network,
            fusion="pool" if fusion == "pool" else "replace",
            weights=weights,
            threshold=draw(thresholds),
        )

    all_levels = tuple(level(number) for number in range(levels))
    return RandomCascade(np.arange(rows, dtype=np.float32), Cascade(all_levels, hierarchy))
