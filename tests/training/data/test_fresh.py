"""training.data.fresh, on pictures of thirds."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.training.thirds import pictures
from training.data import fresh
from training.data.cleaning import Cleaning
from training.data.preparation import PreparedData
from training.data.split import Split
from training.modalities.picture.reading import grey
from weir.errors import BadInput

NEW = pictures(50, 7)


@pytest.fixture(scope="module")
def data() -> PreparedData:
    """The data of a training."""
    train, validation, certification, test = (pictures(20, seed) for seed in range(4))
    labels = ("left", "middle", "right")
    return PreparedData(
        train, validation, certification, test, labels, grey(train.inputs), Cleaning(kept=80), digest="1" * 64
    )


def _npz(path: Path, **arrays: Any) -> Path:  # noqa: ANN401
    np.savez(path / "rows.npz", **arrays)
    return path / "rows.npz"


def _npy(path: Path, rows: Any) -> Path:  # noqa: ANN401
    np.save(path / "rows.npy", rows)
    return path / "rows.npy"


def test_labelled_rows_are_read_from_an_npz(data: PreparedData, tmp_path: Path) -> None:
    """Rows and labels are those of the file."""
    rows = fresh.load(_npz(tmp_path, x=NEW.inputs, y=NEW.labels), data)
    np.testing.assert_array_equal(rows.split.inputs, NEW.inputs)
    np.testing.assert_array_equal(rows.split.labels, NEW.labels)
    assert rows.labelled
    assert rows.summary == "50 fresh rows with labels, dropped: none"


@pytest.mark.parametrize("extension", ["npz", "npy", "csv"])
def test_rows_without_labels_are_read(extension: str, data: PreparedData, tmp_path: Path) -> None:
    """A .npz without y, a .npy and a .csv hold the same rows; their labels are unknown."""
    path = tmp_path / f"rows.{extension}"
    if extension == "npz":
        path = _npz(tmp_path, x=NEW.inputs)
    elif extension == "npy":
        path = _npy(tmp_path, NEW.inputs)
    else:
        np.savetxt(path, NEW.inputs.reshape(50, -1), delimiter=",")
    rows = fresh.load(path, data)
    np.testing.assert_allclose(rows.split.inputs, NEW.inputs, rtol=1e-6)
    assert not rows.labelled
    assert set(rows.split.labels.tolist()) == {fresh.UNKNOWN}


def test_rows_that_were_used_are_dropped(data: PreparedData, tmp_path: Path) -> None:
    """Training, validation and test rows prove nothing; certification rows may come again, and count as an attempt."""
    parts = [part.inputs for part in (data.train, data.validation, data.test, data.certification)]
    bad = np.full((3, 4, 4), 300, np.float32)
    bad[1] = np.nan
    bad[2] = 5
    rows = fresh.load(_npy(tmp_path, np.concatenate([*parts, NEW.inputs, NEW.inputs[:5]])), data)
    assert rows.dropped["seen before"] == 60
    assert rows.dropped["duplicate"] == 5
    assert len(rows.split.labels) == 70
    assert "dropped: 5 duplicate, 60 seen before" in rows.summary
    rows = fresh.load(_npz(tmp_path, x=np.concatenate([NEW.inputs, bad])), data)
    assert (rows.dropped["out of range"], rows.dropped["not finite"], rows.dropped["constant row"]) == (1, 1, 1)


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"y": NEW.labels}, "has the array x, and y where the rows have labels. Got: y"),
        ({"x": NEW.inputs[:, :3]}, "pictures have the shape"),
        ({"x": NEW.inputs, "y": NEW.labels[:9]}, "0 to 2 .left, middle, right.. Got: int64 .9,. for 50 rows"),
        ({"x": NEW.inputs, "y": NEW.labels + 1}, "number of a label for each row, 0 to 2 .*Got: 3 in row"),
        ({"x": NEW.inputs, "y": NEW.labels / 2}, "Got: float64"),
        ({"x": np.zeros((2, 4, 4))}, "have not seen. Got: 0 fresh rows without labels, dropped: 2 constant row"),
        ({"x": np.zeros((0, 4, 4))}, "pictures have the shape"),
    ],
)
def test_bad_arrays_are_refused(arrays: dict[str, Any], message: str, data: PreparedData, tmp_path: Path) -> None:
    """The error states the rule and what came."""
    with pytest.raises(BadInput, match=message):
        fresh.load(_npz(tmp_path, **arrays), data)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("rows.txt", b"1,2", "--data is a .npz, .npy or .csv"),
        ("rows.npy", b"nonsense", "a .npy is what numpy.save writes"),
        ("rows.npz", b"nonsense", "a file that numpy.savez wrote"),
        ("rows.csv", b"1,2,3\n", "every row of --data can be read. Got: 1 can't; row 0"),
        ("rows.csv", b"", "at least one row"),
    ],
)
def test_bad_files_are_refused(name: str, content: bytes, message: str, data: PreparedData, tmp_path: Path) -> None:
    """So is a file that does not exist."""
    path = tmp_path / name
    with pytest.raises(BadInput, match="rows"):
        fresh.load(path, data)
    path.write_bytes(content)
    with pytest.raises(BadInput, match=message):
        fresh.load(path, data)


def test_infinite_values_in_a_npy_are_refused(data: PreparedData, tmp_path: Path) -> None:
    """The batch reader gives such rows no values, so they are never certification rows."""
    rows = NEW.inputs.copy()
    rows[3, 0, 0] = np.inf
    with pytest.raises(BadInput, match="1 can't; row 3: values are finite"):
        fresh.load(_npy(tmp_path, rows), data)


def test_labels_stay_with_their_rows(data: PreparedData, tmp_path: Path) -> None:
    """Where rows are dropped, the others keep their labels."""
    mixed = Split(np.concatenate([data.train.inputs[:10], NEW.inputs]), np.concatenate([[0] * 10, NEW.labels]))
    rows = fresh.load(_npz(tmp_path, x=mixed.inputs, y=mixed.labels), data)
    np.testing.assert_array_equal(rows.split.labels, NEW.labels)
