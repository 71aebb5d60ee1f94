"""training.data.rows and training.data.spool: an array is the oracle."""

import errno
import os
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from training.data.rows import Rows, RowStore, by_chunk, chunks, of_input, take
from training.data.spool import RowSpool, changed, joined, spooled
from training.data.unnamed_file import UnnamedFile
from weir.errors import Unavailable

RANDOM = np.random.default_rng(0)
PLAIN = RANDOM.normal(0, 1, (1000, 3, 2)).astype(np.float32)
SEVERAL = np.zeros(1000, [("table", "<f4", (4,)), ("text", "<i4", (8,))])
SEVERAL["table"] = RANDOM.normal(0, 1, (1000, 4))
SEVERAL["text"] = RANDOM.integers(0, 256, (1000, 8))
COMPACT = np.dtype([("table", "<f4", (4,)), ("text", "u1", (8,))])


def _batches(rows: NDArray[Any]) -> list[NDArray[Any]]:
    return [rows[start : start + 170] for start in range(0, len(rows), 170)]


def _store(rows: NDArray[Any], stored: np.dtype[Any] | None = None) -> RowStore:
    found = spooled(_batches(rows), stored)
    assert isinstance(found, RowStore)
    return found


@pytest.mark.parametrize(
    ("rows", "stored"),
    [(PLAIN, None), (SEVERAL, None), (SEVERAL, COMPACT)],
    ids=["one input", "several inputs", "texts of bytes"],
)
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
def test_rows_are_those_of_an_array(rows: NDArray[Any], stored: np.dtype[Any] | None, index: Any) -> None:  # noqa: ANN401 (as NumPy)
    """Whichever are read, in whatever order, however compact the file is."""
    store = _store(rows, stored)
    assert (len(store), store.shape, store.dtype) == (len(rows), rows.shape, rows.dtype)
    np.testing.assert_array_equal(store[index], rows[index])


def test_some_rows_are_chosen_without_reading() -> None:
    """A split has numbers of rows, of which batches are read."""
    numbers = RANDOM.permutation(1000)[:300]
    chosen = take(_store(PLAIN), numbers)
    np.testing.assert_array_equal(chosen[10:20], PLAIN[numbers][10:20])
    np.testing.assert_array_equal(take(chosen, np.array([5, 1]))[:], PLAIN[numbers][[5, 1]])


@pytest.mark.parametrize("rows", [SEVERAL, _store(SEVERAL), _store(SEVERAL, COMPACT)], ids=["memory", "file", "bytes"])
@pytest.mark.parametrize("name", ["table", "text"])
def test_one_of_several_inputs_is_read(rows: Rows, name: str) -> None:
    """As the field of an array; rows of one input are all of it."""
    one = of_input(rows, name)
    assert (one.shape, one.dtype) == (SEVERAL[name].shape, SEVERAL[name].dtype)
    np.testing.assert_array_equal(one[np.array([3, 999, 3])], SEVERAL[name][[3, 999, 3]])
    assert of_input(PLAIN, "image") is PLAIN


@pytest.mark.parametrize("rows", [PLAIN, _store(PLAIN)], ids=["memory", "file"])
def test_rows_are_gone_through_in_parts(rows: Rows, monkeypatch: pytest.MonkeyPatch) -> None:
    """In parts of a few, in their order, which may be none."""
    monkeypatch.setattr("training.data.rows._CHUNK", 24 * 100)
    assert [len(chunk) for chunk in chunks(rows)] == [100] * 10
    assert [len(chunk) for chunk in chunks(take(rows, np.arange(0)))] == [0]
    np.testing.assert_array_equal(np.concatenate(list(chunks(rows))), PLAIN)
    np.testing.assert_array_equal(by_chunk(lambda part: part.sum(axis=(1, 2)), rows), PLAIN.sum(axis=(1, 2)))
    np.testing.assert_array_equal(changed(rows, lambda part: part * 2)[:], PLAIN * 2)
    np.testing.assert_array_equal(rows[:], PLAIN)


@pytest.mark.parametrize(("most", "in_memory"), [(PLAIN.nbytes, True), (PLAIN.nbytes - 1, False), (0, False)])
def test_rows_that_take_more_are_kept_in_a_file(most: int, *, in_memory: bool) -> None:
    """And only those."""
    spool = RowSpool(most)
    for batch in _batches(PLAIN):
        spool.append(batch)
    rows = spool.finished()
    assert isinstance(rows, np.ndarray) == in_memory
    np.testing.assert_array_equal(rows[:], PLAIN)


@pytest.mark.parametrize("first", [PLAIN, _store(PLAIN)], ids=["memory", "file"])
@pytest.mark.parametrize("second", [PLAIN[:3].astype(np.float64), _store(PLAIN[:3])], ids=["memory", "file"])
def test_rows_are_put_behind_others(first: Rows, second: Rows) -> None:
    """In memory, unless some of them are not."""
    rows = joined([first, second])
    assert isinstance(rows, RowStore) == (isinstance(first, RowStore) or isinstance(second, RowStore))
    np.testing.assert_array_equal(rows[:], np.concatenate([PLAIN, PLAIN[:3]]))


def test_the_file_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It has no name, so that even a process that is killed leaves none behind."""
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(tempfile, "tempdir", None)
    store = _store(PLAIN)
    assert list(tmp_path.iterdir()) == []
    np.testing.assert_array_equal(store[:], PLAIN)


def test_a_damaged_file_is_an_error() -> None:
    """Rows that are no longer there are not zeros."""
    store = _store(PLAIN)
    with pytest.raises(Unavailable, match=r"can't be read: it ends 24 bytes too early"):
        replace(store, numbers=np.arange(1001))[1000]
    store.file.close()
    with pytest.raises(Unavailable):
        store[0]


def test_a_full_disk_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """It names the setting that led to the file, and what names its folder."""

    def write(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(UnnamedFile, "write", write)
    with pytest.raises(Unavailable, match=r"data\.memory_mb can't be kept .* TMPDIR .*No space left"):
        spooled([PLAIN])


def test_batches_are_alike() -> None:
    """Rows have one datatype and one shape, and come in at least one batch."""
    with pytest.raises(ValueError, match="batches have rows of"):
        spooled([PLAIN, SEVERAL])
    with pytest.raises(ValueError, match="rows come in batches"):
        spooled([])
