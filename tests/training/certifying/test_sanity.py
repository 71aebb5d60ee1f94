"""training.certifying.sanity."""

from collections.abc import Sequence
from dataclasses import replace

import msgspec
import numpy as np
import pytest

from tests.serving import artifact, make_manifest
from tests.training.recordings import PAIRS, classifier, drawn, network, probabilities, recording
from training.certifying import sanity
from training.replay.recording import LevelTimes, Recording
from weir.catalog.levels import Expert, Experts, Level, Router
from weir.catalog.manifest import Artifact, Manifest
from weir.engine.arrays import Floats
from weir.engine.cascade import Cascade
from weir.engine.hierarchy import Hierarchy
from weir.errors import BadInput

LABELS = ("ant", "bee", "cat", "dog")
NEAR = (2, 3, 4)
"""skills of three levels, each better than the one before"""
TIMES = (1.0, 3.0, 10.0)


def _manifest(levels: Sequence[Level[Artifact]] | None = None) -> Manifest:
    """Describe levels named tiny, small and large, or others, over four labels."""
    manifest = msgspec.structs.replace(make_manifest(), labels=LABELS, prior=(0.25,) * 4)
    return manifest if levels is None else msgspec.structs.replace(manifest, levels=tuple(levels))


def _posteriors(rows: Recording) -> list[Floats]:
    return list(rows.posteriors)


def _permuted(rows: Recording, number: int, order: list[int]) -> Recording:
    """Put a level's outputs in another order; the end-to-end model's, for the number behind the last level."""
    levels = _posteriors(rows)
    if number == len(levels):
        return replace(rows, end_to_end=rows.end_to_end[:, order])
    levels[number] = levels[number][:, order]
    return replace(recording(levels, rows.labels), end_to_end=rows.end_to_end)


@pytest.mark.parametrize(("number", "name"), [(0, "tiny"), (1, "small"), (2, "large"), (3, "end-to-end")])
@pytest.mark.parametrize(
    ("order", "circle"),
    [
        ([0, 2, 1, 3], "bee predicted as cat, cat predicted as bee"),
        ([1, 2, 0, 3], "ant predicted as cat, cat predicted as bee, bee predicted as ant"),
        ([3, 0, 1, 2], "ant predicted as bee, bee predicted as cat, cat predicted as dog, dog predicted as ant"),
    ],
)
def test_outputs_in_another_order_are_refused(number: int, name: str, order: list[int], circle: str) -> None:
    """The message names the level, and what it predicts for each label of the circle."""
    rows = _permuted(drawn(0, NEAR, 200), number, order)
    with pytest.raises(BadInput) as caught:
        sanity.check(_manifest(), rows)
    rule = "levels agree on the order of the labels"
    assert str(caught.value) == f"{rule}; on validation rows {name} does not. Got: {circle}"


def test_two_labels_that_are_exchanged_are_a_circle_too() -> None:
    """A level that is wrong nine times in ten on two labels has its outputs in the wrong order."""
    rows = drawn(0, (2, 3, 4), 200, outputs=2)
    manifest = msgspec.structs.replace(make_manifest(), labels=("no", "yes"), prior=(0.5, 0.5))
    with pytest.raises(BadInput, match=r"tiny does not\. Got: no predicted as yes, yes predicted as no"):
        sanity.check(manifest, _permuted(rows, 0, [1, 0]))


@pytest.mark.parametrize("seed", range(10))
@pytest.mark.parametrize("skill", [0.0, 0.2, 0.5, 4.0])
def test_a_weak_level_is_not_refused(skill: float, seed: int) -> None:
    """One that has learned nothing, or little, disagrees with all others, but in no order."""
    sanity.check(_manifest(), drawn(seed, (skill, 3, 4), 40))


@pytest.mark.parametrize("rows", [8, 30, 200])
def test_chance_is_rarely_taken_for_an_order(rows: int) -> None:
    """With two labels, a level that guesses predicts each as the other for most of its rows one time in four."""
    manifest = msgspec.structs.replace(make_manifest(), labels=("no", "yes"), prior=(0.5, 0.5))
    refused = 0
    for seed in range(200):
        try:
            sanity.check(manifest, drawn(seed, (0, 3, 4), rows, outputs=2))
        except BadInput:
            refused += 1
    assert refused <= 3


@pytest.mark.parametrize("label", range(4))
def test_a_level_that_always_predicts_one_label_is_not_refused(label: int) -> None:
    """It predicts everything as one label, which is no circle."""
    rows = drawn(1, NEAR)
    constant = np.tile(np.eye(4, dtype=np.float32)[label], (len(rows.labels), 1))
    sanity.check(_manifest(), recording([constant, *_posteriors(rows)[1:]], rows.labels))


@pytest.mark.parametrize("members", [((0, 1), (2, 3)), ((0, 3), (1, 2)), ((0, 1, 2), (3,)), ((0, 1, 2, 3),)])
def test_a_router_is_not_refused(members: tuple[tuple[int, ...], ...]) -> None:
    """It predicts all labels of a group as the most frequent of them."""
    groups = Hierarchy(tuple(f"g{n}" for n in range(len(members))), members, (0.1, 0.2, 0.3, 0.4))
    rows = drawn(2, NEAR, 200, hierarchy=groups)
    router = groups.spread(groups.mass(_posteriors(rows)[0]))
    sanity.check(_manifest(), recording([router, *_posteriors(rows)[1:]], rows.labels, groups))


def test_a_label_without_rows_is_not_checked() -> None:
    """Validation rows that lack labels still show a circle among the others."""
    rows = drawn(3, NEAR, 200)
    some = rows.rows(np.flatnonzero(rows.labels < 2))
    sanity.check(_manifest(), some)
    with pytest.raises(BadInput, match="ant predicted as bee, bee predicted as ant"):
        sanity.check(_manifest(), _permuted(some, 1, [1, 0, 2, 3]))


def _warnings(skills: Sequence[float], times: LevelTimes) -> list[str]:
    return sanity.warnings(_manifest(), drawn(4, skills, 400), times)


def test_levels_that_get_better_and_slower_cause_no_warning() -> None:
    """Each level is more often correct than the one before, and takes longer."""
    assert _warnings(NEAR, TIMES) == []


def test_a_later_level_that_is_worse_causes_a_warning() -> None:
    """The warning names both accuracies and the effect; it does not name the other levels."""
    skills = (2, 4, 3)
    accuracy = [100 * (1 - share) for share in drawn(4, skills, 400).errors.mean(axis=1)]
    (warning,) = _warnings(skills, TIMES)
    assert warning == (
        f"level large is correct on {accuracy[2]:.1f} % of validation rows, the level before it on "
        f"{accuracy[1]:.1f} %: rows that escalate to it get worse answers"
    )


@pytest.mark.parametrize(
    ("times", "pairs"),
    [
        ((5.0, 3.0, 10.0), [("small", "tiny")]),
        ((3.0, 3.0, 10.0), [("small", "tiny")]),
        ((1.0, 20.0, 10.0), [("large", "small")]),
        ((12.0, 20.0, 10.0), [("large", "tiny, small")]),
        ((30.0, 20.0, 10.0), [("small", "tiny"), ("large", "tiny, small")]),
    ],
)
def test_a_later_level_that_takes_no_more_time_causes_a_warning(
    times: LevelTimes, pairs: list[tuple[str, str]]
) -> None:
    """The warning names the levels before it that are no faster, and the effect."""
    assert _warnings(NEAR, times) == [
        f"level {later} takes no more time than {earlier} before it: an exit before it saves nothing"
        for later, earlier in pairs
    ]


def test_experts_may_be_faster_than_the_level_that_they_refine() -> None:
    """Their time is added to its time; but a level after them that takes less time than they do causes a warning."""
    random = np.random.default_rng(5)
    labels = random.integers(0, 4, 400)
    router, last = PAIRS.spread(PAIRS.mass(probabilities(random, labels, 3))), probabilities(random, labels, 6)
    recorded = {
        group: Expert(network=network(probabilities(random, labels % 2, 4, outputs=2))) for group in ("low", "high")
    }
    experts = Experts(name="experts", experts=recorded, threshold=None)
    rows = Recording(Cascade((classifier(router), experts, classifier(last)), PAIRS), last, labels)
    manifest = _manifest(
        [
            Router(name="tiny", network=artifact("tiny"), threshold=0.9),
            experts.map(lambda _: artifact("large")),
            _manifest().levels[2],
        ]
    )
    assert sanity.warnings(manifest, rows, (5.0, {"low": 1.0, "high": 1.0}, 10.0)) == []
    assert sanity.warnings(manifest, rows, (5.0, {"low": 50.0, "high": 50.0}, 10.0)) == [
        "level large takes no more time than experts before it: an exit before it saves nothing"
    ]
