"""training.levels.build."""

import pytest

from tests.training.training_runs import (
    GROUPS,
    LABELS,
    PAIRS,
    ObservedRun,
    ladder,
    learned,
    network_of,
    random_expert,
    random_logits,
    random_network,
    spec,
    task,
)
from training.levels import build as build_levels
from training.levels.build import BuiltLevels, build, with_experts
from training.levels.experts import Decomposition
from training.levels.improve import LevelSearch
from training.levels.ladder import Ladder
from training.levels.manifest import manifest
from training.levels.network import TrainableNetwork
from training.replay.timing import Times
from training.task import Optimise, SettledGroups
from weir.catalog.levels import Classifier, Experts
from weir.errors import BadInput


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> ObservedRun:
    """Describe a task with a hierarchy, whose last network is the strongest."""
    described = task(
        spec("slow", epochs=1, architecture="mlp2"),
        spec("fast", epochs=2, learning_rate=0.001),
        end_to_end=spec("last", epochs=8, learning_rate=0.005),
        hierarchy=SettledGroups(generalist="fast", named=PAIRS, epochs=8, learning_rate=0.005),
        optimise=Optimise(distil=False, escalated=False, pool=True, joint_epochs=0),
    )
    return ObservedRun.begin(described, tmp_path_factory.mktemp("work"))


def _built(run: ObservedRun, *times_us: float) -> BuiltLevels:
    """Build the levels of a task whose networks, in its order, take such times: their real ones are nearly equal."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            build_levels,
            "side_by_side",
            lambda *_: Times({number: [time_us] * 5 for number, time_us in enumerate(times_us)}),
        )
        return build(run)


@pytest.fixture(scope="module")
def built(run: ObservedRun) -> BuiltLevels:
    """Build them; the first level takes more time than the second."""
    return _built(run, 20.0, 10.0, 100.0)


def test_the_end_to_end_model_is_the_last_level(built: BuiltLevels) -> None:
    """The promise is against it; every other network of the task is a level before it."""
    last = built.ladder.levels[-1]
    assert isinstance(last, Classifier)
    assert last.name == "last"
    assert last.network is built.ladder.end_to_end
    assert last.fusion == "replace"
    names = [level.name for level in built.ladder.levels if level.name != "experts"]
    assert names == ["fast", "slow", "last"]
    assert built.left_out == ()


def test_every_network_is_in_the_form_that_will_serve(built: BuiltLevels) -> None:
    """Its predictions are those of its artifact, and each artifact is listed once."""
    networks = built.ladder.cascade.networks
    assert all(network.quantized is not None for network in networks)
    assert len({network.artifact.digest for network in built.networks}) == len(built.networks) == len(networks)
    for network in networks:
        assert network.quantized
        assert network.predictions.time_us == network.quantized.latency_us > 0
        assert network.predictions.logits.shape == (300, network.target.outputs)


def test_weights_are_learned_on_the_predictions_of_artifacts(built: BuiltLevels) -> None:
    """They are learned once more in the end, so refitting changes nothing."""
    again = built.ladder.refitted()
    assert [learned(level) for level in again.levels] == [learned(level) for level in built.ladder.levels]


def test_the_tables_show_what_was_tried(built: BuiltLevels) -> None:
    """One has a line for each group, the other a line for each change of the ladder, in turn."""
    assert built.groups == PAIRS
    assert [line.group for line in built.experts] == ["ab", "cd", "e"]
    assert [line.what for line in built.trials[:2]] == ["a level of", "pooling"]
    used = any(line.used for line in built.trials if line.what == "a level of")
    assert used == ("experts" in [level.name for level in built.ladder.levels])


def test_experts_come_directly_after_their_generalist(built: BuiltLevels) -> None:
    """They do so wherever their generalist is, if the ladder has experts."""
    names = [level.name for level in built.ladder.levels]
    if "experts" in names:
        assert names[names.index("experts") - 1] == "fast"


@pytest.fixture(scope="module")
def hopeless(tmp_path_factory: pytest.TempPathFactory) -> ObservedRun:
    """Describe a task whose end-to-end network learns nothing, and whose generalist becomes the strongest."""
    described = task(
        spec("slow", learning_rate=1e-7, architecture="mlp2"),
        spec("strong", epochs=8, learning_rate=0.005),
        spec("fast", epochs=2, learning_rate=0.001),
        end_to_end=spec("last", learning_rate=1e-7),
        hierarchy=SettledGroups(generalist="strong", named=PAIRS, epochs=1),
        optimise=Optimise(distil=False, escalated=False, pool=True, joint_epochs=1),
    )
    return ObservedRun.begin(described, tmp_path_factory.mktemp("hopeless"))


def test_a_hopeless_end_to_end_network_is_replaced_by_the_strongest(hopeless: ObservedRun) -> None:
    """The strongest level ends the ladder, is published as the end-to-end model, and the reason is told and kept."""
    built = _built(hopeless, 50.0, 30.0, 10.0, 100.0)
    published = manifest(hopeless.task, hopeless.data, built)
    assert [level.name for level in published.levels] == ["fast", "strong"]
    assert published.levels[-1].networks == (published.end_to_end.artifact,)
    assert published.levels[-1].fusion == "replace"
    accuracies = [network.correct.mean() for network in built.ladder.cascade.networks]
    assert built.ladder.end_to_end.correct.mean() == max(accuracies) > 0.9
    line = built.comparisons[0]
    assert (line.end_to_end, line.other, line.left_out) == ("strong", "last", ("slow", "last"))
    assert not line.too_few_rows
    assert line.why in hopeless.messages
    assert [network.spec.name for network in built.left_out] == ["slow", "last"]
    assert {report.name for report in built.reports} == {"slow", "strong", "fast", "last"}
    assert len(built.networks) == 2


def test_experts_cannot_follow_a_generalist_that_has_become_the_end_to_end_model(hopeless: ObservedRun) -> None:
    """The promise needs it as the last level; the groups stay, and every line of the table has the reason."""
    built = _built(hopeless, 50.0, 30.0, 10.0, 100.0)
    assert built.groups == PAIRS
    assert {line.used for line in built.experts} == {False}
    assert all("is the end-to-end model, which a promise against it needs" in line.why for line in built.experts)
    assert any(message.startswith("no experts: their generalist strong is") for message in hopeless.messages)


def test_the_strongest_may_be_the_only_level(hopeless: ObservedRun) -> None:
    """If it takes the least time too, it is the one level: nothing is tuned jointly, and the run says so."""
    built = _built(hopeless, 50.0, 5.0, 10.0, 100.0)
    assert [level.name for level in built.ladder.levels] == ["strong"]
    assert hopeless.messages[-1] == "one level: strong answers every row"
    assert [(line.what, line.used, line.why) for line in built.trials] == [
        ("joint fine-tuning", False, "there is one level")
    ]


def test_an_unknown_architecture_is_refused(tmp_path_factory: pytest.TempPathFactory) -> None:
    """The error lists the known architectures."""
    described = task(spec("first", architecture="resnet"))
    with pytest.raises(BadInput, match="an architecture is one of"):
        build(ObservedRun.begin(described, tmp_path_factory.mktemp("work")))


LAST = random_network("last", 1.0, 0, 100.0)


def _generalist() -> TrainableNetwork:
    """Make a network that tells the pairs from each other, and nothing more."""
    logits = random_logits(LABELS // 2, 1.0, 1, 3)
    return network_of("first", logits[:, [0, 0, 1, 1, 2]], LABELS, 10.0)


def _decomposition(before: Ladder, known: float) -> Decomposition:
    """Put experts after the generalist that know the label of such a share of the rows."""
    experts = {group: random_expert(known, seed) for seed, group in enumerate(("ab", "cd"))}
    level = Experts(name="experts", experts=experts, threshold=None)
    ladder = before.with_hierarchy(GROUPS).with_levels([before.levels[0], level, before.levels[1]])
    return Decomposition(ladder, PAIRS, ())


@pytest.mark.parametrize(("known", "used"), [(0.95, True), (0.0, False)])
def test_experts_are_used_where_the_ladder_is_better_for_them(run: ObservedRun, known: float, used: bool) -> None:
    """The groups stay either way, because a row that abstains may still get one."""
    before = ladder(_generalist(), LAST)
    decomposition = _decomposition(before, known)
    search = with_experts(LevelSearch(run, before), decomposition)
    assert search.ladder.hierarchy is GROUPS
    assert search.ladder.levels == (decomposition.ladder.levels if used else before.levels)
    (line,) = search.trials
    assert (line.what, line.level, line.used) == ("a level of", "experts", used)


def test_without_experts_there_is_nothing_to_compare(run: ObservedRun) -> None:
    """The table of changes has no line; the table of experts shows why there are none."""
    before = ladder(_generalist(), LAST)
    search = with_experts(LevelSearch(run, before), Decomposition(before.with_hierarchy(GROUPS), PAIRS, ()))
    assert search.trials == ()
    assert search.ladder.hierarchy is GROUPS
