"""training.levels.improve: what is tried on levels, and that only what helps is used."""

from dataclasses import replace
from pathlib import Path

import msgspec
import numpy as np
import pytest

from tests.training.training_runs import OFF, Watched, drawn, ladder, saying, spec, task
from training.learning.networks import logits
from training.levels.improve import LevelSearch, Tried, choose_fusion, optimise_levels, told
from training.levels.ladder import Floats, Ladder, Net, Outlook
from training.replay.thresholds import safe
from training.task import Optimise, Promise
from weir.engine.confidence import softmax

PROMISE = Promise(max_loss=0.05)
LABELS = np.arange(400) % 5
"""of the validation rows of networks that are written down"""


@pytest.fixture
def shop(tmp_path: Path) -> Watched:
    return Watched.opened(task(spec("first")), tmp_path)


def _said(name: str, right: float, seed: int, time_us: float = 10.0) -> Net:
    return saying(name, drawn(LABELS, right, seed), LABELS, time_us)


LAST = _said("last", 1.0, 0, 100.0)
BEFORE = ladder(_said("first", 0.7, 1), LAST)


def _bench(shop: Watched, before: Ladder, **asked: object) -> LevelSearch:
    """Put a ladder on the bench, with some of the optimisations asked for."""
    optimise = Optimise(**{**msgspec.to_builtins(OFF), **asked})
    return LevelSearch(replace(shop, task=msgspec.structs.replace(shop.task, optimise=optimise)), before)


@pytest.mark.parametrize(
    ("one", "other", "better"),
    [
        ((9.0, 1.0, 1.0), (10.0, 0.1, 0.1), True),
        ((9.95, 0.1, 0.5), (10.0, 0.1, 0.5), False),
        ((9.95, 0.09, 0.5), (10.0, 0.1, 0.5), True),
        ((10.0, 0.09, 0.9), (10.0, 0.1, 0.5), True),
        ((10.0, 0.11, 0.1), (10.0, 0.1, 0.5), False),
        ((10.0, 0.1, 0.4), (10.0, 0.1, 0.5), True),
        ((10.0, 0.1, 0.5), (10.0, 0.1, 0.5), False),
        ((10.05, 0.01, 0.1), (10.0, 0.1, 0.5), False),
        ((np.inf, 0.01, 0.1), (10.0, 0.1, 0.5), False),
        ((10.0, 0.2, 0.5), (np.inf, 0.1, 0.5), True),
        ((np.inf, 0.09, 0.5), (np.inf, 0.1, 0.5), True),
    ],
    ids=[
        "cheaper",
        "hardly cheaper, and no better",
        "hardly cheaper, and better",
        "as cheap, and better in the end",
        "as cheap, and worse in the end",
        "as cheap, as good in the end, and better before",
        "the same",
        "dearer",
        "it can't keep the limit",
        "the other can't keep the limit",
        "neither can, but it is better",
    ],
)
def test_what_is_better(one: tuple[float, ...], other: tuple[float, ...], better: bool) -> None:
    """Cheaper by more than 1 %; or no dearer, and its last word or else its levels of less loss."""

    def outlook(time_us: float, loss: float, before: float) -> Outlook:
        return Outlook(time_us=time_us, loss=loss, level_losses=(before, loss))

    assert outlook(*one).better_than(outlook(*other)) == better


@pytest.mark.parametrize(("right", "used"), [(0.9, True), (0.5, False)])
def test_a_ladder_is_taken_only_if_it_is_better(shop: Watched, right: float, used: bool) -> None:
    """Either way the table has its line."""
    other = ladder(_said("first", right, 2), LAST)
    bench = LevelSearch(shop, BEFORE).compared("another", "first", other, 0)
    assert bench.ladder is (other if used else BEFORE)
    (line,) = bench.tried
    assert (line.what, line.level, line.used, line.why) == (
        "another",
        "first",
        used,
        "helps" if used else "does not help",
    )
    assert BEFORE.rungs[0].net
    assert other.rungs[0].net
    assert line.level_accuracy_before == BEFORE.rungs[0].net.accuracy
    assert line.level_accuracy == other.rungs[0].net.accuracy
    assert (line.time_us_before, line.time_us) == tuple(one.outlook(PROMISE).time_us for one in (BEFORE, other))
    assert line.loss_before == line.loss == LAST.loss
    assert shop.said == [told(line)]


def test_a_ladder_that_cannot_keep_the_limit_has_no_time_in_the_table(shop: Watched) -> None:
    """Then nothing it says of its time would be true."""
    against = Promise(max_loss=0.01, against="labels")
    weak = ladder(_said("first", 0.7, 1), _said("last", 0.8, 2, 100.0))
    strict = replace(shop, task=msgspec.structs.replace(shop.task, promise=against))
    (line,) = LevelSearch(strict, weak).compared("another", "first", weak).tried
    assert (line.time_us, line.time_us_before) == (None, None)
    assert "µs" not in strict.said[0]


def test_what_could_not_be_tried_is_in_the_table(shop: Watched) -> None:
    """With the reason, and without figures."""
    bench = LevelSearch(shop, BEFORE).skipped("this", "first", "it can't be")
    assert bench.ladder is BEFORE
    assert bench.tried == (Tried(what="this", level="first", used=False, why="it can't be"),)
    assert told(bench.tried[0]) == "this first: not used, it can't be"


def test_a_line_is_told_with_its_figures() -> None:
    """Before and after."""
    line = Tried(
        what="pooling",
        level="second",
        used=True,
        why="helps",
        level_accuracy_before=0.9,
        level_accuracy=0.925,
        time_us_before=20.0,
        time_us=15.25,
        loss_before=0.5,
        loss=0.25,
    )
    assert told(line) == (
        "pooling second: used, helps; alone 90.0 -> 92.5 %; ladder 20.0 -> 15.2 µs a row; "
        "its last word 0.5000 -> 0.2500 nats"
    )


def test_nothing_is_tried_that_is_not_asked_for(shop: Watched) -> None:
    """With everything switched off the ladder stays, and the table is empty."""
    bench = _bench(shop, BEFORE)
    assert choose_fusion(optimise_levels(bench)) is bench


def _noisy(seed: int) -> Floats:
    """Draw words that tell a little of every row, and err otherwise by every seed."""
    found = np.random.default_rng(seed).normal(0, 1.5, (len(LABELS), 5)).astype(np.float32)
    found[np.arange(len(LABELS)), LABELS] += 3
    return found


def test_levels_are_pooled_where_it_helps(shop: Watched) -> None:
    """Two that know a little each know more together; the end-to-end model at the end speaks for itself."""
    before = ladder(*(saying(name, _noisy(seed), LABELS, 10.0) for name, seed in (("first", 1), ("second", 2))), LAST)
    bench = choose_fusion(_bench(shop, before, pool=True))
    assert [rung.fusion for rung in bench.ladder.rungs] == ["replace", "pool", "replace"]
    assert [(line.what, line.level, line.used) for line in bench.tried] == [("pooling", "second", True)]
    assert bench.ladder.rungs[1].weights != (1.0, 1.0)
    assert bench.outlook.time_us < before.outlook(PROMISE).time_us


def test_a_promise_against_labels_lets_the_last_level_pool_too(shop: Watched) -> None:
    """Then nobody asks that it says what the end-to-end model says."""
    before = ladder(saying("first", _noisy(1), LABELS, 10.0), saying("last", _noisy(2), LABELS, 100.0))
    bench = _bench(shop, before, pool=True)
    assert choose_fusion(bench).tried == ()
    promise = Promise(max_loss=0.5, against="labels")
    against = replace(bench, shop=replace(bench.shop, task=msgspec.structs.replace(bench.shop.task, promise=promise)))
    found = choose_fusion(against)
    assert [(line.level, line.used) for line in found.tried] == [("last", True)]
    assert found.ladder.rungs[1].fusion == "pool"


def test_pooling_with_what_knows_nothing_is_not_used(shop: Watched) -> None:
    """The level stays as it was, and the table says that it was tried."""
    nothing = saying("first", np.zeros((400, 5), np.float32), LABELS, 10.0)
    bench = choose_fusion(_bench(shop, ladder(nothing, _said("second", 0.9, 3), LAST), pool=True))
    assert [rung.fusion for rung in bench.ladder.rungs] == ["replace", "replace", "replace"]
    assert [(line.level, line.used, line.why) for line in bench.tried] == [("second", False, "does not help")]


@pytest.fixture(scope="module")
def taught(tmp_path_factory: pytest.TempPathFactory) -> tuple[Watched, Ladder]:
    """Two weak levels, and an end-to-end model that is much better and much dearer."""
    shop = Watched.opened(task(spec("first")), tmp_path_factory.mktemp("work"))
    times = {"first": 10.0, "second": 50.0}
    first, second = (shop.taught(spec(name, epochs=2, learning_rate=0.001), times[name]) for name in times)
    return shop, ladder(first, second, shop.taught(spec("last", epochs=12, learning_rate=0.005), 1000.0))


@pytest.fixture(scope="module")
def optimised(taught: tuple[Watched, Ladder]) -> LevelSearch:
    """Both optimisations, on every level."""
    shop, before = taught
    return optimise_levels(_bench(shop, before, distil=True, escalated=True))


def test_levels_are_optimised_cheapest_first(optimised: LevelSearch) -> None:
    """Each is distilled, and later ones are trained with weights too; the end-to-end model is left alone."""
    assert [(line.what, line.level) for line in optimised.tried] == [
        ("distillation", "first"),
        ("distillation", "second"),
        ("escalation weights", "second"),
    ]
    assert all(line.level_accuracy is not None for line in optimised.tried)


def test_a_used_optimisation_is_the_level_from_then_on(taught: tuple[Watched, Ladder], optimised: LevelSearch) -> None:
    """And one that does not help leaves it as it was."""
    _, before = taught
    for number, name in enumerate(("first", "second")):
        used = [line.what for line in optimised.tried if line.level == name and line.used]
        net, old = optimised.ladder.rungs[number].net, before.rungs[number].net
        assert net
        assert old
        assert net.spec == old.spec
        assert (net.trained.made_of == old.trained.made_of) == (not used)
    assert optimised.outlook.time_us <= before.outlook(PROMISE).time_us


def test_the_teacher_is_the_strongest_network(taught: tuple[Watched, Ladder], optimised: LevelSearch) -> None:
    """What it says of training rows, and of their mirror images after them."""
    shop, before = taught
    images, teacher = shop.data.train.inputs, before.end_to_end.trained.model
    said = shop.lessons["first-distillation"].teacher
    assert said is not None
    np.testing.assert_allclose(said[:300], logits(teacher, images), atol=1e-4)
    np.testing.assert_allclose(said[300:], logits(teacher, images[:, :, ::-1]), atol=1e-4)


def test_the_strongest_network_has_no_teacher(shop: Watched, taught: tuple[Watched, Ladder]) -> None:
    """A level that is better than the end-to-end model teaches the others, and learns from nobody."""
    _, (weak, _, strong) = taught[0], taught[1].nets
    bench = optimise_levels(_bench(shop, ladder(strong, weak), distil=True))
    assert [(line.used, line.why) for line in bench.tried] == [(False, "it is the strongest network itself")]


def test_escalated_rows_weigh_more(taught: tuple[Watched, Ladder], shop: Watched) -> None:
    """Four times as much as those that an earlier level keeps, and all rows together 1 on average."""
    _, before = taught
    bench = _bench(shop, before, escalated=True)
    promise = shop.task.promise
    threshold = safe(before.recording, 0, promise.max_loss, promise.against)
    assert 0 < threshold <= 1
    optimise_levels(bench)
    weights = shop.lessons["second-escalation-weights"].weights
    first = before.rungs[0].net
    assert weights is not None
    assert first
    said = softmax(logits(first.trained.model, shop.data.train.inputs), first.temperature)
    escalated = said.max(axis=1) < threshold
    assert weights.mean() == pytest.approx(1)
    assert set(np.unique(weights[escalated])) == {weights.max()}
    np.testing.assert_allclose(weights[~escalated], weights.max() / 4)


def test_escalation_weights_keep_the_teacher(taught: tuple[Watched, Ladder], optimised: LevelSearch) -> None:
    """A level that was distilled goes on learning from its teacher."""
    shop, _ = taught
    distilled = next(line for line in optimised.tried if line.level == "second" and line.what == "distillation")
    assert (shop.lessons["second-escalation-weights"].teacher is not None) == distilled.used


@pytest.mark.parametrize(("right", "limit"), [(0.0, 0.0001), (1.0, 0.9)], ids=["all escalate", "none does"])
def test_where_all_rows_escalate_or_none_there_are_no_weights(
    shop: Watched, taught: tuple[Watched, Ladder], right: float, limit: float
) -> None:
    """The table says so, and nothing is trained."""
    _, before = taught
    first, labels = before.rungs[0].net, before.labels
    assert first
    told_so = replace(first, logits=drawn(labels, right, 5))
    promise = Promise(max_loss=limit)
    bench = _bench(shop, ladder(told_so, *before.nets[1:]), escalated=True)
    bench = replace(bench, shop=replace(bench.shop, task=msgspec.structs.replace(bench.shop.task, promise=promise)))
    (line,) = optimise_levels(bench).tried
    assert (line.what, line.used) == ("escalation weights", False)
    assert line.why == "the level before escalates all training rows, or none"
    assert not shop.lessons
