"""training.levels.other_model: an end-to-end model that learns from gradient boosting, if that helps."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import msgspec
import numpy as np
import pytest

from tests.training.pictures import picture
from tests.training.training_runs import OFF, ObservedRun, knowing, ladder, network_of, random_logits
from training.data.cleaning import Cleaning
from training.data.preparation import PreparedData
from training.data.splits.split import Split, TrainingSplit
from training.data.spool import spooled
from training.learning.networks import TrainingTarget
from training.learning.settling import settle
from training.levels.improve import LevelSearch
from training.levels.other_model import better, learn_from_other_model
from training.modalities.table.boosting import Boosting
from training.task import Data, NetworkSpec, Promise, Sizes, Task
from weir.catalog.columns import Category, Number
from weir.catalog.inputs import Table, Text

NUMBERS = Table(name="row", columns=tuple(Number(name=f"c{number}") for number in range(12)))
ENTRIES = tuple(f"{number:02}" for number in range(60))
CODES = Table(name="row", columns=(Category(name="code", vocabulary=ENTRIES),))
TASK = Task(
    name="small",
    data=Data(source="none"),
    sizes=Sizes(validation=800, certification=100, test=100),
    levels=(NetworkSpec(name="first", architecture="table-plain", epochs=2),),
    end_to_end=NetworkSpec(name="last", architecture="table-mlp", epochs=20),
    optimise=msgspec.structs.replace(OFF, boosting=True),
    promise=Promise(max_loss=0.05),
)


def _corner(count: int, random: np.random.Generator) -> Split:
    """Draw rows of which one label is likely where two columns are large: trees find that behind the noise."""
    rows = random.normal(0, 1, (count, len(NUMBERS.columns))).astype(np.float32)
    likely = np.where((rows[:, :2] > 0).all(axis=1), 0.8, 0.2)
    return Split(rows, (random.random(count) < likely).astype(np.int64))


def _codes(count: int, random: np.random.Generator) -> Split:
    """Draw rows whose label depends on a code that fewer than ten of 512 have: too few for a branch of a tree."""
    codes = random.permutation(count) % len(ENTRIES)
    return Split((codes + 2).astype(np.float32)[:, None], codes % 2)


def _data(table: Table, drawn: Callable[[int, np.random.Generator], Split]) -> PreparedData:
    """Draw few rows to train on, and many to validate on."""
    random = np.random.default_rng(0)
    return PreparedData(
        train=drawn(512, random),
        validation=drawn(800, random),
        certification=drawn(100, random),
        test=drawn(100, random),
        label_names=("a", "b"),
        inputs=(table,),
        cleaning=Cleaning(kept=1512),
        digest="0" * 64,
    )


def _begun(data: PreparedData, work: Path) -> LevelSearch:
    """Train the end-to-end model on labels, and begin to improve the levels."""
    run = ObservedRun.begin(settle(TASK, data), work, data)
    labels = data.validation.labels
    first = network_of("first", random_logits(labels, 0.3, 0, 2), labels, 1.0)
    return LevelSearch(run, ladder(first, run.trained_on_all_labels(run.task.end_to_end, 9.0)))


@pytest.fixture(scope="module")
def begun(tmp_path_factory: pytest.TempPathFactory) -> LevelSearch:
    """Begin on rows from which trees learn better than a network."""
    return _begun(_data(NUMBERS, _corner), tmp_path_factory.mktemp("corner"))


@pytest.fixture(scope="module")
def taught(begun: LevelSearch) -> LevelSearch:
    return learn_from_other_model(begun)


def _messages(search: LevelSearch) -> list[str]:
    assert isinstance(search.run, ObservedRun)
    return search.run.messages


def test_the_end_to_end_model_learns_from_boosting_where_that_helps(begun: LevelSearch, taught: LevelSearch) -> None:
    """It is better on validation rows than from labels alone; the message and the table say so."""
    before, after = begun.ladder.end_to_end, taught.ladder.end_to_end
    assert better(after, before)
    assert taught.ladder.levels[-1].networks == (after,)
    assert taught.ladder.levels[0] is not begun.ladder.levels[1]
    assert taught.ladder.levels[0].networks == begun.ladder.levels[0].networks
    (line,) = taught.trials
    assert (line.what, line.level, line.used) == ("distillation from gradient boosting", "last", True)
    labels = before.target.validation.labels
    assert (line.loss_before, line.loss) == (before.predictions.loss(labels), after.predictions.loss(labels))
    assert (line.level_accuracy_before, line.level_accuracy) == tuple(
        one.predictions.accuracy(labels) for one in (before, after)
    )
    assert after.predictions.time_us == before.predictions.time_us
    assert _messages(taught)[-1].startswith("distillation from gradient boosting last: used, helps; alone ")


def test_boosting_is_not_fitted_again_for_a_network_that_is_resumed(
    begun: LevelSearch, taught: LevelSearch, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The network is the same one."""
    monkeypatch.setattr(Boosting, "fitted", None)
    again = learn_from_other_model(begun)
    assert _messages(again)[-2] == "last-boosting: resumed, it was trained before"
    assert again.ladder.end_to_end.trained.made_of == taught.ladder.end_to_end.trained.made_of
    assert again.trials == taught.trials


def test_a_network_that_learned_from_boosting_is_not_kept_where_it_is_no_better(tmp_path: Path) -> None:
    """The levels stay as they were, and the table says what was tried."""
    begun = _begun(_data(CODES, _codes), tmp_path)
    search = learn_from_other_model(begun)
    assert search.ladder is begun.ladder
    (line,) = search.trials
    assert (line.used, line.why) == (False, "does not help")
    assert line.loss is not None
    assert line.loss_before is not None
    assert line.loss > line.loss_before


@pytest.mark.parametrize(
    ("rows", "correct_logit", "expected"),
    [(380, 2.0, True), (370, 2.0, True), (360, 2.0, False), (380, 0.5, False), (370, 1.0, False), (360, 0.5, False)],
)
def test_a_network_is_better_if_it_is_as_accurate_and_has_a_lower_loss(
    rows: int, correct_logit: float, expected: bool
) -> None:
    """Both are of validation rows; more correct rows alone do not suffice, nor does a lower loss alone."""
    other = knowing("other", 370, correct_logit=1.0)
    assert better(knowing("one", rows, correct_logit=correct_logit), other) == expected


def test_it_is_not_tried_if_the_task_says_so(begun: LevelSearch) -> None:
    """Nothing is said of it either."""
    optimise = msgspec.structs.replace(TASK.optimise, boosting=False)
    off = replace(begun, run=replace(begun.run, task=msgspec.structs.replace(begun.run.task, optimise=optimise)))
    assert learn_from_other_model(off) is off


def _with_target(search: LevelSearch, target: TrainingTarget) -> LevelSearch:
    """Give the end-to-end model another target."""
    levels = search.ladder.cascade.networks
    changed = replace(search.ladder.end_to_end, target=target)
    return replace(search, ladder=ladder(levels[0], changed))


def test_it_is_not_tried_on_several_inputs(begun: LevelSearch) -> None:
    """A table beside another input has no other model, and neither has another kind of input."""
    target = begun.ladder.end_to_end.target
    for inputs in (
        (NUMBERS, Text(name="review", most_bytes=32)),
        (picture(6, 6),),
        (Text(name="text", most_bytes=32),),
    ):
        search = _with_target(begun, replace(target, inputs=inputs))
        assert learn_from_other_model(search) is search


def test_it_is_not_tried_on_rows_in_a_file(begun: LevelSearch) -> None:
    """The table says why."""
    target = begun.ladder.end_to_end.target
    stored = TrainingSplit(spooled([target.train.inputs[:]]), target.train.labels)
    search = _with_target(begun, replace(target, train=stored))
    after = learn_from_other_model(search)
    assert after.ladder is search.ladder
    (line,) = after.trials
    assert line.why == "it needs the training rows in memory, and they are read from a file"


def test_it_is_not_tried_where_boosting_cannot_be_fitted(begun: LevelSearch) -> None:
    """The table has the reason that the model gives."""
    target = begun.ladder.end_to_end.target
    few = np.concatenate([np.flatnonzero(target.train.labels == 0), np.flatnonzero(target.train.labels == 1)[:1]])
    (line,) = learn_from_other_model(_with_target(begun, replace(target, train=target.train.taken(few)))).trials
    assert (line.used, line.why) == (False, "it needs 2 training rows of every label, and one has 1")
