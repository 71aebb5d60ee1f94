"""training.certifying.sanity."""

from collections.abc import Sequence
from dataclasses import replace

import msgspec
import numpy as np
import pytest
from numpy.typing import NDArray

from tests.serving import make_manifest
from tests.training.recordings import drawn, of_words, word
from training.certifying import sanity as soundness
from training.replay.recording import LevelTimes, Recorded, Recording
from weir.catalog.manifest import Expert, Level, Manifest
from weir.engine.cascade import Step
from weir.engine.hierarchy import Hierarchy
from weir.errors import BadInput

Floats = NDArray[np.float32]

LABELS = ("ant", "bee", "cat", "dog")
NEAR = (2, 3, 4)
"""skills of three levels, each better than the one before"""
TIMES = (1.0, 3.0, 10.0)


def _manifest(levels: Sequence[Level] | None = None) -> Manifest:
    """Describe levels named tiny, small and large, or others, over four labels."""
    manifest = msgspec.structs.replace(make_manifest(), labels=LABELS, prior=(0.25,) * 4)
    return manifest if levels is None else msgspec.structs.replace(manifest, levels=tuple(levels))


def _words(rows: Recording) -> list[Floats]:
    return [rows.posteriors[number] for number in range(len(rows.steps))]


def _permuted(rows: Recording, number: int, order: list[int]) -> Recording:
    """Let a level's outputs stand in another order; the end-to-end model's, for the last number."""
    if number == len(rows.steps):
        return replace(rows, end_to_end=rows.end_to_end[:, order])
    words = _words(rows)
    words[number] = words[number][:, order]
    return replace(of_words(words, rows.labels), end_to_end=rows.end_to_end)


@pytest.mark.parametrize(("number", "name"), [(0, "tiny"), (1, "small"), (2, "large"), (3, "end-to-end")])
@pytest.mark.parametrize(
    ("order", "told"),
    [
        ([0, 2, 1, 3], "bee called cat, cat called bee"),
        ([1, 2, 0, 3], "ant called cat, cat called bee, bee called ant"),
        ([3, 0, 1, 2], "ant called bee, bee called cat, cat called dog, dog called ant"),
    ],
)
def test_outputs_in_another_order_are_refused(number: int, name: str, order: list[int], told: str) -> None:
    """The message names the level, and what it calls each label of the circle."""
    rows = _permuted(drawn(0, NEAR, 200), number, order)
    with pytest.raises(BadInput) as caught:
        soundness.check(_manifest(), rows)
    rule = "levels agree on the order of the labels"
    assert str(caught.value) == f"{rule}; on validation rows {name} does not. Got: {told}"


def test_a_pair_of_two_labels_is_a_circle_too() -> None:
    """A level that is wrong nine times in ten on two labels has them the wrong way round."""
    rows = drawn(0, (2, 3, 4), 200, outputs=2)
    manifest = msgspec.structs.replace(make_manifest(), labels=("no", "yes"), prior=(0.5, 0.5))
    with pytest.raises(BadInput, match=r"tiny does not\. Got: no called yes, yes called no"):
        soundness.check(manifest, _permuted(rows, 0, [1, 0]))


@pytest.mark.parametrize("seed", range(10))
@pytest.mark.parametrize("skill", [0.0, 0.2, 0.5, 4.0])
def test_weak_levels_are_none_of_its_business(skill: float, seed: int) -> None:
    """One that knows nothing, or little, disagrees with all others, but in no order."""
    soundness.check(_manifest(), drawn(seed, (skill, 3, 4), 40))


@pytest.mark.parametrize("rows", [8, 30, 200])
def test_chance_is_no_order(rows: int) -> None:
    """With two labels, a level that guesses calls each the other for most of its rows one time in four."""
    manifest = msgspec.structs.replace(make_manifest(), labels=("no", "yes"), prior=(0.5, 0.5))
    refused = 0
    for seed in range(200):
        try:
            soundness.check(manifest, drawn(seed, (0, 3, 4), rows, outputs=2))
        except BadInput:
            refused += 1
    assert refused <= 3


@pytest.mark.parametrize("label", range(4))
def test_a_level_that_always_says_the_same_is_not_refused(label: int) -> None:
    """It calls everything one label: no circle."""
    rows = drawn(1, NEAR)
    constant = np.tile(np.eye(4, dtype=np.float32)[label], (len(rows.labels), 1))
    soundness.check(_manifest(), of_words([constant, *_words(rows)[1:]], rows.labels))


@pytest.mark.parametrize("members", [((0, 1), (2, 3)), ((0, 3), (1, 2)), ((0, 1, 2), (3,)), ((0, 1, 2, 3),)])
def test_a_router_is_not_refused(members: tuple[tuple[int, ...], ...]) -> None:
    """It calls all labels of a group the commonest of them."""
    groups = Hierarchy(tuple(f"g{n}" for n in range(len(members))), members, (0.1, 0.2, 0.3, 0.4))
    rows = drawn(2, NEAR, 200, hierarchy=groups)
    router = groups.spread(groups.mass(_words(rows)[0]))
    soundness.check(_manifest(), of_words([router, *_words(rows)[1:]], rows.labels, groups))


def test_a_label_without_rows_is_no_one_else() -> None:
    """Nothing is said of labels that validation lacks."""
    rows = drawn(3, NEAR, 200)
    some = rows.rows(np.flatnonzero(rows.labels < 2))
    soundness.check(_manifest(), some)
    with pytest.raises(BadInput, match="ant called bee, bee called ant"):
        soundness.check(_manifest(), _permuted(some, 1, [1, 0, 2, 3]))


def _warned(skills: Sequence[float], times: LevelTimes) -> list[str]:
    return soundness.warnings(_manifest(), drawn(4, skills, 400), times)


def test_a_healthy_ladder_is_not_warned_of() -> None:
    """Each level is better than the one before, and takes longer."""
    assert _warned(NEAR, TIMES) == []


def test_a_later_level_that_is_worse_is_warned_of() -> None:
    """With how often both are right, and what comes of it; the others are not named."""
    skills = (2, 4, 3)
    right = [100 * (1 - share) for share in drawn(4, skills, 400).wrong.mean(axis=1)]
    (told,) = _warned(skills, TIMES)
    assert told == (
        f"level large is right on {right[2]:.1f} % of validation rows, the level before it on {right[1]:.1f} %: "
        "rows that escalate to it get worse answers"
    )


@pytest.mark.parametrize(
    ("times", "told"),
    [
        ((5.0, 3.0, 10.0), [("small", "tiny")]),
        ((3.0, 3.0, 10.0), [("small", "tiny")]),
        ((1.0, 20.0, 10.0), [("large", "small")]),
        ((12.0, 20.0, 10.0), [("large", "tiny, small")]),
        ((30.0, 20.0, 10.0), [("small", "tiny"), ("large", "tiny, small")]),
    ],
)
def test_a_later_level_that_takes_no_more_time_is_warned_of(times: LevelTimes, told: list[tuple[str, str]]) -> None:
    """With the levels before it that are no faster, and what comes of it."""
    assert _warned(NEAR, times) == [
        f"level {later} takes no more time than {earlier} before it: what is sent on past it saves nothing"
        for later, earlier in told
    ]


def test_experts_may_be_faster_than_what_they_refine() -> None:
    """Their time comes on top; but a level behind them that takes less time than they do is warned of."""
    random = np.random.default_rng(5)
    groups = Hierarchy(("low", "high"), ((0, 1), (2, 3)), (0.25,) * 4)
    labels = random.integers(0, 4, 400)
    router, last = groups.spread(groups.mass(word(random, labels, 3))), word(random, labels, 6)
    experts = {group: Recorded(word(random, labels % 2, 4, outputs=2)) for group in (0, 1)}
    steps = (Step(Recorded(router)), Step(fusion="refine", experts=experts), Step(Recorded(last)))
    rows = Recording(steps, last, labels, groups)
    plain = _manifest()
    expert = Expert(artifact=plain.end_to_end.artifact)
    level = Level(name="experts", kind="experts", experts={"low": expert, "high": expert}, fusion="refine", threshold=2)
    manifest = _manifest([msgspec.structs.replace(plain.levels[0], kind="router"), level, plain.levels[2]])
    assert soundness.warnings(manifest, rows, (5.0, {0: 1.0, 1: 1.0}, 10.0)) == []
    assert soundness.warnings(manifest, rows, (5.0, {0: 50.0, 1: 50.0}, 10.0)) == [
        "level large takes no more time than experts before it: what is sent on past it saves nothing"
    ]
