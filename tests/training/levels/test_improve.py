"""training.levels.improve: which changes are tried on levels, and that only those that help are used."""

from dataclasses import replace
from pathlib import Path

import msgspec
import numpy as np
import pytest

from tests.training.training_runs import (
    LABELS,
    OFF,
    ObservedRun,
    ladder,
    network_of,
    random_logits,
    random_network,
    spec,
    task,
)
from training.learning.networks import logits
from training.levels.improve import LevelSearch, Trial, choose_fusion, improve_levels
from training.levels.ladder import ExpectedPerformance, Ladder
from training.replay.thresholds import lowest_safe_threshold
from training.task import Optimise, SettledPromise
from weir.catalog.levels import Classifier
from weir.engine.arrays import Floats
from weir.engine.confidence import softmax

PROMISE = SettledPromise(max_loss=0.05)


@pytest.fixture
def run(tmp_path: Path) -> ObservedRun:
    return ObservedRun.begin(task(spec("first")), tmp_path)


LAST = random_network("last", 1.0, 0, 100.0)
BEFORE = ladder(random_network("first", 0.7, 1), LAST)


def _search(run: ObservedRun, before: Ladder, **settings: object) -> LevelSearch:
    """Begin a search in which some of the optimisations are switched on."""
    optimise = Optimise(**{**msgspec.to_builtins(OFF), **settings})
    return LevelSearch(replace(run, task=msgspec.structs.replace(run.task, optimise=optimise)), before)


def _promising(search: LevelSearch, promise: SettledPromise) -> LevelSearch:
    """Make the same search for another promise."""
    return replace(search, run=replace(search.run, promise=promise))


def _fusions(ladder: Ladder) -> list[str]:
    return [level.fusion for level in ladder.levels]


def _accuracy(ladder: Ladder, number: int) -> float:
    """Return the accuracy of a classifier alone on the validation rows."""
    (network,) = ladder.levels[number].networks
    return network.predictions.accuracy(ladder.labels)


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
        ((10.05, 0.01, 0.1), (10.0, 0.1, 0.5), True),
        ((10.2, 0.01, 0.1), (10.0, 0.1, 0.5), False),
        ((np.inf, 0.01, 0.1), (10.0, 0.1, 0.5), False),
        ((10.0, 0.2, 0.5), (np.inf, 0.1, 0.5), True),
        ((np.inf, 0.09, 0.5), (np.inf, 0.1, 0.5), True),
    ],
    ids=[
        "faster",
        "hardly faster, with the same losses",
        "hardly faster, with a lower final loss",
        "as fast, with a lower final loss",
        "as fast, with a higher final loss",
        "as fast, with the same final loss and a lower one before",
        "the same",
        "hardly slower, with a lower final loss",
        "slower, with a lower final loss",
        "it can't keep the limit",
        "the other can't keep the limit",
        "neither can, but its final loss is lower",
    ],
)
def test_one_ladder_is_better_than_another(one: tuple[float, ...], other: tuple[float, ...], better: bool) -> None:
    """It is over 1 % faster; or not as much slower, and its final loss, or on a tie its summed one, is lower."""

    def expected(time_us: float, loss: float, before: float) -> ExpectedPerformance:
        return ExpectedPerformance(time_us=time_us, loss=loss, level_losses=(before, loss))

    assert expected(*one).better_than(expected(*other)) == better


@pytest.mark.parametrize(("time_us", "faster"), [(95.0, True), (95.5, False), (105.0, False), (float("inf"), False)])
def test_one_ladder_is_faster_by_more_than_counts_as_equal(time_us: float, faster: bool) -> None:
    """Networks that were timed apart may seem up to 1.05 times as fast by chance; losses do not matter."""
    one, other = (ExpectedPerformance(time_us=each, loss=each, level_losses=()) for each in (time_us, 100.0))
    assert one.faster_than(other) == faster


@pytest.mark.parametrize(("known", "used"), [(0.9, True), (0.5, False)])
def test_a_ladder_is_taken_only_if_it_is_better(run: ObservedRun, known: float, used: bool) -> None:
    """Either way the table gets a line with the figures of both ladders."""
    other = ladder(random_network("first", known, 2), LAST)
    search = LevelSearch(run, BEFORE).try_ladder("another", "first", other, 0)
    assert search.ladder is (other if used else BEFORE)
    (line,) = search.trials
    assert (line.what, line.level, line.used, line.why) == (
        "another",
        "first",
        used,
        "helps" if used else "does not help",
    )
    assert line.level_accuracy_before == _accuracy(BEFORE, 0)
    assert line.level_accuracy == _accuracy(other, 0)
    assert (line.time_us_before, line.time_us) == tuple(one.expected(PROMISE).time_us for one in (BEFORE, other))
    assert line.loss_before == line.loss == LAST.predictions.loss(LABELS)
    assert run.messages == [line.describe()]


def test_a_ladder_that_cannot_keep_the_limit_has_no_time_in_the_table(run: ObservedRun) -> None:
    """It has no thresholds that a time could be given for, so the message has no time either."""
    weak = ladder(random_network("first", 0.7, 1), random_network("last", 0.8, 2, 100.0))
    search = _promising(LevelSearch(run, weak), SettledPromise(max_loss=0.01, against="labels"))
    (line,) = search.try_ladder("another", "first", weak).trials
    assert (line.time_us, line.time_us_before) == (None, None)
    assert "µs" not in run.messages[0]


def test_a_change_that_could_not_be_tried_is_in_the_table(run: ObservedRun) -> None:
    """Its line has the reason, and no figures."""
    search = LevelSearch(run, BEFORE).skip("this", "first", "it can't be")
    assert search.ladder is BEFORE
    assert search.trials == (Trial(what="this", level="first", used=False, why="it can't be"),)
    assert search.trials[0].describe() == "this first: not used, it can't be"


def test_a_line_is_described_with_its_figures() -> None:
    """The description has each figure before and after the change."""
    line = Trial(
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
    assert line.describe() == (
        "pooling second: used, helps; alone 90.0 -> 92.5 %; ladder 20.0 -> 15.2 µs per row; "
        "final loss 0.5000 -> 0.2500 nats"
    )


def test_an_optimisation_that_is_switched_off_is_not_tried(run: ObservedRun) -> None:
    """With everything switched off the ladder stays, and the table is empty."""
    search = _search(run, BEFORE)
    assert choose_fusion(improve_levels(search)) is search


def _noisy_logits(seed: int) -> Floats:
    """Draw logits that favour the correct label a little on every row; each seed errs on other rows."""
    logits = np.random.default_rng(seed).normal(0, 1.5, (len(LABELS), 5)).astype(np.float32)
    logits[np.arange(len(LABELS)), LABELS] += 3
    return logits


def test_levels_are_pooled_where_it_helps(run: ObservedRun) -> None:
    """Two weak levels are better together; the end-to-end model as the last level is not pooled."""
    first, second = (
        network_of(name, _noisy_logits(seed), LABELS, 10.0) for seed, name in ((1, "first"), (2, "second"))
    )
    before = ladder(first, second, LAST)
    search = choose_fusion(_search(run, before, pool=True))
    assert _fusions(search.ladder) == ["replace", "pool", "replace"]
    assert [(line.what, line.level, line.used) for line in search.trials] == [("pooling", "second", True)]
    level = search.ladder.levels[1]
    assert isinstance(level, Classifier)
    assert level.weights != (1.0, 1.0)
    assert search.expected.time_us < before.expected(PROMISE).time_us


def test_a_promise_against_labels_lets_the_last_level_pool_too(run: ObservedRun) -> None:
    """Against the end-to-end model the last level must answer as that model does; against labels it need not."""
    first = network_of("first", _noisy_logits(1), LABELS, 10.0)
    before = ladder(first, network_of("last", _noisy_logits(2), LABELS, 100.0))
    search = _search(run, before, pool=True)
    assert choose_fusion(search).trials == ()
    search = choose_fusion(_promising(search, SettledPromise(max_loss=0.5, against="labels")))
    assert [(line.level, line.used) for line in search.trials] == [("last", True)]
    assert search.ladder.levels[1].fusion == "pool"


def test_pooling_with_a_level_that_knows_nothing_is_not_used(run: ObservedRun) -> None:
    """Where it takes more time, the level stays as it was, and the table has a line for the attempt."""
    nothing = network_of("first", np.zeros((400, 5), np.float32), LABELS, 10.0)
    search = choose_fusion(_search(run, ladder(nothing, random_network("second", 0.9, 8), LAST), pool=True))
    assert _fusions(search.ladder) == ["replace", "replace", "replace"]
    assert [(line.level, line.used, line.why) for line in search.trials] == [("second", False, "does not help")]


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> tuple[ObservedRun, Ladder]:
    """Two weak levels, and an end-to-end model that is much better and much slower."""
    run = ObservedRun.begin(task(spec("first")), tmp_path_factory.mktemp("work"))
    times = {"first": 10.0, "second": 50.0}
    first, second = (
        run.trained_on_all_labels(spec(name, epochs=2, learning_rate=0.001), times[name]) for name in times
    )
    last = run.trained_on_all_labels(spec("last", epochs=12, learning_rate=0.005), 1000.0)
    return run, ladder(first, second, last)


@pytest.fixture(scope="module")
def improved(trained: tuple[ObservedRun, Ladder]) -> LevelSearch:
    """Both optimisations were tried on every level."""
    run, before = trained
    return improve_levels(_search(run, before, distil=True, escalated=True))


def test_levels_are_improved_cheapest_first(improved: LevelSearch) -> None:
    """Each is distilled, and later ones are trained with weights too; the end-to-end model stays."""
    assert [(line.what, line.level) for line in improved.trials] == [
        ("distillation", "first"),
        ("distillation", "second"),
        ("escalation weights", "second"),
    ]
    assert all(line.level_accuracy is not None for line in improved.trials)


def test_a_used_optimisation_changes_the_level_for_good(
    trained: tuple[ObservedRun, Ladder], improved: LevelSearch
) -> None:
    """One that does not help leaves the level as it was."""
    _, before = trained
    for number, name in enumerate(("first", "second")):
        used = [line.what for line in improved.trials if line.level == name and line.used]
        network, old = improved.ladder.cascade.networks[number], before.cascade.networks[number]
        assert network.spec.epochs == (6 if "distillation" in used else 2)
        assert network.spec.architecture == old.spec.architecture
        assert (network.trained.made_of == old.trained.made_of) == (not used)
    assert improved.expected.time_us <= before.expected(PROMISE).time_us


def test_a_level_has_the_temperature_of_its_network(improved: LevelSearch) -> None:
    """A network that takes the place of another brings its own temperature along."""
    for level in improved.ladder.levels:
        assert isinstance(level, Classifier)
        assert level.temperature == level.network.predictions.temperature


def test_the_teacher_is_the_strongest_network(trained: tuple[ObservedRun, Ladder], improved: LevelSearch) -> None:
    """All distilled levels learn from its logits, on the same views of the training rows."""
    run, before = trained
    first, second = (run.targets[f"{name}-distillation"].teacher for name in ("first", "second"))
    assert first is not None
    assert first is second
    inputs, teacher = first.view(0)
    np.testing.assert_allclose(teacher, logits(before.end_to_end.trained.model, inputs), atol=1e-4)


def test_a_distillation_that_is_resumed_does_not_run_its_teacher(
    trained: tuple[ObservedRun, Ladder], improved: LevelSearch
) -> None:
    """The teacher has no weights here, and the levels become what they were."""
    run, before = trained
    end_to_end = replace(before.end_to_end, trained=replace(before.end_to_end.trained, model=None))
    others = before.cascade.networks[:-1]
    resumed = improve_levels(_search(run, ladder(*others, end_to_end), distil=True, escalated=True))
    assert [line.describe() for line in resumed.trials] == [line.describe() for line in improved.trials]


@pytest.mark.parametrize(("asked", "epochs"), [(None, 6), (3, 3)], ids=["by default", "as the task says"])
def test_a_distillation_is_longer(
    asked: int | None, epochs: int, run: ObservedRun, trained: tuple[ObservedRun, Ladder], tmp_path: Path
) -> None:
    """It has three times the epochs of the level, or those of the task, and another length is another network."""
    first, *_, last = trained[1].cascade.networks
    improve_levels(_search(run, ladder(first, last), distil=True, distil_epochs=asked))
    (curve,) = tmp_path.glob("first-distillation.*.json")
    assert len(msgspec.json.decode(curve.read_bytes())) == epochs


def test_the_strongest_network_has_no_teacher(run: ObservedRun, trained: tuple[ObservedRun, Ladder]) -> None:
    """A level that is better than the end-to-end model teaches the others, and is not distilled itself."""
    weak, _, strong = trained[1].cascade.networks
    search = improve_levels(_search(run, ladder(strong, weak), distil=True))
    assert [(line.used, line.why) for line in search.trials] == [
        (False, "it has the lowest validation loss, and teaches the others")
    ]


def test_escalated_rows_weigh_more(trained: tuple[ObservedRun, Ladder], run: ObservedRun) -> None:
    """They weigh four times as much as rows that exit at an earlier level, and all rows together 1 on average."""
    _, before = trained
    promise = run.promise
    threshold = lowest_safe_threshold(before.recording, 0, promise.max_loss, promise.against)
    assert threshold is not None
    assert 0 < threshold <= 1
    improve_levels(_search(run, before, escalated=True))
    weights = run.targets["second-escalation-weights"].weights
    assert weights is not None
    first = before.cascade.networks[0]
    probabilities = softmax(logits(first.trained.model, run.data.train.inputs), first.predictions.temperature)
    escalated = probabilities.max(axis=1) < threshold
    assert weights.mean() == pytest.approx(1)
    assert set(np.unique(weights[escalated])) == {weights.max()}
    np.testing.assert_allclose(weights[~escalated], weights.max() / 4)


def test_escalation_weights_keep_the_teacher(trained: tuple[ObservedRun, Ladder], improved: LevelSearch) -> None:
    """A level that was distilled goes on learning from its teacher."""
    run, _ = trained
    distilled = next(line for line in improved.trials if line.level == "second" and line.what == "distillation")
    assert (run.targets["second-escalation-weights"].teacher is not None) == distilled.used


@pytest.mark.parametrize(("known", "limit"), [(0.0, 0.0001), (1.0, 0.9)], ids=["all escalate", "none does"])
def test_where_all_rows_escalate_or_none_there_are_no_weights(
    run: ObservedRun, trained: tuple[ObservedRun, Ladder], known: float, limit: float
) -> None:
    """The table gives the reason, and nothing is trained."""
    _, before = trained
    first, *others = before.cascade.networks
    first = replace(first, predictions=replace(first.predictions, logits=random_logits(before.labels, known, 5)))
    search = _promising(_search(run, ladder(first, *others), escalated=True), SettledPromise(max_loss=limit))
    (line,) = improve_levels(search).trials
    assert (line.what, line.used) == ("escalation weights", False)
    assert line.why == "the level before escalates all training rows, or none"
    assert not run.targets
