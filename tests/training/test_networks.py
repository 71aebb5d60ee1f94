"""Networks of TensorFlow: architectures, training, conversion."""

import keras
import msgspec
import numpy as np
import pytest

from tests.training.quick import TASK
from training.architectures import BODIES, build
from training.augmentation import Batches, flipped, shifted
from training.data.preparation import Prepared, prepare
from training.data.split import Split
from training.export import QUANTIZATIONS, convert
from training.networks import Diverged, logits, train
from training.task import Task, decode
from weir.errors import BadInput, ModelUnavailable
from weir.interpreter import Network

RANDOM = np.random.default_rng(0)


@pytest.fixture(scope="module")
def task() -> Task:
    return decode(TASK.encode())


@pytest.fixture(scope="module")
def data(task: Task) -> Prepared:
    return prepare(task)


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
    with pytest.raises(BadInput, match="mlp, mlp2, conv-tiny"):
        build("resnet", (28, 28), 10, (0.0, 1.0), 0)


def test_the_same_seed_gives_the_same_network(task: Task, data: Prepared) -> None:
    """Initial weights, order of rows, augmentation: all seeded."""
    told: list[tuple[int, int]] = []
    spec = task.levels[1]
    one = train(spec, data, 3, lambda *epoch: told.append(epoch))
    two = train(spec, data, 3, lambda *_: None)
    np.testing.assert_array_equal(logits(one.model, data.test.images), logits(two.model, data.test.images))
    assert one.history == two.history
    assert told == [(1, 2), (2, 2), (2, 2)]


def test_metrics_of_every_epoch_are_kept(task: Task, data: Prepared) -> None:
    """The loss falls, and the learning rate with it."""
    spec = msgspec.structs.replace(task.end_to_end, epochs=4)
    history = train(spec, data, 0, lambda *_: None).history
    assert len(history) == 4
    assert history[-1].loss < history[0].loss
    rates = [epoch.learning_rate for epoch in history]
    assert rates == sorted(rates, reverse=True)
    assert rates[-1] < 1e-4


def test_training_stops_early_and_keeps_the_best(task: Task, data: Prepared) -> None:
    """When validation gets no better within the patience."""
    spec = msgspec.structs.replace(task.end_to_end, epochs=200, patience=1, learning_rate=0.05)
    trained = train(spec, data, 0, lambda *_: None)
    assert len(trained.history) < 200
    scores = logits(trained.model, data.validation.images)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)(data.validation.labels, scores)
    assert float(loss) == pytest.approx(min(epoch.val_loss for epoch in trained.history), rel=1e-3)


def test_a_training_that_runs_off_is_an_error(task: Task, data: Prepared) -> None:
    """It names the network and what may help."""
    broken = Split(np.full_like(data.train.images, np.inf), data.train.labels)
    spoiled = Prepared(**{**{name: getattr(data, name) for name in data.__dataclass_fields__}, "train": broken})
    with pytest.raises(Diverged, match="last trains with a finite loss"):
        train(task.end_to_end, spoiled, 0, lambda *_: None)


def test_what_the_converter_refuses_is_unavailable() -> None:
    """TensorFlow's own error does not escape."""
    inputs = keras.Input((4, 4))
    model = keras.Model(inputs, keras.layers.Lambda(keras.ops.erfinv)(inputs))
    with pytest.raises(ModelUnavailable, match="TensorFlow converts"):
        convert(model, "float32", np.zeros((1, 4, 4), np.float32))


def test_batches_show_every_row_once_an_epoch(task: Task, data: Prepared) -> None:
    """In another order the next time, and the same again with the same seed."""
    spec = msgspec.structs.replace(task.end_to_end, batch_size=100)
    one, two = Batches(data.train, spec, 0), Batches(data.train, spec, 0)
    epochs = []
    for _ in range(2):
        labels = np.concatenate([one[i][1] for i in range(len(one))])
        np.testing.assert_array_equal(labels, np.concatenate([two[i][1] for i in range(len(two))]))
        np.testing.assert_array_equal(np.sort(labels), np.sort(data.train.labels))
        epochs.append(labels.tolist())
        one.on_epoch_end()
        two.on_epoch_end()
    assert epochs[0] != epochs[1]


def test_flipped_pictures_are_mirrored_or_not() -> None:
    """About half of them."""
    images = RANDOM.uniform(size=(200, 3, 4)).astype(np.float32)
    out = flipped(images, np.random.default_rng(0))
    mirrored = (out == images[:, :, ::-1]).all(axis=(1, 2))
    assert (mirrored | (out == images).all(axis=(1, 2))).all()
    assert 50 < mirrored.sum() < 150


def test_shifted_pictures_are_moved_by_at_most_that_much() -> None:
    """Each is one of the 25 moves by two pixels; what comes in is the edge."""
    image = RANDOM.uniform(size=(1, 6, 5)).astype(np.float32)
    padded = np.pad(image[0], 2, mode="edge")
    moves = {padded[y : y + 6, x : x + 5].tobytes() for y in range(5) for x in range(5)}
    out = shifted(np.repeat(image, 300, axis=0), 2, np.random.default_rng(0))
    assert {np.ascontiguousarray(picture).tobytes() for picture in out} == moves
