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
from training.levels.build import BuiltLevels, build, with_experts
from training.levels.experts import Decomposition
from training.levels.improve import LevelSearch
from training.levels.ladder import Ladder
from training.levels.network import TrainableNetwork
from training.task import Groups, Optimise
from weir.catalog.levels import Classifier, Experts
from weir.errors import BadInput


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> ObservedRun:
    """Describe a task with a hierarchy, whose first level is slower than its second."""
    described = task(
        spec("slow", epochs=4, architecture="mlp2"),
        spec("fast", epochs=2, learning_rate=0.001),
        end_to_end=spec("last", epochs=4, learning_rate=0.005, architecture="conv-tiny"),
        hierarchy=Groups(generalist="fast", named=PAIRS, epochs=8, learning_rate=0.005),
        optimise=Optimise(distil=False, escalated=False, pool=True, joint_epochs=0),
    )
    return ObservedRun.begin(described, tmp_path_factory.mktemp("work"))


@pytest.fixture(scope="module")
def built(run: ObservedRun) -> BuiltLevels:
    return build(run)


def test_the_end_to_end_model_is_the_last_level(built: BuiltLevels) -> None:
    """The promise is against it; every other network of the task is a level before it."""
    last = built.ladder.levels[-1]
    assert isinstance(last, Classifier)
    assert last.name == "last"
    assert last.network is built.ladder.end_to_end
    assert last.fusion == "replace"
    assert {level.name for level in built.ladder.levels} >= {"slow", "fast", "last"}


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
