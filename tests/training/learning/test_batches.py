"""training.learning.batches."""

import msgspec
import numpy as np
import pytest

from tests.training.quick import TASK
from training.data.preparation import PreparedData, prepare
from training.learning.batches import Batches
from training.modalities import modality_of
from training.task import NetworkSpec, decode

SPEC = NetworkSpec(name="n", architecture="mlp", epochs=8)


@pytest.fixture(scope="module")
def data() -> PreparedData:
    return prepare(decode(TASK.encode()))


def test_batches_show_every_row_once_an_epoch(data: PreparedData) -> None:
    """The order changes every epoch, and is the same for the same seed."""
    spec = msgspec.structs.replace(SPEC, batch_size=100)
    one, two = (
        Batches(data.train, modality_of(data.input), spec, 0),
        Batches(data.train, modality_of(data.input), spec, 0),
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


def test_mirrored_rows_are_named_as_such(data: PreparedData) -> None:
    """The number of a variant is that of its row, plus the number of all rows if it is mirrored."""
    count = len(data.train.labels)
    batches = list(Batches(data.train, modality_of(data.input), msgspec.structs.replace(SPEC, flip=True), 0).epoch())
    images, variants = (np.concatenate(parts) for parts in zip(*batches, strict=True))
    expected = np.concatenate([data.train.inputs, data.train.inputs[:, :, ::-1]])
    np.testing.assert_array_equal(images, expected[variants])
    assert sorted((variants % count).tolist()) == list(range(count))
    assert 0.4 < (variants >= count).mean() < 0.6
