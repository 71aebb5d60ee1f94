"""training.learning.networks."""

from dataclasses import replace

import keras
import msgspec
import numpy as np
import pytest
import tensorflow as tf
from numpy.typing import NDArray
from scipy.special import softmax

from tests.training.pictures import picture
from tests.training.quick import TASK
from training.data.preparation import PreparedData, prepare
from training.data.splits.split import Split
from training.learning.loop import Diverged, ValidationMetrics
from training.learning.networks import TEMPERATURE, TrainingTarget, _label_loss, _teacher_loss, logits, train
from training.learning.settling import settle
from training.learning.views import Teacher, TeacherViews
from training.modalities.picture.architectures import build
from training.task import SettledNetwork, SettledTask, decode
from weir.engine.arrays import Floats


@pytest.fixture(scope="module")
def data() -> PreparedData:
    return prepare(decode(TASK.encode()))


@pytest.fixture(scope="module")
def task(data: PreparedData) -> SettledTask:
    return settle(decode(TASK.encode()), data)


@pytest.fixture(scope="module")
def target(data: PreparedData) -> TrainingTarget:
    return TrainingTarget.all_labels(data)


def test_the_same_seed_gives_the_same_network(task: SettledTask, data: PreparedData, target: TrainingTarget) -> None:
    """Initial weights, the order of rows and augmentation depend on the seed alone."""
    progress: list[tuple[int, int]] = []
    spec = msgspec.structs.replace(task.levels[1], erase=3)
    one, history = train(spec, target, 3, lambda *epoch: progress.append(epoch))
    two, again = train(spec, target, 3, lambda *_: None)
    np.testing.assert_array_equal(logits(one, data.test.inputs), logits(two, data.test.inputs))
    assert history == again
    assert progress == [(1, 2), (2, 2), (2, 2)]


def test_metrics_of_every_epoch_are_kept(task: SettledTask, target: TrainingTarget) -> None:
    """The loss and the learning rate of each epoch are returned, and both fall."""
    spec = msgspec.structs.replace(task.end_to_end, epochs=4)
    _, history = train(spec, target, 0, lambda *_: None)
    assert len(history) == 4
    assert history[-1].loss < history[0].loss
    rates = [epoch.learning_rate for epoch in history]
    assert rates == sorted(rates, reverse=True)
    assert rates[-1] < 1e-4


def test_training_stops_early_and_keeps_the_best(task: SettledTask, target: TrainingTarget) -> None:
    """Training stops without a better epoch within the patience, and keeps the best weights."""
    spec = msgspec.structs.replace(task.end_to_end, epochs=200, patience=1, learning_rate=0.05)
    model, history = train(spec, target, 0, lambda *_: None)
    assert len(history) < 200
    kept = ValidationMetrics.of(logits(model, target.validation.inputs), target.validation.labels)
    assert kept.loss == pytest.approx(history[-2].val_loss, rel=1e-3)
    assert kept.accuracy == history[-2].val_accuracy


def test_a_training_that_runs_off_is_an_error(task: SettledTask, target: TrainingTarget) -> None:
    """A loss that is no longer finite raises Diverged, with the name of the network and advice."""
    spoiled = Split(np.full_like(target.train.inputs, np.inf), target.train.labels)
    with pytest.raises(Diverged, match=r"training last diverged: .* a smaller learning_rate than .* may help"):
        train(task.end_to_end, replace(target, train=spoiled), 0, lambda *_: None)


def test_a_training_begins_with_the_weights_it_is_given(task: SettledTask, target: TrainingTarget) -> None:
    """With a learning rate of almost zero the weights stay those of the start, whatever the seed."""
    spec = msgspec.structs.replace(task.levels[0], epochs=1, learning_rate=1e-12)
    start = target.untrained(spec, 8)
    model, _ = train(spec, target, 0, lambda *_: None, start)
    trained = logits(model, target.validation.inputs)
    np.testing.assert_allclose(trained, logits(start, target.validation.inputs), atol=1e-4)


def test_a_target_on_some_labels_leaves_the_other_rows_out(target: TrainingTarget) -> None:
    """Rows of other labels are left out, and the labels that stay map to the given outputs."""
    outputs = np.full(10, -1, np.intp)
    outputs[[3, 7, 8]] = [0, 1, 1]
    part = target.subset(outputs, 2)
    assert part.outputs == 2
    for split, whole in ((part.train, target.train), (part.validation, target.validation)):
        kept = np.isin(whole.labels, [3, 7, 8])
        np.testing.assert_array_equal(split.inputs[:], whole.inputs[kept])
        np.testing.assert_array_equal(split.labels, whole.labels[kept] != 3)


def _sides(rows: int, *, seed: int) -> Split:
    """Make pictures that are bright on the left, label 0, or on the right."""
    random = np.random.default_rng(seed)
    images = random.uniform(0, 100, (rows, 6, 6)).astype(np.float32)
    labels = random.integers(0, 2, rows)
    for side in (0, 1):
        images[labels == side, :, 3 * side : 3 * side + 3] += 40
    return Split(images, labels)


SPEC = SettledNetwork(name="n", architecture="mlp", epochs=8, learning_rate=0.005)
SIDES = TrainingTarget(_sides(300, seed=1), _sides(300, seed=2), 2, (picture(6, 6),))


def _accuracy(target: TrainingTarget) -> float:
    """Train on a target, and measure the accuracy on other rows."""
    model, _ = train(SPEC, target, 0, lambda *_: None)
    test = _sides(500, seed=3)
    return float((logits(model, test.inputs).argmax(axis=1) == test.labels).mean())


def _taught() -> TrainingTarget:
    """Learn from a teacher that knows the truth, and not from the labels, of which half are wrong."""
    noisy = np.random.default_rng(0).integers(0, 2, len(SIDES.train.labels))
    teacher = Teacher(_truth, lambda rows, random: rows + random.normal(0, 1, rows.shape).astype(np.float32), "teacher")
    views = TeacherViews(SIDES.train.inputs, teacher, 0)
    return replace(SIDES, train=replace(SIDES.train, labels=noisy), teacher=views)


def _truth(rows: Floats) -> Floats:
    """Say which side is bright, more surely the brighter it is."""
    left = (rows[:, :, :3].mean(axis=(1, 2)) - rows[:, :, 3:].mean(axis=(1, 2))) / 4
    return np.stack([left, -left], axis=1)


def test_a_network_learns_from_its_teacher_alone() -> None:
    """It learns the truth from its teacher although half of its labels are wrong."""
    target = _taught()
    assert _accuracy(target.labels_only()) < 0.8
    assert _accuracy(target) > 0.95


def test_a_distillation_is_the_same_for_the_same_seed() -> None:
    """Views, order and initial weights depend on seeds alone."""
    one, two = (train(SPEC, _taught(), 0, lambda *_: None) for _ in range(2))
    np.testing.assert_array_equal(logits(one[0], SIDES.validation.inputs), logits(two[0], SIDES.validation.inputs))
    assert one[1] == two[1]


def _steepest(model: keras.Model, teacher: Floats, rows: NDArray[np.intp]) -> float:
    """Return the largest slope of a distillation's loss by any weight."""
    with tf.GradientTape() as tape:
        loss = _teacher_loss(model, SIDES)(SIDES.train.inputs[rows], rows, teacher)
    return max(float(tf.reduce_max(tf.abs(slopes))) for slopes in tape.gradient(loss, model.trainable_variables))


def test_a_student_that_says_what_its_teacher_says_has_nothing_to_learn() -> None:
    """The loss is zero and so is its gradient; it is neither for another student."""
    model, rows = build("mlp", picture(6, 6), 2, 0), np.arange(20)
    own = logits(model, SIDES.train.inputs[rows])
    loss = _teacher_loss(model, SIDES)
    assert float(loss(SIDES.train.inputs[rows], rows, own)) == pytest.approx(0, abs=1e-5)
    assert _steepest(model, own, rows) == pytest.approx(0, abs=1e-4)
    other = own + np.array([0, 1], np.float32)
    assert float(loss(SIDES.train.inputs[rows], rows, other)) > 0.01
    assert _steepest(model, other, rows) > 0.01


def test_the_loss_of_a_distillation_is_that_of_softened_probabilities() -> None:
    """It is the divergence of both at the temperature, times its square, by the weights of the rows."""
    random = np.random.default_rng(0)
    weights = random.uniform(0, 2, len(SIDES.train.labels)).astype(np.float32)
    model, rows = build("mlp", picture(6, 6), 2, 0), np.array([0, 5, 7, 200])
    teacher, images = random.normal(0, 3, (4, 2)).astype(np.float32), SIDES.train.inputs[rows]
    loss = _teacher_loss(model, replace(SIDES, weights=weights))(images, rows, teacher)
    theirs, mine = (softmax(one.astype(np.float64) / TEMPERATURE, axis=1) for one in (teacher, logits(model, images)))
    each = TEMPERATURE**2 * (theirs * np.log(theirs / mine)).sum(axis=1)
    assert float(loss) == pytest.approx((weights[rows] * each).mean(), rel=1e-4)


def test_rows_count_by_their_weight() -> None:
    """Wrong labels of weight zero do no harm."""
    truth = SIDES.train.labels
    wrong = np.arange(len(truth)) % 2 == 0
    target = replace(SIDES, train=replace(SIDES.train, labels=np.where(wrong, 1 - truth, truth)))
    assert _accuracy(target) < 0.8
    assert _accuracy(replace(target, weights=np.where(wrong, 0, 2).astype(np.float32))) > 0.95


def _smoothed(share: float) -> tuple[float, float]:
    """Return the loss of four rows with smoothed labels, and what it is by its definition."""
    model, rows = build("mlp", picture(6, 6), 2, 0), np.array([0, 5, 7, 200])
    loss = _label_loss(model, SIDES, msgspec.structs.replace(SPEC, label_smoothing=share))
    targets = (1 - share) * np.eye(2)[SIDES.train.labels[rows]] + share / 2
    logs = np.log(softmax(logits(model, SIDES.train.inputs[rows]).astype(np.float64), axis=1))
    return float(loss(SIDES.train.inputs[rows], rows)), float(-(targets * logs).sum(axis=1).mean())


@pytest.mark.parametrize("share", [0.0, 0.1, 0.5])
def test_smoothed_labels_give_a_share_to_all(share: float) -> None:
    """The loss is the cross-entropy with the smoothed targets."""
    found, expected = _smoothed(share)
    assert found == pytest.approx(expected, rel=1e-4)


def test_balanced_labels_count_alike() -> None:
    """Of an untrained network the loss is the mean of the mean losses of the labels, beside the weights of rows."""
    rare = SIDES.train.labels == 0
    rows = np.concatenate([np.flatnonzero(~rare), np.flatnonzero(rare)[:20]])
    target = replace(SIDES, train=Split(SIDES.train.inputs[rows], SIDES.train.labels[rows]))
    model = build("mlp", picture(6, 6), 2, 0)
    every = np.arange(len(rows))
    logs = np.log(softmax(logits(model, target.train.inputs).astype(np.float64), axis=1))
    each = -logs[every, target.train.labels]
    loss = _label_loss(model, target, msgspec.structs.replace(SPEC, balanced=True))
    expected = np.mean([each[target.train.labels == label].mean() for label in (0, 1)])
    assert float(loss(target.train.inputs, every)) == pytest.approx(expected, rel=1e-4)


def test_statistics_are_those_of_all_labels() -> None:
    """An expert, which learns some labels, has statistics of the rows that its generalist has."""
    outputs = np.array([-1, 0])
    part = SIDES.subset(outputs, 1)
    assert part.fitted_on is SIDES.train
    assert part.subset(np.array([0]), 1).fitted_on is SIDES.train
