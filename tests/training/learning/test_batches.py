"""training.learning.batches."""

import msgspec
import numpy as np
import pytest

from tests.training.quick import TASK
from training.data.preparation import PreparedData, prepare
from training.learning.batches import Batches, DistillationBatches
from training.learning.views import Teacher, TeacherViews
from training.modalities import modality_of
from training.task import SettledNetwork, decode

SPEC = SettledNetwork(name="n", architecture="mlp", epochs=8)


@pytest.fixture(scope="module")
def data() -> PreparedData:
    return prepare(decode(TASK.encode()))


def test_batches_show_every_row_once_an_epoch(data: PreparedData) -> None:
    """The order changes every epoch, and is the same for the same seed."""
    spec = msgspec.structs.replace(SPEC, batch_size=100)
    one, two = (
        Batches(data.train, modality_of(data.inputs), spec, 0),
        Batches(data.train, modality_of(data.inputs), spec, 0),
    )
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


def test_batches_are_augmented(data: PreparedData) -> None:
    """About half of the rows are mirrored if the description asks for it, and each has the number of its row."""
    batches = list(Batches(data.train, modality_of(data.inputs), msgspec.structs.replace(SPEC, flip=True), 0).epoch())
    images, rows = (np.concatenate(parts) for parts in zip(*batches, strict=True))
    mirrored = (images != data.train.inputs[rows]).any(axis=(1, 2))
    assert 0.4 < mirrored.mean() < 0.6
    np.testing.assert_array_equal(images[mirrored], data.train.inputs[rows[mirrored]][:, :, ::-1])


def _views(data: PreparedData) -> TeacherViews:
    """Make views whose teacher says the first two values of each row."""
    return TeacherViews(data.train.inputs, Teacher(lambda rows: rows[:, 0, :2], lambda rows, _: rows, "teacher"), 0)


def test_each_epoch_of_a_distillation_is_the_next_view(data: PreparedData) -> None:
    """Every row comes once, with its number and with what the teacher says of it; the seed gives the order."""
    batches, again = (DistillationBatches(_views(data), SPEC, 0) for _ in range(2))
    orders = []
    for number in range(2):
        epoch = list(batches.epoch())
        assert len(epoch) == len(batches)
        inputs, rows, logits = (np.concatenate(parts) for parts in zip(*epoch, strict=True))
        expected = _views(data).view(number)
        np.testing.assert_array_equal(inputs, expected[0][rows])
        np.testing.assert_array_equal(logits, expected[1][rows])
        assert sorted(rows.tolist()) == list(range(len(data.train.labels)))
        np.testing.assert_array_equal(rows, np.concatenate([batch[1] for batch in again.epoch()]))
        orders.append(rows.tolist())
    assert orders[0] != orders[1]
