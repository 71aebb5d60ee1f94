"""training.modalities: the one place that distinguishes kinds of input, and what the rest of training asks of it."""

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.training.pictures import picture
from tests.training.training_runs import prepared, spec, task
from training.data.cleaning import clean
from training.data.dataset import Dataset
from training.data.splits.split import Split
from training.learning.batches import Batches
from training.learning.networks import TrainingTarget
from training.levels.build import check
from training.modalities import modality_of
from training.modalities.mixing import convex
from training.modalities.modality import LabelledRows, Masks, Modality
from training.modalities.picture import augmentation, cleaning, samples
from training.modalities.picture.modality import PictureModality
from training.modalities.recipe import Recipe
from training.modalities.table.modality import TableModality
from training.task import NetworkSpec
from weir.catalog.columns import Number
from weir.catalog.inputs import Table, Tensor
from weir.engine.arrays import Floats
from weir.errors import BadInput

RANDOM = np.random.default_rng(0)
GREY = picture(4, 5)
NUMBERS = Tensor(name="numbers", shape=(-1, 3))
NO_TENSORS = r"networks are trained on pictures, tables and texts\. Got: the tensor numbers"


class Numbers:
    """A kind of input that is no picture: rows of three numbers."""

    def as_rows(self, inputs: NDArray[np.generic]) -> Floats:
        """Take them as they are."""
        return inputs.astype(np.float32)

    def unusable(self, rows: Floats) -> Masks:
        """Know one reason."""
        return {"not_finite": ~np.isfinite(rows).all(axis=1)}

    def constant_inputs(self, rows: Floats) -> int:
        """Count columns."""
        return int((rows == rows[0]).all(axis=0).sum())

    def scale_warning(self, rows: Floats) -> str:
        """Say that there are negative numbers."""
        return "are negative" if (rows < 0).any() else ""

    def augments(self, spec: NetworkSpec) -> bool:
        """Change rows in training."""
        return True

    def augmented(self, rows: Floats, spec: NetworkSpec, random: np.random.Generator) -> Floats:
        """Change the sign of every row."""
        return -rows

    def mixed(self, rows: Floats, random: np.random.Generator) -> Floats:
        """Mix nothing."""
        return rows

    def check(self, spec: NetworkSpec) -> None:
        """Know no network."""
        raise BadInput("numbers have no networks", spec.architecture)

    def recipe(self, spec: NetworkSpec) -> Recipe:
        """Know no network."""
        raise BadInput("numbers have no networks", spec.architecture)

    def build(self, spec: NetworkSpec, outputs: int, seed: int, train: LabelledRows) -> object:
        """Know no network."""
        raise BadInput("numbers have no networks", spec.architecture)

    def other_model(self) -> None:
        """Know none."""

    def record(self, row: Floats) -> dict[str, object]:
        """Name the numbers."""
        return {"numbers": row.tolist()}

    def example(self, row: Floats) -> tuple[str, bytes]:
        """Write a line of text."""
        return ".txt", str(row.tolist()).encode()


@pytest.fixture
def numbers(monkeypatch: pytest.MonkeyPatch) -> Modality:
    """Let training know a second kind of input, in the one place that distinguishes kinds."""
    one = Numbers()
    for module in ("data.cleaning", "learning.networks", "levels.build"):
        monkeypatch.setattr(f"training.{module}.modality_of", lambda *_: one)
    return one


def test_a_picture_has_the_modality_of_its_package() -> None:
    """Every verb is that of the package, for the size and the range of the picture."""
    modality = modality_of([GREY])
    rows = RANDOM.uniform(0, 255, (6, 4, 5)).astype(np.float32)
    described = spec("n")
    assert modality == PictureModality(GREY)
    np.testing.assert_array_equal(modality.as_rows(rows.astype(np.float64)), rows)
    for reason, mask in cleaning.unusable(rows, GREY).items():
        np.testing.assert_array_equal(modality.unusable(rows)[reason], mask)
    assert modality.constant_inputs(rows) == 0
    expected = augmentation.augmented(rows, described, np.random.default_rng(1))
    np.testing.assert_array_equal(modality.augmented(rows, described, np.random.default_rng(1)), expected)
    assert modality.build(described, 3, 0, Split(rows, np.zeros(6, np.int64))).output_shape == (None, 3)
    mixed = convex(rows, np.random.default_rng(1))
    np.testing.assert_array_equal(modality.mixed(rows, np.random.default_rng(1)), mixed)
    assert modality.recipe(described) == Recipe(decays="everything", balance=False)
    assert modality.record(rows[0]) == {GREY.name: rows[0].tolist()}
    assert modality.example(rows[0]) == (".png", samples.file(rows[0], GREY))


def test_a_network_that_pictures_do_not_have_is_refused() -> None:
    """A description is checked without a network being built."""
    modality_of([GREY]).check(spec("n"))
    with pytest.raises(BadInput, match="an architecture is one of mlp, mlp2"):
        modality_of([GREY]).check(spec("n", architecture="tree"))


def test_tensors_are_not_trained_on() -> None:
    """The error names the kind that is, wherever training meets the input first."""
    with pytest.raises(BadInput, match=NO_TENSORS):
        modality_of([NUMBERS])
    with pytest.raises(BadInput, match=NO_TENSORS):
        clean(Dataset(np.zeros((4, 3)), np.zeros(4), ("a", "b"), (NUMBERS,)))
    with pytest.raises(BadInput, match=NO_TENSORS):
        check(task(end_to_end=spec("last")), replace(prepared(), inputs=(NUMBERS,)))


def test_a_table_has_the_modality_of_its_package() -> None:
    """Networks of a table may read some of its columns; those of other inputs read all there is."""
    table = Table(name="row", columns=(Number(name="age"), Number(name="height")))
    assert modality_of([table]) == TableModality(table)
    with pytest.raises(BadInput, match=r"the columns of a network are some of age, height\. Got: weight"):
        modality_of([table]).check(NetworkSpec(name="n", architecture="table-mlp", columns=("age", "weight")))
    with pytest.raises(BadInput, match=r"only networks of a table read some of its columns\. Got: age"):
        modality_of([GREY]).check(NetworkSpec(name="n", architecture="mlp", columns=("age",)))


def test_data_of_another_kind_are_cleaned(numbers: Modality) -> None:
    """Rows of any shape are dropped for the reasons that their kind has, and for those of every kind."""
    rows = RANDOM.uniform(0, 1, (8, 3))
    rows[:, 1], rows[2, 0], rows[5] = 7, np.nan, rows[4]
    cleaned, counts = clean(Dataset(rows, np.array([0, 1, 0, 9, 0, 1, 0, 1]), ("a", "b"), (NUMBERS,)))
    assert cleaned.input is NUMBERS
    assert cleaned.rows.shape == (5, 3)
    assert counts.summary() == "5 rows kept, dropped: 1 not finite, 1 unknown label, 1 duplicate; 1 inputs never change"


def test_a_reason_that_cleaning_cannot_count_is_an_error(numbers: Modality, monkeypatch: pytest.MonkeyPatch) -> None:
    """A kind of input that marks rows for an unknown reason does not lose the count."""
    monkeypatch.setattr(numbers, "unusable", lambda rows: {"too_old": np.zeros(len(rows), bool)})
    with pytest.raises(ValueError, match="not in tuple"):
        clean(Dataset(np.zeros((4, 3)), np.zeros(4), ("a", "b"), (NUMBERS,)))


def test_rows_of_another_kind_are_learned_in_batches(numbers: Modality) -> None:
    """Rows are changed as their kind changes them, and numbered."""
    rows = Split(RANDOM.uniform(0, 1, (10, 3)).astype(np.float32), np.zeros(10, np.int64))
    target = TrainingTarget(rows, rows, 2, (NUMBERS,))
    batches = list(Batches(target.train, target.modality, spec("n"), 0).epoch())
    inputs, order = (np.concatenate(parts) for parts in zip(*batches, strict=True))
    np.testing.assert_array_equal(inputs, -rows.inputs[order])
    assert sorted(order.tolist()) == list(range(10))


def test_networks_are_checked_by_the_kind_of_input(numbers: Modality) -> None:
    """Which architectures there are depends on the input, and it is checked before training."""
    with pytest.raises(BadInput, match="numbers have no networks"):
        check(task(end_to_end=spec("last")), replace(prepared(), inputs=(NUMBERS,)))
