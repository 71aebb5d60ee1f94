"""training.learning.windows, and what networks learn from rows that are kept in a file."""

from collections.abc import Iterator

import msgspec
import numpy as np
import pytest
from numpy.typing import NDArray

from training.data.rows import Rows
from training.data.splits.split import TrainingSplit
from training.data.spool import spooled
from training.learning import windows as windows_module
from training.learning.batches import Batches, DistillationBatches
from training.learning.networks import logits
from training.learning.views import Teacher, TeacherViews
from training.learning.windows import divided, windows
from training.modalities import modality_of
from training.modalities.picture.architectures import build
from training.task import SettledNetwork
from weir.catalog.columns import Number
from weir.catalog.inputs import Picture, Table

COUNT = 1000
PIXELS = np.random.default_rng(0).integers(0, 256, (COUNT, 8, 8)).astype(np.float32)
SEVERAL = np.zeros(COUNT, [("table", "<f4", (4,)), ("text", "<i4", (8,))])
SEVERAL["table"] = np.random.default_rng(1).normal(0, 1, (COUNT, 4))
SEVERAL["text"] = np.arange(COUNT)[:, None]
PICTURE = Picture(name="image", shape=(-1, 8, 8), meaning="any")
TABLE = Table(name="table", columns=tuple(Number(name=f"n{place}") for place in range(64)))
SPEC = SettledNetwork(name="n", architecture="any", epochs=2, batch_size=24)


@pytest.fixture(autouse=True)
def _small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make windows of a quarter of the pictures, about."""
    monkeypatch.setattr(windows_module, "_BYTES", PIXELS.nbytes // 4)


def _read(rows: Rows, seed: int) -> Iterator[tuple[NDArray[np.intp], NDArray[np.generic]]]:
    return windows(rows, 24, np.random.default_rng(seed))


@pytest.mark.parametrize("rows", [PIXELS, SEVERAL], ids=["one input", "several inputs"])
def test_every_row_is_in_one_window(rows: NDArray[np.generic], monkeypatch: pytest.MonkeyPatch) -> None:
    """With its number; all windows but the last are whole batches, and the seed gives their order."""
    monkeypatch.setattr(windows_module, "_BYTES", rows.nbytes // 4)
    found, again, other = (list(_read(spooled([rows]), seed)) for seed in (0, 0, 1))
    for numbers, read in found:
        np.testing.assert_array_equal(read, rows[numbers])
    order, *others = ([*np.concatenate([numbers for numbers, _ in one])] for one in (found, again, other))
    assert sorted(order) == list(range(COUNT))
    assert others[0] == order != others[1]
    assert len(found) > 1
    assert all(len(numbers) % 24 == 0 for numbers, _ in found[:-1])


def test_rows_in_memory_are_one_window() -> None:
    """And no random number is drawn for them, so that trainings are as they were."""
    ((numbers, rows),) = windows(PIXELS, 24, None)  # type: ignore[arg-type] # no generator is needed
    assert rows is PIXELS
    np.testing.assert_array_equal(numbers, np.arange(COUNT))


def test_windows_are_drawn_from_the_whole_file() -> None:
    """In blocks of neighbours: of a file that is sorted by label, each window has about a quarter of each half."""
    parts = divided(100_000, 25_000, np.random.default_rng(0))
    for numbers in parts:
        assert 0.4 < (numbers < 50_000).mean() < 0.6
        assert (np.diff(numbers) == 1).mean() > 0.9


@pytest.mark.parametrize("described", [PICTURE, TABLE], ids=["changed at random", "not changed"])
def test_batches_of_a_file_show_every_row_once_an_epoch(described: Picture | Table) -> None:
    """As those of rows in memory do, in as many batches."""
    rows = PIXELS.reshape(COUNT, *described.row_shape)
    split = TrainingSplit(spooled([rows]), np.arange(COUNT))
    batches = Batches(split, modality_of((described,)), SPEC, 0)
    orders = []
    for _ in range(2):
        epoch = list(batches.epoch())
        assert len(epoch) == len(batches) == len(Batches(split, modality_of((described,)), SPEC, 0))
        read, numbers = (np.concatenate(parts) for parts in zip(*epoch, strict=True))
        np.testing.assert_array_equal(read, rows[numbers])
        assert sorted(numbers) == list(range(COUNT))
        orders.append(numbers.tolist())
    assert orders[0] != orders[1]


def test_a_teacher_speaks_of_rows_of_a_file() -> None:
    """Window by window: each row once a view, changed and mixed, with what the teacher says of just that."""
    views = TeacherViews(spooled([PIXELS]), Teacher(lambda rows: rows[:, 0, :2], lambda rows, _: -rows, "teacher"), 0)
    batches = DistillationBatches(views, SPEC, 0)
    epoch = list(batches.epoch())
    assert len(epoch) == len(batches)
    inputs, numbers, said = (np.concatenate(parts) for parts in zip(*epoch, strict=True))
    np.testing.assert_array_equal(said, inputs[:, 0, :2])
    assert sorted(numbers) == list(range(COUNT))
    changed = (inputs == -PIXELS[numbers]).all(axis=(1, 2))
    assert 0.4 < changed.mean() < 0.6  # the others are mixed
    again = np.concatenate([batch[0] for batch in DistillationBatches(views, SPEC, 0).epoch()])
    np.testing.assert_array_equal(inputs, again)


def test_a_network_answers_rows_of_a_file(monkeypatch: pytest.MonkeyPatch) -> None:
    """As those in memory, to rounding."""
    monkeypatch.setattr("training.data.rows._CHUNK", 100 * 8 * 8 * 4)
    model = build("mlp", PICTURE, 3, 0)
    np.testing.assert_allclose(logits(model, spooled([PIXELS])), logits(model, PIXELS), rtol=1e-5, atol=1e-5)


def test_statistics_are_fitted_on_some_of_many_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    """Evenly spaced ones, as many as there is place for in memory; of rows in memory all."""
    monkeypatch.setattr("training.data.splits.split._HELD_ROWS", 100)
    some = TrainingSplit(spooled([PIXELS]), np.arange(COUNT)).excerpt()
    assert len(some.labels) == 100
    assert (some.labels[0], some.labels[-1]) == (0, COUNT - 1)
    np.testing.assert_array_equal(some.inputs, PIXELS[some.labels])
    assert TrainingSplit(PIXELS, np.arange(COUNT)).excerpt().inputs is PIXELS


def test_windows_fit_the_batches() -> None:
    """A batch that is larger than a window makes the window larger."""
    spec = msgspec.structs.replace(SPEC, batch_size=700)
    batches = Batches(TrainingSplit(spooled([PIXELS]), np.arange(COUNT)), modality_of((PICTURE,)), spec, 0)
    assert [len(numbers) for _, numbers in batches.epoch()] == [700, 300]
