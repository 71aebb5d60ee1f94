"""training.levels.build."""

from dataclasses import replace

import numpy as np
import pytest

from tests.training.training_runs import Watched, drawn, ladder, saying, spec, task
from training.levels.build import Built, build, with_experts
from training.levels.experts import Decomposed
from training.levels.improve import LevelSearch
from training.levels.ladder import Ladder, Net, Rung
from training.task import Groups, Optimise
from weir.engine.hierarchy import Hierarchy
from weir.errors import BadInput

PAIRS = {"ab": ("a", "b"), "cd": ("c", "d"), "e": ("e",)}


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Watched:
    """The level that is named first may be the slower one."""
    described = task(
        spec("slow", epochs=4, architecture="mlp2"),
        spec("fast", epochs=2, learning_rate=0.001),
        end_to_end=spec("last", epochs=4, learning_rate=0.005, architecture="conv-tiny"),
        hierarchy=Groups(generalist="fast", named=PAIRS, epochs=8, learning_rate=0.005),
        optimise=Optimise(distil=False, escalated=False, pool=True, joint_epochs=0),
    )
    return Watched.opened(described, tmp_path_factory.mktemp("work"))


@pytest.fixture(scope="module")
def built(shop: Watched) -> Built:
    return build(shop)


def test_the_end_to_end_model_is_the_last_level(built: Built) -> None:
    """The promise is against it; the others are in the order of their times."""
    last = built.ladder.rungs[-1]
    assert last.name == "last"
    assert last.net is built.ladder.end_to_end
    assert last.fusion == "replace"
    assert {rung.name for rung in built.ladder.rungs} >= {"slow", "fast", "last"}


def test_every_network_is_in_the_form_that_will_serve(built: Built) -> None:
    """What it says of validation rows is what its artifact says, and it is there once."""
    assert all(net.quantized is not None for net in built.ladder.nets)
    assert len({network.artifact.digest for network in built.networks}) == len(built.networks) == len(built.ladder.nets)
    for net in built.ladder.nets:
        assert net.quantized
        assert net.time_us == net.quantized.latency_us > 0
        assert net.logits.shape == (300, net.lesson.outputs)


def test_weights_are_learned_on_what_artifacts_say(built: Built) -> None:
    """In the end, once more."""
    again = built.ladder.refitted()
    assert [rung.weights for rung in again.rungs] == [rung.weights for rung in built.ladder.rungs]
    assert [rung.before_weights for rung in again.rungs] == [rung.before_weights for rung in built.ladder.rungs]


def test_the_tables_say_what_was_tried(built: Built) -> None:
    """Experts group by group, then all that was done to the ladder, in turn."""
    assert built.groups == PAIRS
    assert [line.group for line in built.experts] == ["ab", "cd", "e"]
    assert [line.what for line in built.tried[:2]] == ["a level of", "pooling"]
    used = any(line.used for line in built.tried if line.what == "a level of")
    assert used == ("experts" in [rung.name for rung in built.ladder.rungs])


def test_a_level_joins_its_generalist_wherever_that_stands(built: Built) -> None:
    """Experts are right behind it, if they are there."""
    names = [rung.name for rung in built.ladder.rungs]
    if "experts" in names:
        assert names[names.index("experts") - 1] == "fast"


def test_an_unknown_architecture_is_refused(tmp_path_factory: pytest.TempPathFactory) -> None:
    """The error lists those there are."""
    described = task(spec("first", architecture="resnet"))
    with pytest.raises(BadInput, match="an architecture is one of"):
        build(Watched.opened(described, tmp_path_factory.mktemp("work")))


LABELS = np.arange(400) % 5
GROUPS = Hierarchy(("ab", "cd", "e"), ((0, 1), (2, 3), (4,)), (0.2,) * 5)
LAST = saying("last", drawn(LABELS, 1.0, 0), LABELS, 100.0)


def _generalist() -> Net:
    """Tell the pairs from each other, and nothing more."""
    said = drawn(LABELS // 2, 1.0, 1, 3)
    return saying("first", said[:, [0, 0, 1, 1, 2]], LABELS, 10.0)


def _decomposed(before: Ladder, right: float) -> Decomposed:
    """Put experts behind the generalist that are right so often."""
    experts = {group: saying("expert", drawn(LABELS % 2, right, group, 2), LABELS, 5.0) for group in (0, 1)}
    rung = Rung("experts", "experts", None, experts, fusion="refine")
    rungs = (before.rungs[0], rung, before.rungs[1])
    return Decomposed(replace(before, rungs=rungs, hierarchy=GROUPS), PAIRS, ())


@pytest.mark.parametrize(("right", "used"), [(0.95, True), (0.0, False)])
def test_experts_are_used_where_the_ladder_is_better_for_them(shop: Watched, right: float, used: bool) -> None:
    """The groups stay either way: who abstains may still give one."""
    before = ladder(_generalist(), LAST)
    found = _decomposed(before, right)
    bench = with_experts(LevelSearch(shop, before), found)
    assert bench.ladder.hierarchy is GROUPS
    assert bench.ladder.rungs == (found.ladder.rungs if used else before.rungs)
    (line,) = bench.tried
    assert (line.what, line.level, line.used) == ("a level of", "experts", used)


def test_without_experts_there_is_nothing_to_compare(shop: Watched) -> None:
    """Nor to note: the table of experts says why there are none."""
    before = ladder(_generalist(), LAST)
    bench = with_experts(LevelSearch(shop, before), Decomposed(replace(before, hierarchy=GROUPS), PAIRS, ()))
    assert bench.tried == ()
    assert bench.ladder.hierarchy is GROUPS
