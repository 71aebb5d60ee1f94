"""training.data.row_store: an array is the oracle."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from training.data.row_store import RowStore, written
from weir.errors import Unavailable

RANDOM = np.random.default_rng(0)
PLAIN = RANDOM.normal(0, 1, (1000, 3, 2)).astype(np.float32)
SEVERAL = np.zeros(1000, [("table", "<f4", (4,)), ("text", "<i4", (8,))])
SEVERAL["table"] = RANDOM.normal(0, 1, (1000, 4))
SEVERAL["text"] = RANDOM.integers(0, 256, (1000, 8))


def _store(path: Path, rows: NDArray[Any]) -> RowStore:
    return written(path / "rows", (rows[start : start + 170] for start in range(0, len(rows), 170)))


@pytest.mark.parametrize("rows", [PLAIN, SEVERAL], ids=["one input", "several inputs"])
@pytest.mark.parametrize(
    "index",
    [
        0,
        999,
        slice(5, 40, 3),
        np.arange(0),
        RANDOM.integers(0, 1000, 200),
        np.arange(1000)[::-1],
        np.array([7, 7, 15, 16]),
    ],
    ids=["the first", "the last", "a slice", "none", "at random", "all, backwards", "twice"],
)
def test_rows_are_those_of_an_array(rows: NDArray[Any], index: Any, tmp_path: Path) -> None:  # noqa: ANN401 (as NumPy)
    """Whichever are read, in whatever order."""
    store = _store(tmp_path, rows)
    assert (len(store), store.shape, store.dtype) == (len(rows), rows.shape, rows.dtype)
    np.testing.assert_array_equal(store[index], rows[index])


def test_some_rows_are_chosen_without_reading(tmp_path: Path) -> None:
    """A split has numbers of rows, of which batches are read."""
    numbers = RANDOM.permutation(1000)[:300]
    chosen = _store(tmp_path, PLAIN).chosen(numbers)
    np.testing.assert_array_equal(chosen[10:20], PLAIN[numbers][10:20])
    np.testing.assert_array_equal(chosen.chosen(np.array([5, 1]))[:], PLAIN[numbers][[5, 1]])


def test_a_damaged_file_is_an_error(tmp_path: Path) -> None:
    """Rows that are no longer there are not zeros."""
    store = _store(tmp_path, PLAIN)
    store.path.write_bytes(store.path.read_bytes()[:-1])
    with pytest.raises(Unavailable, match=r"the rows of rows can't be read: it ends before row 1000"):
        store[999]
    store.path.unlink()
    with pytest.raises(Unavailable):
        store[0]


def test_batches_are_alike(tmp_path: Path) -> None:
    """A store has one datatype and one shape, and at least one batch."""
    with pytest.raises(ValueError, match="batches have rows of"):
        written(tmp_path / "rows", [PLAIN, SEVERAL])
    with pytest.raises(ValueError, match="a store has rows"):
        written(tmp_path / "rows", [])
    with pytest.raises(Unavailable):
        written(tmp_path / "no" / "rows", [PLAIN])
