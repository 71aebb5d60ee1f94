"""training.data: cleaning, the split and the digest."""

from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from tests.training.pictures import picture
from training.data.cleaning import clean
from training.data.dataset import Dataset
from training.data.preparation import prepare
from training.data.splits.sizes import SettledSizes
from training.data.splits.split import split
from training.task import Data, Sizes, Task, load
from weir.catalog.inputs import Picture
from weir.errors import BadInput

RANDOM = np.random.default_rng(0)
IMAGE = picture(4, 5)


def _dataset(rows: int = 60, test_from: int | None = None) -> Dataset:
    images = RANDOM.uniform(0, 255, (rows, 4, 5)).round()
    return Dataset(images, np.arange(rows) % 3, ("a", "b", "c"), (IMAGE,), test_from)


def _with(data: Dataset, rows: dict[int, Any]) -> Dataset:
    images = np.array(data.rows, float)
    for row, value in rows.items():
        images[row] = value
    return Dataset(images, data.labels, data.label_names, data.inputs, data.test_from)


def test_sound_rows_are_kept() -> None:
    """Cleaning keeps sound rows and counts no reason."""
    data, cleaning = clean(_dataset())
    assert len(data.rows) == cleaning.kept == 60
    assert cleaning.summary() == "60 rows kept, dropped: none"


def test_each_reason_is_counted_once() -> None:
    """A row that is bad twice is dropped by the first reason."""
    data = _dataset()
    nan, low, high = (np.array(data.rows[0], float) for _ in range(3))
    nan[0, 0], nan[0, 1], low[1, 1], high[2, 2] = np.nan, -1, -1, 256
    dirty = _with(data, {1: nan, 2: low, 3: high, 4: 7, 6: data.rows[5], 7: np.inf})
    labels = np.array(dirty.labels, float)
    labels[8], labels[9], labels[10] = -1, 3, 0.5
    cleaned, cleaning = clean(Dataset(dirty.rows, labels, dirty.label_names, dirty.inputs))
    dropped = (cleaning.not_finite, cleaning.out_of_range, cleaning.constant_row, cleaning.duplicate)
    assert (*dropped, cleaning.unknown_label) == (2, 2, 1, 1, 3)
    assert cleaning.kept == len(cleaned.rows) == 51
    assert "2 not finite, 2 out of range, 3 unknown label, 1 duplicate, 1 constant" in cleaning.summary()


def test_of_a_pair_across_splits_the_test_row_stays() -> None:
    """Of a training row and an equal test row the training row is dropped."""
    data = _dataset(test_from=50)
    cleaned, cleaning = clean(_with(data, {0: data.rows[55]}))
    assert cleaning.duplicate == 1
    assert (len(cleaned.rows), cleaned.test_from) == (59, 49)


def test_inputs_that_never_change_are_counted_and_kept() -> None:
    """A pixel that never changes is counted, and the picture keeps its shape."""
    data = _dataset()
    images = np.array(data.rows)
    images[:, 0, :] = 0
    cleaned, cleaning = clean(Dataset(images, data.labels, data.label_names, data.inputs))
    assert cleaning.constant_inputs == 5
    assert cleaned.rows.shape == (60, 4, 5)
    assert "5 inputs never change" in cleaning.summary()


@pytest.mark.parametrize(
    ("images", "labels", "rule"),
    [
        (np.zeros((3, 4)), np.zeros(3), "pictures have the shape"),
        (np.zeros((0, 4, 4)), np.zeros(0), "pictures have the shape"),
        (np.zeros((3, 4, 4)), np.zeros(4), "one label a row"),
        (np.zeros((3, 4, 4)), np.zeros((3, 1)), "one label a row"),
        (np.full((3, 4, 4), "a"), np.zeros(3), "are numbers"),
        (np.zeros((3, 4, 4)), np.array(["a", "b", "c"]), "are numbers"),
        (np.full((3, 4, 4), np.nan), np.zeros(3), "cleaning leaves some rows"),
    ],
)
def test_arrays_that_are_no_labelled_pictures_are_refused(
    images: NDArray[np.generic], labels: NDArray[np.generic], rule: str
) -> None:
    """The error states the rule and the shape that came."""
    with pytest.raises(BadInput, match=rule):
        clean(Dataset(images, labels, ("a", "b"), (picture(4, 4),)))


@pytest.mark.parametrize("names", [(), ("a",)])
def test_one_label_is_nothing_to_learn(names: tuple[str, ...]) -> None:
    """A network of one label would be correct on every row."""
    data = _dataset()
    with pytest.raises(BadInput, match=r"there are at least two labels\. Got: (a|none)$"):
        clean(Dataset(data.rows, np.zeros(60), names, data.inputs))


def test_the_error_counts_why_no_row_is_left() -> None:
    """Pictures of 16 bits lie outside the range of 8."""
    data = _dataset()
    with pytest.raises(BadInput, match=r"Got: 60 rows, all dropped: 59 out of range, 1 constant row$"):
        clean(_with(Dataset(np.array(data.rows, float) * 257 + 256, *_rest(data)), {0: 0}))


def _rest(data: Dataset) -> tuple[Any, tuple[str, ...], tuple[Picture, ...]]:
    return data.labels, data.label_names, (IMAGE,)


NARROW = "values fill under 2 % of the range of image, 0 to 255: if requests have other values, the model will answer "


@pytest.mark.parametrize(
    ("scaled", "test_from", "warned"),
    [
        (slice(0, 0), None, []),
        (slice(0, 60), None, [NARROW]),
        (slice(0, 60), 40, [NARROW, f"the test set's {NARROW}"]),
        (slice(40, 60), 40, [f"the test set's {NARROW}"]),
        (slice(0, 40), 40, [NARROW]),
    ],
)
def test_pixels_of_0_to_1_are_warned_of(scaled: slice, test_from: int | None, warned: list[str]) -> None:
    """Of all rows, or of the rows of one array only; every row is kept."""
    images = np.array(_dataset().rows, float)
    images[scaled] /= 255
    _, cleaning = clean(Dataset(images, *_rest(_dataset()), test_from))
    assert cleaning.kept == 60
    assert [warning.removesuffix("them wrongly") for warning in cleaning.warnings] == warned


def test_many_rows_that_are_dropped_are_warned_of() -> None:
    """A tenth of the rows may be unusable without more than their count; of more, something is wrong with the data."""
    assert clean(_with(_dataset(), dict.fromkeys(range(6), -1)))[1].warnings == ()
    assert clean(_with(_dataset(), dict.fromkeys(range(7), -1)))[1].warnings == ("7 of 60 rows were dropped",)
    three = Dataset(_dataset().rows, np.arange(60) % 3, ("a", "b"), (IMAGE,))
    assert clean(three)[1].warnings == ("20 of 60 rows were dropped",)


@given(st.integers(0, 2**32 - 1), st.integers(6, 30), st.integers(6, 30), st.integers(6, 30))
def test_the_split_divides_the_rows(seed: int, validation: int, certification: int, test: int) -> None:
    """Each row is in one part, the parts have the requested sizes, and each label has its share in all."""
    data = _dataset(120)
    parts = split(data, SettledSizes(validation=validation, certification=certification, test=test), seed)
    assert sorted(np.concatenate(list(parts.values())).tolist()) == list(range(120))
    assert {part: len(rows) for part, rows in parts.items() if part != "train"} == {
        "validation": validation,
        "certification": certification,
        "test": test,
    }
    for rows in parts.values():
        counts = np.bincount(data.labels[rows].astype(int), minlength=3)
        assert counts.max() - counts.min() <= 2


def test_a_test_set_of_the_datas_own_stays_whole() -> None:
    """Its rows are the test split, and no row of it is in another."""
    parts = split(_dataset(90, test_from=60), SettledSizes(validation=12, certification=12, test=0), 0)
    assert parts["test"].tolist() == list(range(60, 90))
    assert max(rows.max() for part, rows in parts.items() if part != "test") < 60


@pytest.mark.parametrize(
    ("rows", "test_from", "sizes", "rule"),
    [
        (60, None, (6, 6, 0), "leave rows for training"),
        (60, None, (60, 6, 6), "leave rows for training"),
        (60, None, (2, 6, 6), "leave rows for training"),
        (60, 58, (6, 6, 0), "every label is in every split; the test split"),
    ],
)
def test_sizes_that_do_not_fit_are_refused(
    rows: int, test_from: int | None, sizes: tuple[int, int, int], rule: str
) -> None:
    """The error states whether rows are too many or too few, or which label a part lacks."""
    validation, certification, test = sizes
    with pytest.raises(BadInput, match=rule):
        split(_dataset(rows, test_from), SettledSizes(validation=validation, certification=certification, test=test), 0)


@pytest.mark.parametrize(
    ("rows", "left"),
    [
        (np.tile(np.arange(16).reshape(1, 4, 4), (100, 1, 1)), "1 rows of 1 labels, the rarest has 1"),
        (np.arange(1600).reshape(100, 4, 4) % 256 % 5, "5 rows of 2 labels, the rarest has 2"),
    ],
)
def test_too_few_rows_are_explained_by_what_cleaning_dropped(
    rows: NDArray[np.generic], left: str, tmp_path: Path
) -> None:
    """Equal pictures count once, so that a split may have far fewer rows than the file."""
    np.savez(tmp_path / "a.npz", x=rows, y=np.arange(100) % 2)
    sizes = Sizes(validation=10, certification=10, test=10)
    task = msgspec.structs.replace(load("digits"), data=Data(source="npz", path=str(tmp_path / "a.npz")), sizes=sizes)
    message = (
        rf"leave rows for training\. Got: {left}; of the data: {left[0]} rows kept, dropped: {100 - int(left[0])} dup"
    )
    with pytest.raises(BadInput, match=message):
        prepare(task)


@pytest.fixture(scope="module")
def digits() -> Task:
    return load("digits")


def test_the_same_task_gives_the_same_rows(digits: Task) -> None:
    """The same data and seed give the same digest and split, and another seed gives others."""
    one, two = prepare(digits), prepare(digits)
    assert one.digest == two.digest
    np.testing.assert_array_equal(one.test.inputs, two.test.inputs)
    assert prepare(load("digits", seed=1)).digest != one.digest


def test_what_is_prepared_fits_together(digits: Task) -> None:
    """The input, the types, the prior and the size of the training split agree with the data set."""
    data = prepare(digits)
    assert isinstance(data.input, Picture)
    assert data.input.row_shape == (8, 8)
    assert data.input.range == (0, 16)
    assert data.train.inputs.dtype == np.float32
    assert data.train.labels.dtype == np.int64
    assert sum(data.prior) == pytest.approx(1)
    assert len(data.train.labels) == 1797 - 900
