"""training.data.fresh."""

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.training.thirds import pictures, split_in_four
from training.data import fresh
from training.data.preparation import PreparedData
from weir.errors import BadInput

ROWS = pictures(30, 7)
"""rows that no training has seen"""


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> PreparedData:
    """The rows of a training."""
    return split_in_four(tmp_path_factory.mktemp("data"))[1]


def _npz(path: Path, **arrays: Any) -> Path:  # noqa: ANN401 (arrays of any type)
    np.savez(path / "rows.npz", **arrays)
    return path / "rows.npz"


def test_labelled_rows_are_read(tmp_path: Path, data: PreparedData) -> None:
    """A .npz has x and y; rows and labels stay together and in order."""
    rows = fresh.load(_npz(tmp_path, x=ROWS.inputs.astype(np.float64), y=ROWS.labels.astype(np.uint8)), data)
    np.testing.assert_array_equal(rows.split.inputs, ROWS.inputs)
    np.testing.assert_array_equal(rows.split.labels, ROWS.labels)
    assert rows.split.inputs.dtype == np.float32
    assert rows.labelled
    assert rows.summary == "30 fresh rows with labels, dropped: none"


def test_unlabelled_rows_are_read(tmp_path: Path, data: PreparedData) -> None:
    """A .npz without y, a .npy, and a .csv with or without a header have the same rows; their labels are unknown."""
    np.save(tmp_path / "rows.npy", ROWS.inputs)
    lines = [",".join(map(str, row.ravel().tolist())) for row in ROWS.inputs]
    (tmp_path / "rows.csv").write_text("\n".join(lines))
    (tmp_path / "headed.CSV").write_text("\n".join([",".join(f"p{n}" for n in range(16)), *lines]))
    paths = [_npz(tmp_path, x=ROWS.inputs), *(tmp_path / name for name in ("rows.npy", "rows.csv", "headed.CSV"))]
    for path in paths:
        rows = fresh.load(path, data)
        np.testing.assert_array_equal(rows.split.inputs, ROWS.inputs)
        assert set(rows.split.labels.tolist()) == {fresh.UNKNOWN}
        assert not rows.labelled
        header = " below a header" if path.stem == "headed" else ""
        assert rows.summary == f"30 fresh rows without labels{header}, dropped: none"


def test_rows_that_cannot_carry_a_promise_are_dropped_and_counted(tmp_path: Path, data: PreparedData) -> None:
    """A row counts for the first reason: not finite, out of range, constant, an earlier row's equal, seen before."""
    x = np.concatenate([ROWS.inputs, ROWS.inputs[[3, 3]], data.train.inputs[:4], data.validation.inputs[:3]])
    x = np.concatenate([x, data.test.inputs[:2], data.certification.inputs[:5], data.test.inputs[:1]])
    y = np.arange(len(x)) % 3
    x[0, 0, 0], x[1, 0, 0], x[2, 1, 1], x[4] = np.nan, np.inf, 256, 7
    rows = fresh.load(_npz(tmp_path, x=x, y=y), data)
    assert rows.dropped == {
        "not finite": 2,
        "out of range": 1,
        "constant row": 1,
        "duplicate": 3,
        "seen before": 9,
    }
    kept = [3, *range(5, 30), *range(41, 46)]
    np.testing.assert_array_equal(rows.split.inputs, x[kept])
    np.testing.assert_array_equal(rows.split.labels, y[kept])
    assert rows.summary == (
        "31 fresh rows with labels, dropped: 2 not finite, 1 out of range, 1 constant row, 3 duplicate, 9 seen before; "
        "5 of them are certification rows, so all count as used"
    )


def test_rows_on_another_scale_are_warned_of(tmp_path: Path, data: PreparedData) -> None:
    """Pixels of 0 to 1 can't certify a model of 0 to 255 for what it will be asked."""
    rows = fresh.load(_npz(tmp_path, x=ROWS.inputs / 255, y=ROWS.labels), data)
    assert rows.summary == (
        "30 fresh rows with labels, dropped: none; warning: values fill under 2 % of the range of image, 0 to 255"
    )


def test_certification_rows_are_dropped_where_they_carry_other_promises(tmp_path: Path, data: PreparedData) -> None:
    """Thresholds must not depend on the rows on which abstention and sets are certified under them."""
    path = _npz(tmp_path, x=np.concatenate([ROWS.inputs, data.certification.inputs[:5]]))
    assert len(fresh.load(path, data).split.labels) == 35
    apart = fresh.load(path, data, certification_seen=True)
    np.testing.assert_array_equal(apart.split.inputs, ROWS.inputs)
    assert apart.dropped["seen before"] == 5


X, Y = ROWS.inputs, ROWS.labels


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"y": Y}, r"a \.npz of --data has the array x, and y where the rows have labels\. Got: y"),
        ({"x": X[:, :3], "y": Y}, r"pictures have the shape \(rows, 4, 4\)\. Got: \(30, 3, 4\)"),
        ({"x": X.reshape(30, 16)}, r"pictures have the shape \(rows, 4, 4\)"),
        ({"x": X[0]}, r"pictures have the shape \(rows, 4, 4\)"),
        ({"x": np.array(7.0)}, r"pictures have the shape \(rows, 4, 4\)"),
        ({"x": X[:0], "y": Y[:0]}, r"pictures have the shape \(rows, 4, 4\)\. Got: \(0, 4, 4\)"),
        ({"x": X.astype(str)}, "pixels are numbers"),
        ({"x": X.astype(object)}, "--data is a file that numpy.savez wrote, without objects"),
        ({"x": X, "y": Y[:-1]}, r"y has the number of a label for each row, 0 to 2 \(left, middle, right\)"),
        ({"x": X, "y": Y.astype(float)}, r"Got: float64 \(30,\) for 30 rows"),
        ({"x": X, "y": np.eye(3, dtype=int)[Y]}, r"Got: int64 \(30, 3\) for 30 rows"),
        ({"x": X, "y": np.where(np.arange(30) == 4, 3, Y)}, "Got: 3 in row 4"),
        ({"x": X, "y": np.where(np.arange(30) == 4, -1, Y)}, "Got: -1 in row 4"),
        (
            {"x": np.full_like(X, np.nan), "y": Y},
            "--data has usable rows that training, validation and test have not seen",
        ),
    ],
)
def test_a_npz_that_breaks_a_rule_is_refused(
    tmp_path: Path, data: PreparedData, arrays: dict[str, Any], message: str
) -> None:
    """The error states the rule, and what came."""
    with pytest.raises(BadInput, match=message):
        fresh.load(_npz(tmp_path, **arrays), data)


@pytest.mark.parametrize("part", ["train", "validation", "test"])
def test_rows_of_which_none_is_fresh_are_refused(tmp_path: Path, data: PreparedData, part: str) -> None:
    """Nothing is left to certify on, and the error counts why."""
    with pytest.raises(BadInput, match="60 seen before"):
        fresh.load(_npz(tmp_path, x=getattr(data, part).inputs[:60]), data)


def _npy(rows: Any) -> bytes:  # noqa: ANN401 (rows of any type)
    out = io.BytesIO()
    np.save(out, rows)
    return out.getvalue()


NAN = np.where(np.arange(30)[:, None, None] == 5, np.nan, X)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.npy", _npy(NAN), r"every row of --data can be read\. Got: 1 can't; row 5: "),
        ("a.npy", _npy(X[:, :3]), "in a .npy, "),
        ("a.npy", _npy(X[:0]), "a batch file has at least one row"),
        ("a.npy", b"text", "npy"),
        ("a.npy", b"", "npy"),
        ("a.npy", None, "--data is a file that can be read. Got: .*No such file"),
        ("a.csv", b"1,2,3\n", r"every row of --data can be read\. Got: 1 can't; row 0: "),
        ("a.csv", b"\xff\xfe", "a .csv is UTF-8 text"),
        ("a.csv", b"", "a batch file has at least one row"),
        ("a.csv", None, "--data is a file that can be read"),
        ("a.npz", b"text", "--data is a file that numpy.savez wrote, without objects"),
        ("a.npz", _npy(X), "--data is a file that numpy.savez wrote, without objects"),
        ("a.npz", None, "--data is a file that numpy.savez wrote, without objects"),
        ("a.parquet", b"PAR1", r"--data is a \.npz, \.npy or \.csv\. Got: .*a\.parquet"),
        ("a", b"", r"--data is a \.npz, \.npy or \.csv"),
    ],
)
def test_a_file_that_cannot_be_read_is_refused(
    tmp_path: Path, data: PreparedData, name: str, content: bytes | None, message: str
) -> None:
    """The error states the rule, and what came."""
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(BadInput, match=message):
        fresh.load(tmp_path / name, data)


def test_a_folder_is_no_file_of_rows(tmp_path: Path, data: PreparedData) -> None:
    """It is refused by the rule that it breaks, whatever its name ends with."""
    for name in ("a.npz", "a.npy"):
        (tmp_path / name).mkdir()
        with pytest.raises(BadInput, match="--data is a file"):
            fresh.load(tmp_path / name, data)
