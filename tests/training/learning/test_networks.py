"""Networks of TensorFlow: architectures, training, conversion."""

from dataclasses import replace
from pathlib import Path

import keras
import msgspec
import numpy as np
import pytest
from scipy.special import softmax

from tests.training.quick import TASK
from training.data.preparation import Prepared, prepare
from training.data.split import Split
from training.export.convert import QUANTIZATIONS, convert
from training.learning.loop import Diverged, Judged
from training.learning.networks import TrainingTarget, _loss, logits, teaching, train
from training.modalities.picture.architectures import BODIES, build
from training.modalities.picture.augmentation import Batches, erased, flipped, shifted
from training.task import NetworkSpec, Task, decode
from weir.catalog.manifest import Quantization
from weir.errors import BadInput, ModelUnavailable
from weir.runtime.interpreter import Network

RANDOM = np.random.default_rng(0)


@pytest.fixture(scope="module")
def task() -> Task:
    return decode(TASK.encode())


@pytest.fixture(scope="module")
def data(task: Task) -> Prepared:
    return prepare(task)


@pytest.fixture(scope="module")
def lesson(data: Prepared) -> TrainingTarget:
    return TrainingTarget.whole(data)


@pytest.mark.parametrize("name", BODIES)
def test_every_architecture_survives_every_quantization(name: str, runtime: str) -> None:
    """Raw rows in, logits out; each form says nearly what Keras says."""
    model = build(name, (28, 28), 10, (0.0, 255.0), 0)
    images = RANDOM.uniform(0, 255, (40, 28, 28)).astype(np.float32)
    expected = logits(model, images)
    assert expected.shape == (40, 10)
    for form in QUANTIZATIONS:
        found = Network(convert(model, form, images), runtime).logits(images)
        tolerance = {"float32": 1e-4, "float16": 1e-2}.get(form, 0.2) * float(np.abs(expected).max())
        np.testing.assert_allclose(found, expected, atol=tolerance)


def test_the_classic_networks_have_the_classic_sizes() -> None:
    """784 -> 128 -> 10, and 784 -> 128 -> 128 -> 10."""
    assert build("mlp", (28, 28), 10, (0.0, 255.0), 0).count_params() == 784 * 128 + 128 + 128 * 10 + 10
    assert build("mlp2", (28, 28), 10, (0.0, 255.0), 0).count_params() == 101_770 + 128 * 128 + 128


def test_raw_values_are_scaled_inside() -> None:
    """Rows of one range and rows of another, scaled to the same, get the same logits."""
    images = RANDOM.uniform(0, 255, (5, 8, 8)).astype(np.float32)
    of_bytes, of_sixteenths = (build("mlp", (8, 8), 3, (0.0, high), 1) for high in (255.0, 16.0))
    np.testing.assert_allclose(logits(of_bytes, images), logits(of_sixteenths, images * 16 / 255), atol=1e-4)


def test_an_unknown_architecture_is_refused() -> None:
    """The error lists those there are."""
    with pytest.raises(BadInput, match=r"mlp, mlp2, conv-tiny.*conv-xlarge"):
        build("resnet", (28, 28), 10, (0.0, 1.0), 0)


def test_the_same_seed_gives_the_same_network(task: Task, data: Prepared, lesson: TrainingTarget) -> None:
    """Initial weights, order of rows, augmentation: all seeded."""
    told: list[tuple[int, int]] = []
    spec = msgspec.structs.replace(task.levels[1], erase=3)
    one, history = train(spec, lesson, 3, lambda *epoch: told.append(epoch))
    two, again = train(spec, lesson, 3, lambda *_: None)
    np.testing.assert_array_equal(logits(one, data.test.inputs), logits(two, data.test.inputs))
    assert history == again
    assert told == [(1, 2), (2, 2), (2, 2)]


def test_metrics_of_every_epoch_are_kept(task: Task, lesson: TrainingTarget) -> None:
    """The loss falls, and the learning rate with it."""
    spec = msgspec.structs.replace(task.end_to_end, epochs=4)
    _, history = train(spec, lesson, 0, lambda *_: None)
    assert len(history) == 4
    assert history[-1].loss < history[0].loss
    rates = [epoch.learning_rate for epoch in history]
    assert rates == sorted(rates, reverse=True)
    assert rates[-1] < 1e-4


def test_training_stops_early_and_keeps_the_best(task: Task, lesson: TrainingTarget) -> None:
    """When validation gets no better within the patience."""
    spec = msgspec.structs.replace(task.end_to_end, epochs=200, patience=1, learning_rate=0.05)
    model, history = train(spec, lesson, 0, lambda *_: None)
    assert len(history) < 200
    kept = Judged.of(logits(model, lesson.validation.inputs), lesson.validation.labels)
    assert kept.loss == pytest.approx(history[-2].val_loss, rel=1e-3)
    assert kept.accuracy == history[-2].val_accuracy


def test_a_training_that_runs_off_is_an_error(task: Task, lesson: TrainingTarget) -> None:
    """It names the network and what may help."""
    spoiled = Split(np.full_like(lesson.train.inputs, np.inf), lesson.train.labels)
    with pytest.raises(Diverged, match=r"training last diverged: .* a smaller learning_rate than .* may help"):
        train(task.end_to_end, replace(lesson, train=spoiled), 0, lambda *_: None)


def test_a_training_begins_with_the_weights_it_is_given(task: Task, lesson: TrainingTarget) -> None:
    """And without a step worth the name ends with them, whatever the seed."""
    spec = msgspec.structs.replace(task.levels[0], epochs=1, learning_rate=1e-12)
    start = lesson.blank(spec, 8)
    model, _ = train(spec, lesson, 0, lambda *_: None, start)
    said = logits(model, lesson.validation.inputs)
    np.testing.assert_allclose(said, logits(start, lesson.validation.inputs), atol=1e-4)


def test_a_lesson_on_some_labels_leaves_the_other_rows_out(lesson: TrainingTarget) -> None:
    """The labels that stay get the outputs they are given."""
    outputs = np.full(10, -1, np.intp)
    outputs[[3, 7, 8]] = [0, 1, 1]
    part = lesson.part(outputs, 2)
    assert part.outputs == 2
    for split, whole in ((part.train, lesson.train), (part.validation, lesson.validation)):
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
SIDES = TrainingTarget(_sides(300, seed=1), _sides(300, seed=2), 2, (6, 6), (0.0, 255.0))


def _accuracy(lesson: TrainingTarget, spec: NetworkSpec = SPEC) -> float:
    """Train on a lesson, and tell how many of other rows come out right."""
    model, _ = train(spec, lesson, 0, lambda *_: None)
    test = _sides(500, seed=3)
    return float((logits(model, test.inputs).argmax(axis=1) == test.labels).mean())


def test_a_teacher_helps() -> None:
    """Of one that knows the truth a network learns it, though its labels are as often wrong as right."""
    truth = SIDES.train.labels
    noisy = np.random.default_rng(0).integers(0, 2, len(truth))
    teacher = 10 * np.eye(2, dtype=np.float32)[np.concatenate([truth, truth])]
    lesson = replace(SIDES, train=Split(SIDES.train.inputs, noisy))
    assert _accuracy(lesson) < 0.8
    assert _accuracy(replace(lesson, teacher=teacher)) > 0.95
    assert _accuracy(replace(lesson, teacher=teacher).plain()) == _accuracy(lesson)


def test_a_mirrored_row_goes_with_what_the_teacher_says_of_its_mirror_image() -> None:
    """The loss is 0.3 of that on labels, and 0.7 of that on the teacher's word at a temperature of 3, times 9."""
    count, random = len(SIDES.train.labels), np.random.default_rng(0)
    teacher = random.normal(0, 3, (2 * count, 2)).astype(np.float32)
    weights = random.uniform(0, 2, count).astype(np.float32)
    model = build("mlp", (6, 6), 2, (0.0, 255.0), 0)
    variants = np.array([0, count, 7, count + 7, 2 * count - 1])
    images = np.concatenate([SIDES.train.inputs, SIDES.train.inputs[:, :, ::-1]])[variants]
    found = _loss(model, replace(SIDES, teacher=teacher, weights=weights))(images, variants)
    said = logits(model, images).astype(np.float64)
    expected = []
    for one, variant in zip(said, variants, strict=True):
        row = variant % count
        on_labels = -np.log(softmax(one)[SIDES.train.labels[row]])
        by_teacher = -(softmax(teacher[variant] / 3) * np.log(softmax(one / 3))).sum()
        expected.append(weights[row] * (0.3 * on_labels + 0.7 * 9 * by_teacher))
    assert float(found) == pytest.approx(np.mean(expected), rel=1e-4)


def test_a_teacher_is_asked_about_rows_and_their_mirror_images() -> None:
    """First all rows as they are, then all of them mirrored."""
    model = build("mlp", (6, 6), 2, (0.0, 255.0), 0)
    images = SIDES.train.inputs[:20]
    said = teaching(model, images)
    np.testing.assert_allclose(said[:20], logits(model, images), atol=1e-5)
    np.testing.assert_allclose(said[20:], logits(model, images[:, :, ::-1]), atol=1e-5)


def test_rows_count_by_their_weight() -> None:
    """Wrong labels teach nothing where they weigh nothing."""
    truth = SIDES.train.labels
    wrong = np.arange(len(truth)) % 2 == 0
    lesson = replace(SIDES, train=Split(SIDES.train.inputs, np.where(wrong, 1 - truth, truth)))
    assert _accuracy(lesson) < 0.8
    assert _accuracy(replace(lesson, weights=np.where(wrong, 0, 2).astype(np.float32))) > 0.95


@pytest.mark.parametrize("form", QUANTIZATIONS)
@pytest.mark.parametrize("name", ["mlp2", "conv-tiny"])
def test_the_same_network_converts_to_the_same_bytes(name: str, form: Quantization, tmp_path: Path) -> None:
    """Twice, after it was stored, and built again after others: an artifact's digest tells what it does."""
    model = build(name, (8, 8), 10, (0.0, 16.0), 0)
    model.save(tmp_path / "model.keras")
    images = RANDOM.uniform(0, 16, (10, 8, 8)).astype(np.float32)
    expected = convert(model, form, images)
    assert convert(model, form, images) == expected
    assert convert(keras.models.load_model(tmp_path / "model.keras"), form, images) == expected
    build("conv-small", (8, 8), 10, (0.0, 16.0), 1)
    assert convert(build(name, (8, 8), 10, (0.0, 16.0), 0), form, images) == expected


def test_what_the_converter_refuses_is_unavailable() -> None:
    """TensorFlow's own error does not escape."""
    inputs = keras.Input((4, 4))
    model = keras.Model(inputs, keras.layers.Lambda(keras.ops.erfinv)(inputs))
    with pytest.raises(ModelUnavailable, match="TensorFlow did not convert"):
        convert(model, "float32", np.zeros((1, 4, 4), np.float32))


def test_batches_show_every_row_once_an_epoch(data: Prepared) -> None:
    """In another order the next time, and the same again with the same seed."""
    spec = msgspec.structs.replace(SPEC, batch_size=100)
    one, two = Batches(data.train, spec, 0), Batches(data.train, spec, 0)
    epochs = []
    for _ in range(2):
        batches, again = list(one.epoch()), list(two.epoch())
        assert len(batches) == len(one)
        rows = np.concatenate([rows for _, rows in batches])
        np.testing.assert_array_equal(rows, np.concatenate([rows for _, rows in again]))
        np.testing.assert_array_equal(np.concatenate([images for images, _ in batches]), data.train.inputs[rows])
        assert sorted(rows.tolist()) == list(range(len(data.train.labels)))
        epochs.append(rows.tolist())
    assert epochs[0] != epochs[1]


def test_mirrored_rows_are_named_as_such(data: Prepared) -> None:
    """A variant is the number of the row, or of a mirrored row the number plus that of all rows."""
    count = len(data.train.labels)
    batches = list(Batches(data.train, msgspec.structs.replace(SPEC, flip=True), 0).epoch())
    images, variants = (np.concatenate(parts) for parts in zip(*batches, strict=True))
    expected = np.concatenate([data.train.inputs, data.train.inputs[:, :, ::-1]])
    np.testing.assert_array_equal(images, expected[variants])
    assert sorted((variants % count).tolist()) == list(range(count))
    assert 0.4 < (variants >= count).mean() < 0.6


def test_flipped_pictures_are_mirrored_or_not() -> None:
    """Those that are chosen."""
    images = RANDOM.uniform(size=(200, 3, 4)).astype(np.float32)
    mirrored = RANDOM.uniform(size=200) < 0.5
    out = flipped(images, mirrored)
    np.testing.assert_array_equal(out[mirrored], images[mirrored][:, :, ::-1])
    np.testing.assert_array_equal(out[~mirrored], images[~mirrored])


def test_shifted_pictures_are_moved_by_at_most_that_much() -> None:
    """Each is one of the 25 moves by two pixels; what comes in is the edge."""
    image = RANDOM.uniform(size=(1, 6, 5)).astype(np.float32)
    padded = np.pad(image[0], 2, mode="edge")
    moves = {padded[y : y + 6, x : x + 5].tobytes() for y in range(5) for x in range(5)}
    out = shifted(np.repeat(image, 300, axis=0), 2, np.random.default_rng(0))
    assert {np.ascontiguousarray(picture).tobytes() for picture in out} == moves


@pytest.mark.parametrize("side", [1, 2, 3, 20])
def test_erased_pictures_lose_a_square(side: int) -> None:
    """About half of them; around any pixel, and at an edge only what of it is inside."""
    image = RANDOM.uniform(1, 2, (6, 5)).astype(np.float32)
    squares = set()
    for y in range(6):
        for x in range(5):
            expected, top, left = image.copy(), y - side // 2, x - side // 2
            expected[max(top, 0) : top + side, max(left, 0) : left + side] = 0
            squares.add(expected.tobytes())
    out = erased(np.repeat(image[None], 2000, axis=0), side, np.random.default_rng(0))
    whole = (out == image).all(axis=(1, 2))
    assert 0.45 < whole.mean() < 0.55
    assert {picture.tobytes() for picture in out[~whole]} == squares
