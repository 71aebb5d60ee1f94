"""training.levels.experts, on pictures of which two pairs of labels are easily confused."""

from dataclasses import replace
from pathlib import Path

import msgspec
import numpy as np
import pytest

from tests.training.training_runs import PAIRS, ObservedRun, ladder, network_of, pictures, prepared, spec, task
from training.learning.networks import Trained, TrainingTarget, logits
from training.levels.experts import Decomposition, decompose
from training.levels.ladder import Ladder
from training.levels.network import TrainableNetwork, classifier
from training.task import Promise, SettledGroups, SettledNetwork
from weir.catalog.levels import Experts, Router
from weir.catalog.promises import Against
from weir.engine.arrays import Floats, Labels
from weir.errors import BadInput

SETTINGS = SettledGroups(generalist="first", named=PAIRS, epochs=10, learning_rate=0.005)


def _with_logits(network: TrainableNetwork, logits: Floats) -> TrainableNetwork:
    return replace(network, predictions=replace(network.predictions, logits=logits))


def _experts(decomposition: Decomposition) -> Experts[TrainableNetwork]:
    level = decomposition.ladder.levels[1]
    assert isinstance(level, Experts)
    return level


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> ObservedRun:
    return ObservedRun.begin(task(spec("first")), tmp_path_factory.mktemp("work"))


@pytest.fixture(scope="module")
def generalist(run: ObservedRun) -> TrainableNetwork:
    """Tells the pairs from each other, and not much more."""
    return run.trained_on_all_labels(spec("first", epochs=3, learning_rate=0.001), 10.0)


@pytest.fixture(scope="module")
def before(run: ObservedRun, generalist: TrainableNetwork) -> Ladder:
    """The generalist, and an end-to-end model that is always correct."""
    labels = run.data.validation.labels
    return ladder(generalist, network_of("last", 9 * np.eye(5, dtype=np.float32)[labels], labels, 100.0))


@pytest.fixture(scope="module")
def decomposition(run: ObservedRun, before: Ladder) -> Decomposition:
    return decompose(before, SETTINGS, run)


def test_the_generalist_confuses_the_pairs(generalist: TrainableNetwork) -> None:
    """It confuses hardly anything else, which the tests below need."""
    labels, predicted = generalist.target.validation.labels, generalist.predictions.logits.argmax(axis=1)
    assert 0.5 < generalist.predictions.accuracy(labels) < 0.9
    assert (predicted // 2 == labels // 2).mean() > 0.95


def test_experts_come_directly_after_their_generalist(decomposition: Decomposition, before: Ladder) -> None:
    """They are a level of their own, which refines; the other levels are as they were."""
    first, experts, last = decomposition.ladder.levels
    assert (first, last) == (before.levels[0], before.levels[1])
    assert isinstance(experts, Experts)
    assert (experts.name, experts.kind, experts.fusion) == ("experts", "experts", "refine")
    assert set(experts.experts) == {"ab", "cd"}
    assert decomposition.groups == PAIRS
    hierarchy = decomposition.ladder.hierarchy
    assert hierarchy.groups == ("ab", "cd", "e")
    assert hierarchy.members == ((0, 1), (2, 3), (4,))
    assert hierarchy.prior == (0.2,) * 5


def test_an_expert_takes_the_time_of_its_generalist(decomposition: Decomposition) -> None:
    """Its architecture is the same, so it is not timed."""
    assert decomposition.ladder.times[1] == {"ab": 10.0, "cd": 10.0}


def test_the_table_shows_what_an_expert_is_worth(
    decomposition: Decomposition, generalist: TrainableNetwork, before: Ladder
) -> None:
    """It compares the level before alone with the expert, given the group, on the group's validation rows."""
    labels = before.labels
    posteriors = (generalist.predictions.probabilities, decomposition.ladder.recording.posteriors[1])
    for line, members in zip(decomposition.experts[:2], ((0, 1), (2, 3)), strict=True):
        rows = np.isin(labels, members)
        accuracies = [_accuracy_within(posterior[rows], members, labels[rows]) for posterior in posteriors]
        assert (line.used, line.why) == (True, "pays")
        assert (line.accuracy_before, line.accuracy) == pytest.approx(accuracies)
        assert line.accuracy is not None
        assert line.accuracy > 0.9 > accuracies[0]
        assert line.loss is not None
        assert line.loss_before is not None
        assert line.loss < line.loss_before
        assert line.before_weight == _experts(decomposition).experts[line.group].before_weight


def _accuracy_within(posterior: Floats, members: tuple[int, int], labels: Labels) -> float:
    predicted = np.array(members)[posterior[:, list(members)].argmax(axis=1)]
    return float((predicted == labels).mean())


def test_errors_inside_a_group_are_a_share_of_all(decomposition: Decomposition, generalist: TrainableNetwork) -> None:
    """They are the errors that confuse two labels of the group."""
    labels, predicted = generalist.target.validation.labels, generalist.predictions.logits.argmax(axis=1)
    errors = [{*pair} for pair in zip(labels.tolist(), predicted.tolist(), strict=True) if len({*pair}) > 1]
    for line, members in zip(decomposition.experts, ({0, 1}, {2, 3}, {4}), strict=True):
        assert line.errors_inside == pytest.approx(sum(pair <= members for pair in errors) / len(errors))


def test_a_group_of_one_label_gets_no_expert(decomposition: Decomposition, run: ObservedRun) -> None:
    """It has no labels to choose between, and nothing is trained for it."""
    line = decomposition.experts[2]
    assert (line.labels, line.used, line.why, line.accuracy) == (("e",), False, "it has one label", None)
    assert "expert-4" not in run.targets


def test_an_expert_learns_the_rows_of_its_group(decomposition: Decomposition, run: ObservedRun) -> None:
    """It has outputs for its group's labels alone, and learns from labels alone, whatever its generalist learned."""
    assert decomposition.experts[1].used
    target = run.targets["expert-2"]
    inside = np.isin(run.data.train.labels, (2, 3))
    np.testing.assert_array_equal(target.train.inputs[:], run.data.train.inputs[inside])
    np.testing.assert_array_equal(target.train.labels, run.data.train.labels[inside] - 2)
    assert (target.outputs, target.teacher, target.weights) == (2, None, None)


def test_an_expert_is_initialised_from_the_generalist(
    decomposition: Decomposition, run: ObservedRun, generalist: TrainableNetwork
) -> None:
    """Before any step its logits are those of the generalist, for the group's labels."""
    assert decomposition.experts[1].used
    start = run.starts["expert-2"]
    assert start
    images = run.data.test.inputs
    expected = logits(generalist.trained.model, images)[:, [2, 3]]
    np.testing.assert_allclose(logits(start.model, images), expected, atol=1e-5)


@pytest.mark.parametrize("architecture", ["mlp2", "conv-medium"])
def test_any_network_can_be_a_generalist(architecture: str, tmp_path: Path) -> None:
    """An expert differs from it in the last layer alone, whatever other state it has."""
    run = ObservedRun.begin(task(spec("first")), tmp_path, prepared(pictures(40, 1)))
    target, described = TrainingTarget.all_labels(run.data), spec("first", architecture=architecture)
    model = target.untrained(described, 0)
    wrong = np.array([0, 4, 2, 1, 3])[run.data.validation.labels]  # all errors are inside one of the groups
    network = _with_logits(run.network(described, Trained(model, [], ""), target), np.eye(5, dtype=np.float32)[wrong])
    groups = {"bde": ("b", "d", "e"), "ac": ("a", "c")}
    decompose(ladder(network, network), SettledGroups(generalist="first", named=groups, epochs=1), run)
    start = run.starts["expert-1"]
    assert start
    images = run.data.test.inputs
    np.testing.assert_allclose(logits(start.model, images), logits(model, images)[:, [1, 3, 4]], atol=1e-4)


def test_an_expert_that_does_not_pay_is_not_used(run: ObservedRun, before: Ladder) -> None:
    """One that has learned nothing predicts what the generalist predicts; the table shows it, and the groups stay."""
    settings = msgspec.structs.replace(SETTINGS, epochs=1, learning_rate=1e-12)
    decomposition = decompose(before, settings, run)
    assert decomposition.ladder.levels == before.levels
    assert decomposition.ladder.hierarchy.groups == ("ab", "cd", "e")
    assert [(line.used, line.why) for line in decomposition.experts[:2]] == [(False, "does not pay")] * 2
    assert all(line.accuracy == line.accuracy_before for line in decomposition.experts[:2])
    assert any("expert of ab: not used, it does not pay" in message for message in run.messages)


def test_only_experts_that_pay_are_used(run: ObservedRun, before: Ladder, generalist: TrainableNetwork) -> None:
    """A group whose labels the generalist already tells apart gets no expert."""
    knows = np.where((before.labels < 2)[:, None], 9 * np.eye(5)[before.labels], generalist.predictions.logits)
    level = classifier(_with_logits(generalist, knows.astype(np.float32)))
    decomposition = decompose(before.with_level(0, level), SETTINGS, run)
    assert [line.used for line in decomposition.experts] == [False, True, False]
    assert decomposition.experts[0].why == "less than 10 % of the generalist's errors are inside it"
    assert decomposition.experts[0].accuracy is None
    assert set(_experts(decomposition).experts) == {"cd"}


def test_groups_are_found_by_the_confusions_of_the_generalist(run: ObservedRun, before: Ladder) -> None:
    """Each pair of labels that it confuses is one group."""
    settings = SettledGroups(generalist="first", count=3, epochs=1, learning_rate=1e-12)
    assert decompose(before, settings, run).groups == {"a+b": ("a", "b"), "c+d": ("c", "d"), "e": ("e",)}
    assert "groups, found: a+b (a, b); c+d (c, d); e (e)" in run.messages


def _in_folders(run: ObservedRun, **groups: tuple[str, ...]) -> ObservedRun:
    return replace(run, data=replace(run.data, hierarchy=groups))


def test_groups_are_those_of_nested_folders(run: ObservedRun, before: Ladder) -> None:
    """A task that says nothing of groups gets them, and the run says where they are from."""
    nested = _in_folders(run, left=("a", "c"), right=("b", "d", "e"))
    settings = SettledGroups(generalist="first", epochs=1, learning_rate=1e-12)
    assert decompose(before, settings, nested).groups == {"left": ("a", "c"), "right": ("b", "d", "e")}
    assert "groups, those of the folders: left (a, c); right (b, d, e)" in run.messages


def test_groups_are_found_where_folders_do_not_divide_the_labels(run: ObservedRun, before: Ladder) -> None:
    """The run says why those of the folders are not used."""
    nested = _in_folders(run, left=("a", "c"), right=("b", "d"))
    settings = SettledGroups(generalist="first", epochs=1, learning_rate=1e-12)
    assert "left" not in decompose(before, settings, nested).groups
    assert "groups of the folders are not used: no group has the labels e" in run.messages


@pytest.mark.parametrize("named", [{"ab": ("a", "b")}, {"ab": ("a", "b"), "cd": ("c", "d")}, {**PAIRS, "f": ("f",)}])
def test_groups_that_do_not_divide_the_labels_are_refused(
    named: dict[str, tuple[str, ...]], run: ObservedRun, before: Ladder
) -> None:
    """The error is raised before any expert is trained."""
    with pytest.raises(BadInput, match=r"labels are divided|every label is in one group|labels of groups are among"):
        decompose(before, SettledGroups(generalist="first", named=named), run)


@pytest.mark.parametrize("router", [None, spec("router")], ids=["groups", "router"])
def test_without_their_generalist_there_are_no_experts(
    router: SettledNetwork | None, run: ObservedRun, before: Ladder
) -> None:
    """Neither experts nor a router are trained; the groups stay, and the run and each line of the table say why."""
    settings = msgspec.structs.replace(SETTINGS, generalist="slow", router=router)
    trained = set(run.targets)
    decomposition = decompose(before, settings, run)
    assert decomposition.ladder.levels == before.levels
    assert decomposition.ladder.hierarchy.groups == ("ab", "cd", "e")
    assert set(run.targets) == trained
    why = "their generalist slow is left out, because rows end at the end-to-end model last"
    assert [(line.group, line.used, line.why) for line in decomposition.experts] == [
        (group, False, why) for group in PAIRS
    ]
    assert run.messages[-1] == f"no experts: {why}"


def test_groups_are_found_without_their_generalist(
    run: ObservedRun, before: Ladder, generalist: TrainableNetwork
) -> None:
    """They are those of the labels that the end-to-end model confuses."""
    ends = Ladder(before.with_levels(before.levels[:1]).cascade, generalist)
    decomposition = decompose(ends, SettledGroups(generalist="slow", count=3), run)
    assert decomposition.groups == {"a+b": ("a", "b"), "c+d": ("c", "d"), "e": ("e",)}


@pytest.mark.parametrize(
    ("against", "router", "names"),
    [
        ("end-to-end", None, ["first"]),
        ("labels", None, ["first", "experts"]),
        ("end-to-end", spec("router", epochs=6, learning_rate=0.005), ["router", "experts", "first"]),
    ],
    ids=["promise against it", "promise against labels", "router"],
)
def test_experts_of_the_end_to_end_model_follow_it_or_a_router(
    against: Against, router: SettledNetwork | None, names: list[str], run: ObservedRun, generalist: TrainableNetwork
) -> None:
    """A generalist that has become the end-to-end model is the last level where the promise is against it."""
    promising = msgspec.structs.replace(run.task, promise=Promise(max_loss=0.05, against=against))
    settings = msgspec.structs.replace(SETTINGS, router=router)
    decomposition = decompose(ladder(generalist.timed(1e9)), settings, replace(run, task=promising))
    assert [level.name for level in decomposition.ladder.levels] == names
    if names == ["first"]:
        assert all(line.why.startswith("their generalist first is the end-to-end") for line in decomposition.experts)


@pytest.fixture(scope="module")
def routed(run: ObservedRun, before: Ladder, generalist: TrainableNetwork) -> dict[str, Decomposition]:
    """Decompose with a router that is faster than the generalist, and with one that is slower."""
    settings = msgspec.structs.replace(SETTINGS, router=spec("router", epochs=6, learning_rate=0.005))

    def with_time(time_us: float) -> Decomposition:
        return decompose(before.with_level(0, classifier(generalist.timed(time_us))), settings, run)

    return {"faster": with_time(1e9), "slower": with_time(0.0)}


def test_a_router_comes_before_the_levels_that_take_longer(routed: dict[str, Decomposition]) -> None:
    """Its place is by its measured time, and its experts come directly after it."""
    faster, slower = routed["faster"].ladder.levels, routed["slower"].ladder.levels
    assert [level.name for level in faster] == ["router", "experts", "first", "last"]
    assert [level.name for level in slower] == ["first", "router", "experts", "last"]
    assert [level.kind for level in faster] == ["router", "experts", "cascade", "cascade"]


def test_a_router_chooses_the_group(routed: dict[str, Decomposition], run: ObservedRun) -> None:
    """It learns groups alone, and experts are compared with it, which chooses within a group by the prior."""
    decomposition = routed["faster"]
    router = decomposition.ladder.levels[0]
    assert isinstance(router, Router)
    np.testing.assert_array_equal(run.targets["router"].train.labels, run.data.train.labels // 2)
    assert router.network.predictions.logits.shape == (300, 3)
    assert router.network.quantized
    assert (router.network.predictions.logits.argmax(axis=1) == run.data.validation.labels // 2).mean() > 0.9
    assert [line.accuracy_before for line in decomposition.experts[:2]] == pytest.approx([0.5, 0.5])
    ladder = decomposition.ladder
    assert (ladder.recording.predicted[1] == ladder.labels).mean() > 0.85


def test_after_a_router_every_group_may_have_an_expert(routed: dict[str, Decomposition]) -> None:
    """The router cannot tell labels apart, so few errors of the generalist inside a group are no reason against it."""
    assert [line.why for line in routed["slower"].experts] == ["pays", "pays", "it has one label"]
