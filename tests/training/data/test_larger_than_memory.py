"""Data larger than memory: the same data in memory are the oracle."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from tests.training.data.files import decoded, picture
from training.data.preparation import PreparedData, prepare
from training.data.rows import RowStore
from training.data.splits.split import TrainingSplit
from weir.errors import BadInput

RANDOM = np.random.default_rng(1)
SIZES = "[sizes]\nvalidation = 30\ncertification = 50\ntest = 40"
PARTS = ("train", "validation", "certification", "test")


def _table(count: int = 3000) -> pl.DataFrame:
    """Make rows of 100 numbers, a category, a date and a switch, some missing, and two labels that depend on them."""
    numbers = RANDOM.normal(0, 1, (count, 100)).round(4)
    towns = np.array(["Ulm", "Aalen", "Köln", "only once"])[np.minimum(RANDOM.integers(0, 3, count), 3)].tolist()
    towns[count // 2] = "only once"
    columns: dict[str, object] = {f"n{place}": numbers[:, place].tolist() for place in range(100)}
    columns["n3"] = [
        None if place % 7 == 5 and place > count / 2 else value for place, value in enumerate(numbers[:, 3])
    ]
    columns["town"] = [None if place % 11 == 3 else town for place, town in enumerate(towns)]
    columns["day"] = [f"2026-{1 + place % 12:02}-{1 + place % 28:02}" for place in range(count)]
    columns["member"] = ["true" if place % 3 else "false" for place in range(count)]
    columns["patient"] = [f"p{place // 2}" for place in range(count)]
    columns["bought"] = np.where(numbers[:, 0] + (np.array(towns) == "Ulm") > 0, "yes", "no").tolist()
    return pl.DataFrame(columns)


def _csv(folder: Path) -> str:
    _table().write_csv(folder / "rows.csv")
    return f'path = "{folder}/rows.csv"\ntarget = "bought"\ngroup = "patient"'


def _parquet(folder: Path) -> str:
    for part in range(2):
        _table(1500).write_parquet(folder / f"{part}.parquet")
    keys = 'target = "bought"\nignore = ["patient"]\ntime = "day"\ncolumns = {day = "date"}'
    return f'path = "{folder}/*.parquet"\n{keys}'


def _json_lines(folder: Path) -> str:
    words = np.array(["weir", "river", "mill", "dam", "ferry", "bridge", "harbour", "canal"])
    texts = [" ".join(words[RANDOM.integers(0, 8, 70)]) for _ in range(3000)]
    labels = ["wet" if text.count("river") > text.count("mill") else "dry" for text in texts]
    rows = {"text": texts, "age": RANDOM.integers(0, 90, 3000), "kind": labels}
    pl.DataFrame(rows).write_ndjson(folder / "rows.jsonl")
    return f'path = "{folder}/rows.jsonl"\ntarget = "kind"'


def _folders(folder: Path) -> str:
    for number in range(240):
        picture(folder / "pictures" / ("cat", "dog")[number % 2] / f"{number}.png", number, (40, 40), colour=True)
    (folder / "pictures" / "cat" / "broken.png").write_bytes(b"no picture")
    return f'path = "{folder}/pictures"'


def _named_pictures(folder: Path) -> str:
    for number in range(240):
        picture(folder / f"{number}.png", number, (40, 40), colour=True)
    rows = [f"{number}.png,{RANDOM.normal():.4f},{('a', 'b')[number % 2]}" for number in range(240)]
    (folder / "rows.csv").write_text("\n".join(["photo,size,kind", *rows, "missing.png,1,a"]))
    return f'path = "{folder}/rows.csv"\ntarget = "kind"'


def _texts(folder: Path) -> str:
    for number in range(300):
        path = folder / "texts" / ("good", "bad")[number % 2] / f"{number}.txt"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(" ".join(RANDOM.choice(["a", "fine", "poor", "long", "film"], 300)))
    return f'path = "{folder}/texts"\ntext = {{most_bytes = 1000}}'


def _npz(folder: Path) -> str:
    x = RANDOM.normal(0, 1, (3000, 100))
    x[RANDOM.integers(0, 3000, 50), 7] = np.nan
    y = (x[:, 0] > 0).astype(int)
    np.savez_compressed(folder / "rows.npz", x=x[:2800], y=y[:2800], x_test=x[2800:].astype("f4"), y_test=y[2800:])
    return f'path = "{folder}/rows.npz"'


@pytest.mark.parametrize("write", [_csv, _parquet, _json_lines, _folders, _named_pictures, _texts, _npz])
def test_rows_are_the_same_as_in_memory(
    write: Callable[[Path], str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Inputs, vocabularies, labels, warnings, and the rows of each part, though files are read a few rows at a time."""
    monkeypatch.setattr("training.data.readers.batching.MOST_ROWS", 700)
    monkeypatch.setattr("training.data.readers.parquet.MOST_ROWS", 700)
    keys = write(tmp_path)
    sizes = SIZES.replace("test = 40", "test = 0") if write is _npz else SIZES
    whole, stored = (prepare(decoded(f"{keys}\nmemory_mb = {mb}", tail=sizes)) for mb in (1024, 1))
    assert isinstance(stored.train.inputs, RowStore)
    assert isinstance(whole.train.inputs, np.ndarray)
    assert (stored.inputs, stored.label_names, stored.digest) == (whole.inputs, whole.label_names, whole.digest)
    assert stored.cleaning.warnings == whole.cleaning.warnings
    for part in PARTS:
        ours, oracle = _part(stored, part), _part(whole, part)
        np.testing.assert_array_equal(ours.labels, oracle.labels)
        np.testing.assert_array_equal(ours.inputs[:], oracle.inputs[:])
    assert any("are read from a file" in note for note in stored.notes)


def _part(data: PreparedData, name: str) -> TrainingSplit:
    part = getattr(data, name)
    assert isinstance(part, TrainingSplit)
    return part


def test_parts_that_are_held_in_memory_are_small(tmp_path: Path) -> None:
    """Where rows are kept in a file, and the task leaves sizes open: a quarter of the memory each, at most."""
    data = prepare(decoded(f"{_folders(tmp_path)}\nmemory_mb = 1"))
    most = (1 << 20) // 4 // (4 * 32 * 32 * 3)
    assert [len(_part(data, part).labels) for part in PARTS] == [240 - 3 * most, most, most, most]


def test_further_values_of_another_kind_are_told_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first rows decide what a column is; what is odd behind them is a warning, and too much an error."""
    monkeypatch.setattr("training.data.readers.batching.MOST_ROWS", 700)
    rows = _table().drop("patient").with_columns(pl.col("n5").cast(pl.String))
    odd = rows.with_columns(pl.when(pl.int_range(pl.len()) % 500 == 499).then(pl.lit("?!")).otherwise("n5").alias("n5"))
    odd.write_csv(tmp_path / "rows.csv")
    keys = f'path = "{tmp_path}/rows.csv"\ntarget = "bought"\nmemory_mb = 1'
    warnings = prepare(decoded(keys, tail=SIZES)).cleaning.warnings
    assert [warning for warning in warnings if "n5" in warning] == [
        "n5: 1 values are no numbers, such as '?!'; they count as missing"
    ]
    many = rows.with_columns(pl.when(pl.int_range(pl.len()) > 2100).then(pl.lit("?!")).otherwise("n5").alias("n5"))
    many.write_csv(tmp_path / "rows.csv")
    with pytest.raises(BadInput, match=r"a column of the kind number has numbers; n5\. Got: 699 other values"):
        prepare(decoded(keys, tail=SIZES))


def test_columns_of_further_lines_are_left_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first lines of a .jsonl name the columns; others are told."""
    monkeypatch.setattr("training.data.readers.batching.MOST_ROWS", 700)
    keys = _json_lines(tmp_path)
    with (tmp_path / "rows.jsonl").open("a") as lines:
        lines.write('{"text": "a late line of words", "age": 5, "kind": "dry", "colour": "red"}\n')
    data = prepare(decoded(f"{keys}\nmemory_mb = 1", tail=SIZES))
    assert any("rows.jsonl has columns that its first rows do not have" in one for one in data.cleaning.warnings)
    assert [one.name for one in data.inputs] == ["table", "text"]


@pytest.mark.parametrize(
    ("array", "got"),
    [
        (np.asfortranarray(RANDOM.normal(0, 1, (2000, 100))), "not rows of numbers in C's order"),
        (np.array([[None] * 100] * 2000, object), "not rows of numbers in C's order"),
    ],
    ids=["Fortran", "objects"],
)
def test_arrays_that_do_not_stream_are_refused(array: np.ndarray, got: str, tmp_path: Path) -> None:  # type: ignore[type-arg] # of any type
    """The error says why."""
    np.savez(tmp_path / "rows.npz", x=array, y=np.arange(2000) % 2, z=np.zeros(200_000))
    with pytest.raises(BadInput, match=got):
        prepare(decoded(f'path = "{tmp_path}/rows.npz"\nmemory_mb = 1', tail=SIZES))


def test_a_truncated_npz_is_refused(tmp_path: Path) -> None:
    """Half of the rows are not all of them."""
    _npz(tmp_path)
    content = (tmp_path / "rows.npz").read_bytes()
    (tmp_path / "rows.npz").write_bytes(content[: len(content) // 2])
    with pytest.raises(BadInput, match=r"data\.path is a file that numpy\.savez wrote"):
        prepare(decoded(f'path = "{tmp_path}/rows.npz"\nmemory_mb = 1', tail=SIZES))
