"""training.data.splits.sizes."""

from dataclasses import replace
from typing import Literal

import numpy as np
import pytest

from tests.training.pictures import picture
from training.certifying.binomial import rows_needed
from training.certifying.certify import THRESHOLDS, divide, promises_made
from training.data.dataset import Dataset
from training.data.splits.sizes import SettledSizes, settled
from training.task import Promise, Sizes

Limit = float | Literal["auto"]


def _data(rows: int, test_from: int | None = None, validation_from: int | None = None) -> Dataset:
    labels = np.zeros(rows, np.int64)
    return Dataset(np.zeros((rows, 1, 1)), labels, ("a", "b"), (picture(1, 1),), test_from, validation_from)


@pytest.mark.parametrize(
    ("rows", "sizes", "promise", "expected"),
    [
        (10_000, Sizes(), Promise(), (1000, 1500, 1500)),
        (10_000, Sizes(validation=7, test=0), Promise(), (7, 1500, 0)),
        (600, Sizes(), Promise(), (100, 94, 100)),
        (200, Sizes(), Promise(), (40, 60, 40)),
        (10_000, Sizes(), Promise(max_loss=0.0025), (1000, 1915, 1500)),
        (10_000, Sizes(), Promise(max_loss=0.0001), (1000, 3000, 1500)),
        (10_000, Sizes(certification=50), Promise(max_loss=0.0001), (1000, 50, 1500)),
    ],
)
def test_sizes_follow_from_the_promise(
    rows: int, sizes: Sizes, promise: Promise, expected: tuple[int, int, int]
) -> None:
    """Shares within limits; what the task states stands."""
    assert settled(sizes, promise, _data(rows)) == SettledSizes(*expected)


@pytest.mark.parametrize("limit", [0.0025, 0.01, 0.05])
@pytest.mark.parametrize(
    "promise", [Promise(), Promise(abstain_above=0.05), Promise(abstain_above=0.05, alphas=(0.1,))]
)
def test_the_thresholds_get_enough_rows(limit: float, promise: Promise) -> None:
    """Certification rows, divided among all promises, carry the limit of the thresholds."""
    sizes = settled(
        Sizes(), Promise(max_loss=limit, abstain_above=promise.abstain_above, alphas=promise.alphas), _data(20_000)
    )
    rows = len(divide(sizes.certification, promises_made(promise), 0)[THRESHOLDS])
    assert rows >= rows_needed(limit, 0.05)


def test_sets_of_the_datas_own_need_no_size() -> None:
    """Certification is a share of the training rows."""
    assert settled(Sizes(), Promise(), _data(10_000, 9_000, 8_000)) == SettledSizes(0, 1200, 0)


@pytest.mark.parametrize(
    ("limit", "expected"),
    [(None, 1500), (0.1, 1500), (0.05, 1901), (0.02, 3000), ("auto", 1901)],
    ids=["no promise", "as many as there are", "more", "the most that there are", "auto"],
)
def test_each_label_gets_enough_rows_where_that_is_possible(limit: Limit | None, expected: int) -> None:
    """The rarer of two labels has 5 % of the rows; a third is too rare for any promise."""
    labels = np.repeat([0, 1, 2], [9_495, 500, 5])
    data = replace(_data(10_000), labels=labels)
    promise = Promise(max_loss_per_label=limit)
    assert settled(Sizes(), promise, data).certification == expected
