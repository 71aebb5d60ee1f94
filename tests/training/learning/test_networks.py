"""training.learning.networks."""

from dataclasses import replace

import msgspec
import numpy as np
import pytest
from scipy.special import softmax

from tests.training.pictures import picture
from tests.training.quick import TASK
from training.data.preparation import PreparedData, prepare
from training.data.split import Split
from training.learning.loop import Diverged, ValidationMetrics
from training.learning.networks import TrainingTarget, _loss, logits, teacher_logits, train
from training.modalities.picture.architectures import build
from training.task import NetworkSpec, Task, decode


@pytest.fixture(scope="module")
def task() -> Task:
    return decode(TASK.encode())


@pytest.fixture(scope="module")
def data(task: Task) -> PreparedData:
    return prepare(task)


@pytest.fixture(scope="module")
def target(data: PreparedData) -> TrainingTarget:
    return TrainingTarget.all_labels(data)


def test_the_same_seed_gives_the_same_network(task: Task, data: PreparedData, target: TrainingTarget) -> None:
    """Initial weights, the order of rows and augmentation depend on the seed alone."""
    progress: list[tuple[int, int]] = []
    spec = msgspec.structs.replace(task.levels[1], erase=3)
    one, history = train(spec, target, 3, lambda *epoch: progress.append(epoch))
    two, again = train(spec, target, 3, lambda *_: None)
    np.testing.assert_array_equal(logits(one, data.test.inputs), logits(two, data.test.inputs))
    assert history == again
    assert progress == [(1, 2), (2, 2), (2, 2)]


def test_metrics_of_every_epoch_are_kept(task: Task, target: TrainingTarget) -> None:
    """The loss and the learning rate of each epoch are returned, and both fall."""
    spec = msgspec.structs.replace(task.end_to_end, epochs=4)
    _, history = train(spec, target, 0, lambda *_: None)
    assert len(history) == 4
    assert history[-1].loss < history[0].loss
    rates = [epoch.learning_rate for epoch in history]
    assert rates == sorted(rates, reverse=True)
    assert rates[-1] < 1e-4


def test_training_stops_early_and_keeps_the_best(task: Task, target: TrainingTarget) -> None:
    """Training stops without a better epoch within the patience, and keeps the best weights."""
    spec = msgspec.structs.replace(task.end_to_end, epochs=200, patience=1, learning_rate=0.05)
    model, history = train(spec, target, 0, lambda *_: None)
    assert len(history) < 200
    kept = ValidationMetrics.of(logits(model, target.validation.inputs), target.validation.labels)
    assert kept.loss == pytest.approx(history[-2].val_loss, rel=1e-3)
    assert kept.accuracy == history[-2].val_accuracy


def test_a_training_that_runs_off_is_an_error(task: Task, target: TrainingTarget) -> None:
    """A loss that is no longer finite raises Diverged, with the name of the network and advice."""
    spoiled = Split(np.full_like(target.train.inputs, np.inf), target.train.labels)
    with pytest.raises(Diverged, match=r"training last diverged: .* a smaller learning_rate than .* may help"):
        train(task.end_to_end, replace(target, train=spoiled), 0, lambda *_: None)


def test_a_training_begins_with_the_weights_it_is_given(task: Task, target: TrainingTarget) -> None:
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
        np.testing.assert_array_equal(split.inputs, whole.inputs[kept])
        np.testing.assert_array_equal(split.labels, whole.labels[kept] != 3)


def _sides(rows: int, *, seed: int) -> Split:
    """Make pictures that are bright on the left, label 0, or on the right."""
    random = np.random.default_rng(seed)
    images = random.uniform(0, 100, (rows, 6, 6)).astype(np.float32)
    labels = random.integers(0, 2, rows)
    for side in (0, 1):
        images[labels == side, :, 3 * side : 3 * side + 3] += 40
    return Split(images, labels)


SPEC = NetworkSpec(name="n", architecture="mlp", epochs=8, learning_rate=0.005)
SIDES = TrainingTarget(_sides(300, seed=1), _sides(300, seed=2), 2, picture(6, 6))


def _accuracy(target: TrainingTarget) -> float:
    """Train on a target, and measure the accuracy on other rows."""
    model, _ = train(SPEC, target, 0, lambda *_: None)
    test = _sides(500, seed=3)
    return float((logits(model, test.inputs).argmax(axis=1) == test.labels).mean())


def test_a_teacher_helps() -> None:
    """A network learns the truth from its teacher although half of its labels are wrong."""
    truth = SIDES.train.labels
    noisy = np.random.default_rng(0).integers(0, 2, len(truth))
    teacher = 10 * np.eye(2, dtype=np.float32)[np.concatenate([truth, truth])]
    target = replace(SIDES, train=Split(SIDES.train.inputs, noisy))
    assert _accuracy(target) < 0.8
    assert _accuracy(replace(target, teacher=teacher)) > 0.95
    assert _accuracy(replace(target, teacher=teacher).labels_only()) == _accuracy(target)


def test_a_mirrored_row_learns_from_the_teachers_logits_of_its_mirror_image() -> None:
    """The loss is 0.3 of that on labels, and 0.7 times 9 of that on the softened probabilities of the variant."""
    count, random = len(SIDES.train.labels), np.random.default_rng(0)
    teacher = random.normal(0, 3, (2 * count, 2)).astype(np.float32)
    weights = random.uniform(0, 2, count).astype(np.float32)
    model = build("mlp", picture(6, 6), 2, 0)
    variants = np.array([0, count, 7, count + 7, 2 * count - 1])
    images = np.concatenate([SIDES.train.inputs, SIDES.train.inputs[:, :, ::-1]])[variants]
    loss = _loss(model, replace(SIDES, teacher=teacher, weights=weights))(images, variants)
    outputs = logits(model, images).astype(np.float64)
    expected = []
    for one, variant in zip(outputs, variants, strict=True):
        row = variant % count
        on_labels = -np.log(softmax(one)[SIDES.train.labels[row]])
        by_teacher = -(softmax(teacher[variant] / 3) * np.log(softmax(one / 3))).sum()
        expected.append(weights[row] * (0.3 * on_labels + 0.7 * 9 * by_teacher))
    assert float(loss) == pytest.approx(np.mean(expected), rel=1e-4)


def test_a_teacher_runs_on_rows_and_their_mirror_images() -> None:
    """The logits of all rows as they are come first, then those of all mirror images."""
    model = build("mlp", picture(6, 6), 2, 0)
    images = SIDES.train.inputs[:20]
    rows = Split(images, SIDES.train.labels[:20])
    outputs = teacher_logits(model, replace(SIDES, train=rows))
    np.testing.assert_allclose(outputs[:20], logits(model, images), atol=1e-5)
    np.testing.assert_allclose(outputs[20:], logits(model, images[:, :, ::-1]), atol=1e-5)


def test_rows_count_by_their_weight() -> None:
    """Wrong labels of weight zero do no harm."""
    truth = SIDES.train.labels
    wrong = np.arange(len(truth)) % 2 == 0
    target = replace(SIDES, train=Split(SIDES.train.inputs, np.where(wrong, 1 - truth, truth)))
    assert _accuracy(target) < 0.8
    assert _accuracy(replace(target, weights=np.where(wrong, 0, 2).astype(np.float32))) > 0.95
