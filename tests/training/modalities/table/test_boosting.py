"""training.modalities.table.boosting."""

import numpy as np
import pytest

from tests.training.tables import COLOUR, HEIGHT, TABLE, rows
from training.data.splits.split import Split
from training.modalities.table.boosting import Boosting
from weir.catalog.columns import Category, Number
from weir.catalog.inputs import Table
from weir.engine.arrays import Floats, Labels

BOOSTING = Boosting(TABLE)
TRAIN, OTHERS = rows(400), rows(400, seed=1)


def _said(train: Split, *, seed: int = 0, balanced: bool = False) -> Floats:
    return BOOSTING.fitted(train, seed, balanced=balanced)(OTHERS.inputs)


def test_it_learns_numbers_with_gaps_categories_and_dates() -> None:
    """The label depends on one column of each, of which some values are missing."""
    assert np.isnan(TRAIN.inputs[:, HEIGHT]).any()
    logs = _said(TRAIN)
    assert (logs.argmax(axis=1) == OTHERS.labels).mean() > 0.85
    np.testing.assert_allclose(np.exp(logs).sum(axis=1), 1, rtol=1e-5)


def test_it_is_never_entirely_sure() -> None:
    """Logits that nothing says are impossible, so that a network can follow."""
    easy = Split(TRAIN.inputs, (TRAIN.inputs[:, COLOUR] == 3).astype(np.int64))
    logs = BOOSTING.fitted(easy, 0, balanced=False)(TRAIN.inputs)
    assert np.log(5e-5) < logs.min() < np.log(0.01)


def test_it_is_the_same_for_the_same_seed() -> None:
    """No matter how often it is fitted."""
    np.testing.assert_array_equal(_said(TRAIN), _said(TRAIN))


def test_rare_labels_are_more_probable_when_labels_are_balanced() -> None:
    """Every label counts alike then."""
    some = np.concatenate([np.flatnonzero(TRAIN.labels == 0), np.flatnonzero(TRAIN.labels == 1)[:30]])
    train = Split(TRAIN.inputs[some], TRAIN.labels[some])
    plain, balanced = (np.exp(_said(train, balanced=each)[:, 1]).mean() for each in (False, True))
    assert balanced > 1.1 * plain


def test_a_category_has_no_order() -> None:
    """Splits choose any of its codes; numbers and dates are numbers."""
    assert BOOSTING._categories(TRAIN.inputs) == [COLOUR]


def test_it_reads_categories_of_any_size() -> None:
    """scikit-learn takes 255 codes; a category with more is read as a number."""
    entries = tuple(f"{number:03}" for number in range(290))
    table = Table(name="row", columns=(Category(name="code", vocabulary=entries), Number(name="height")))
    codes = np.arange(1200) % len(entries) + 2
    values = np.stack([codes, np.random.default_rng(0).normal(0, 1, 1200)], axis=1).astype(np.float32)
    labels = (codes > 150).astype(np.int64)
    said = Boosting(table).fitted(Split(values, labels), 0, balanced=False)(values)
    assert (said.argmax(axis=1) == labels).mean() > 0.95


@pytest.mark.parametrize(
    ("labels", "why"),
    [
        (np.arange(60) % 30, ""),
        (np.arange(620) % 31, "it takes too long with more than 30 labels, of which there are 31"),
        (np.repeat([0, 1], [300, 1]), "it needs 2 training rows of every label, and one has 1"),
    ],
)
def test_it_is_not_fitted_on_a_single_row_or_very_many_labels(labels: Labels, why: str) -> None:
    """The reason is told to whoever trains."""
    assert BOOSTING.refusal(labels) == why
