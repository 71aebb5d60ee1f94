"""training.levels.experts, on pictures of which two pairs of labels are easily confused."""

from dataclasses import replace
from pathlib import Path

import msgspec
import numpy as np
import pytest

from tests.training.training_runs import Watched, ladder, pictures, prepared, saying, spec, task
from training.learning.networks import Trained, TrainingTarget, logits
from training.levels.experts import Decomposed, decompose
from training.levels.ladder import Floats, Labels, Ladder, Net, Rung
from training.task import Groups
from weir.errors import BadInput

PAIRS = {"ab": ("a", "b"), "cd": ("c", "d"), "e": ("e",)}
ASKED = Groups(generalist="first", named=PAIRS, epochs=10, learning_rate=0.005)


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Watched:
    return Watched.opened(task(spec("first")), tmp_path_factory.mktemp("work"))


@pytest.fixture(scope="module")
def generalist(shop: Watched) -> Net:
    """Tells the pairs from each other, and not much more."""
    return shop.taught(spec("first", epochs=3, learning_rate=0.001), 10.0)


@pytest.fixture(scope="module")
def before(shop: Watched, generalist: Net) -> Ladder:
    """The generalist, and an end-to-end model that is always right."""
    labels = shop.data.validation.labels
    return ladder(generalist, saying("last", 9 * np.eye(5, dtype=np.float32)[labels], labels, 100.0))


@pytest.fixture(scope="module")
def found(shop: Watched, before: Ladder) -> Decomposed:
    return decompose(before, ASKED, shop)


def test_the_generalist_confuses_the_pairs(generalist: Net) -> None:
    """And nothing else: what the tests below need."""
    labels, said = generalist.lesson.validation.labels, generalist.logits.argmax(axis=1)
    assert 0.5 < generalist.accuracy < 0.9
    assert (said // 2 == labels // 2).mean() > 0.95


def test_experts_stand_right_behind_their_generalist(found: Decomposed, before: Ladder) -> None:
    """In a level of their own, that refines; the others are as they were."""
    first, experts, last = found.ladder.rungs
    assert (first, last) == (before.rungs[0], before.rungs[1])
    assert (experts.name, experts.kind, experts.fusion, experts.net) == ("experts", "experts", "refine", None)
    assert set(experts.experts) == {0, 1}
    assert found.groups == PAIRS
    assert found.ladder.hierarchy
    assert found.ladder.hierarchy.members == ((0, 1), (2, 3), (4,))
    assert found.ladder.hierarchy.prior == (0.2,) * 5


def test_an_expert_takes_the_time_of_its_generalist(found: Decomposed) -> None:
    """It is built alike."""
    assert found.ladder.rungs[1].time_us == {0: 10.0, 1: 10.0}


def test_the_table_tells_what_an_expert_is_worth(found: Decomposed, generalist: Net, before: Ladder) -> None:
    """Counted on the group's validation rows, given the group: with the level before alone, and with the expert."""
    labels = generalist.lesson.validation.labels
    refined = found.ladder.recording.posteriors[1]
    for line, members in zip(found.experts[:2], ((0, 1), (2, 3)), strict=True):
        rows = np.isin(labels, members)
        accuracies = [_within(posterior[rows], members, labels[rows]) for posterior in (_word(generalist), refined)]
        assert (line.used, line.why) == (True, "pays")
        assert (line.accuracy_before, line.accuracy) == pytest.approx(accuracies)
        assert line.accuracy is not None
        assert line.accuracy > 0.9 > accuracies[0]
        assert line.loss is not None
        assert line.loss_before is not None
        assert line.loss < line.loss_before
        assert line.before_weight == found.ladder.rungs[1].before_weights[labels[rows][0] // 2]


def _word(net: Net) -> Floats:
    return net.word.probabilities


def _within(posterior: Floats, members: tuple[int, int], labels: Labels) -> float:
    said = np.array(members)[posterior[:, list(members)].argmax(axis=1)]
    return float((said == labels).mean())


def test_errors_inside_a_group_are_a_share_of_all(found: Decomposed, generalist: Net) -> None:
    """Those that confuse two of its labels."""
    labels, said = generalist.lesson.validation.labels, generalist.logits.argmax(axis=1)
    wrong = [(right, one) for right, one in zip(labels.tolist(), said.tolist(), strict=True) if right != one]
    for line, members in zip(found.experts, ({0, 1}, {2, 3}, {4}), strict=True):
        assert line.errors_inside == pytest.approx(sum({*pair} <= members for pair in wrong) / len(wrong))


def test_a_group_of_one_label_gets_no_expert(found: Decomposed, shop: Watched) -> None:
    """There is nothing to tell apart, and nothing is trained."""
    line = found.experts[2]
    assert (line.labels, line.used, line.why, line.accuracy) == (("e",), False, "it has one label", None)
    assert "expert-4" not in shop.lessons


def test_an_expert_learns_the_rows_of_its_group(found: Decomposed, shop: Watched) -> None:
    """With outputs for its labels alone, however the generalist itself was taught."""
    lesson = shop.lessons["expert-2"]
    inside = np.isin(shop.data.train.labels, (2, 3))
    np.testing.assert_array_equal(lesson.train.inputs, shop.data.train.inputs[inside])
    np.testing.assert_array_equal(lesson.train.labels, shop.data.train.labels[inside] - 2)
    assert (lesson.outputs, lesson.teacher, lesson.weights) == (2, None, None)


def test_an_expert_begins_as_the_generalist(found: Decomposed, shop: Watched, generalist: Net) -> None:
    """Before any step its logits are the generalist's, of the group's labels."""
    start = shop.starts["expert-2"]
    assert start
    images = shop.data.test.inputs
    expected = logits(generalist.trained.model, images)[:, [2, 3]]
    np.testing.assert_allclose(logits(start.model, images), expected, atol=1e-5)


@pytest.mark.parametrize("architecture", ["mlp2", "conv-medium"])
def test_any_network_can_be_a_generalist(architecture: str, tmp_path: Path) -> None:
    """Its last layer is the only one that changes, whatever other state it has."""
    shop = Watched.opened(task(spec("first")), tmp_path, prepared(pictures(40, 1)))
    lesson, described = TrainingTarget.whole(shop.data), spec("first", architecture=architecture)
    model = lesson.blank(described, 0)
    wrong = np.array([0, 4, 2, 1, 3])[shop.data.validation.labels]  # all errors are inside one of the groups
    net = replace(shop.net(described, Trained(model, [], ""), lesson), logits=np.eye(5, dtype=np.float32)[wrong])
    groups = {"bde": ("b", "d", "e"), "ac": ("a", "c")}
    decompose(ladder(net, net), Groups(generalist="first", named=groups, epochs=1), shop)
    start = shop.starts["expert-1"]
    assert start
    images = shop.data.test.inputs
    np.testing.assert_allclose(logits(start.model, images), logits(model, images)[:, [1, 3, 4]], atol=1e-4)


def test_an_expert_that_does_not_pay_is_not_used(shop: Watched, before: Ladder) -> None:
    """One that has learned nothing says what the generalist says; the table tells, and the groups stay."""
    asked = msgspec.structs.replace(ASKED, epochs=1, learning_rate=1e-12)
    found = decompose(before, asked, shop)
    assert found.ladder.rungs == before.rungs
    assert found.ladder.hierarchy
    assert [(line.used, line.why) for line in found.experts[:2]] == [(False, "does not pay")] * 2
    assert all(line.accuracy == line.accuracy_before for line in found.experts[:2])
    assert any("expert of ab: not used, it does not pay" in line for line in shop.said)


def test_only_experts_that_pay_are_used(shop: Watched, before: Ladder) -> None:
    """Here the generalist already knows one of the pairs."""
    generalist = before.rungs[0].net
    assert generalist
    labels = generalist.lesson.validation.labels
    knows = np.where((labels < 2)[:, None], 9 * np.eye(5, dtype=np.float32)[labels], generalist.logits)
    net = replace(generalist, logits=knows)
    found = decompose(Ladder((Rung("first", "cascade", net), before.rungs[1]), before.end_to_end), ASKED, shop)
    assert [line.used for line in found.experts] == [False, True, False]
    assert found.experts[0].why == "less than 10 % of the generalist's errors are inside it"
    assert found.experts[0].accuracy is None
    assert set(found.ladder.rungs[1].experts) == {1}


def test_groups_are_found_by_what_the_generalist_confuses(shop: Watched, before: Ladder) -> None:
    """Each pair in one group."""
    found = decompose(before, Groups(generalist="first", count=3, epochs=1, learning_rate=1e-12), shop)
    assert found.groups == {"a+b": ("a", "b"), "c+d": ("c", "d"), "e": ("e",)}
    assert "groups, found: a+b (a, b); c+d (c, d); e (e)" in shop.said


@pytest.mark.parametrize("named", [{"ab": ("a", "b")}, {"ab": ("a", "b"), "cd": ("c", "d")}, {**PAIRS, "f": ("f",)}])
def test_groups_that_do_not_divide_the_labels_are_refused(
    named: dict[str, tuple[str, ...]], shop: Watched, before: Ladder
) -> None:
    """Before any expert is trained."""
    with pytest.raises(BadInput, match=r"labels are divided|every label is in one group|labels of groups are among"):
        decompose(before, Groups(generalist="first", named=named), shop)


@pytest.fixture(scope="module")
def routed(shop: Watched, before: Ladder) -> dict[str, Decomposed]:
    """Decompose with a router that is faster than the generalist, and with one that is slower."""
    asked = msgspec.structs.replace(ASKED, router=spec("router", epochs=6, learning_rate=0.005))
    first, last = before.rungs
    assert first.net

    def decomposed(time_us: float) -> Decomposed:
        assert first.net
        rung = replace(first, net=replace(first.net, time_us=time_us))
        return decompose(replace(before, rungs=(rung, last)), asked, shop)

    return {"faster": decomposed(1e9), "slower": decomposed(0.0)}


def test_a_router_stands_before_what_takes_longer(routed: dict[str, Decomposed]) -> None:
    """By its measured time, with its experts right behind it."""
    faster, slower = routed["faster"].ladder.rungs, routed["slower"].ladder.rungs
    assert [rung.name for rung in faster] == ["router", "experts", "first", "last"]
    assert [rung.name for rung in slower] == ["first", "router", "experts", "last"]
    assert [rung.kind for rung in faster] == ["router", "experts", "cascade", "cascade"]


def test_a_router_chooses_the_group(routed: dict[str, Decomposed], shop: Watched) -> None:
    """It is taught groups alone; what experts are worth is measured behind it, where only the prior is known."""
    found = routed["faster"]
    lesson, router = shop.lessons["router"], found.ladder.rungs[0].net
    np.testing.assert_array_equal(lesson.train.labels, shop.data.train.labels // 2)
    assert router
    assert router.logits.shape == (300, 3)
    assert router.quantized
    assert (router.logits.argmax(axis=1) == shop.data.validation.labels // 2).mean() > 0.9
    assert [line.accuracy_before for line in found.experts[:2]] == pytest.approx([0.5, 0.5])
    assert (found.ladder.recording.said[1] == found.ladder.labels).mean() > 0.85


def test_behind_a_router_every_group_may_have_an_expert(routed: dict[str, Decomposed]) -> None:
    """However few of the generalist's errors are inside it: the router itself can't tell labels apart."""
    assert [line.why for line in routed["slower"].experts] == ["pays", "pays", "it has one label"]
