"""training.data.readers: every format gives the same rows."""

import json
from pathlib import Path

import boto3
import numpy as np
import polars as pl
import pytest
from moto import mock_aws
from PIL import Image

from tests.training.data.files import HEADER, decoded, folders, lines, picture, prepared, write
from training.data import fresh
from training.data.preparation import PreparedData
from training.data.readers import load
from weir.catalog.columns import Category, Date, Number
from weir.catalog.inputs import Picture, Table, Text
from weir.errors import BadInput, StoreUnavailable

RECORDS = [
    dict(zip(HEADER.split(","), (float(row.split(",")[0]), *row.split(",")[1:]), strict=True)) for row in lines()
]


def _csv(path: Path, delimiter: str = ",", encoding: str = "utf-8", decimal: str = ".") -> Path:
    """Write the rows as a .csv of another dialect."""
    rows = [[str(value) for value in record.values()] for record in RECORDS]
    quote = '"' if delimiter == decimal else ""
    quoted = [[f"{quote}{cell.replace('.', decimal)}{quote}" for cell in row] for row in rows]
    text = "\r\n".join(delimiter.join(row) for row in [HEADER.split(","), *quoted])
    return write(path, text.encode(encoding))


@pytest.fixture(scope="module")
def expected(tmp_path_factory: pytest.TempPathFactory) -> PreparedData:
    return prepared(_csv(tmp_path_factory.mktemp("plain") / "a.csv"))


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-be", "utf-32", "cp1252"])
@pytest.mark.parametrize("decimal", [".", ","])
def test_every_dialect_gives_the_same_rows(
    delimiter: str, encoding: str, decimal: str, tmp_path: Path, expected: PreparedData
) -> None:
    """Delimiter, encoding and decimal sign are sniffed."""
    assert prepared(_csv(tmp_path / "a.csv", delimiter, encoding, decimal)).digest == expected.digest


def test_a_dialect_may_be_stated(tmp_path: Path, expected: PreparedData) -> None:
    """What a file does not show, a task says."""
    path = _csv(tmp_path / "a.csv", "#", "utf-16-le", ",")
    keys = 'target = "churned"\ncsv = {delimiter = "#", encoding = "utf-16-le", decimal = ","}'
    assert prepared(path, keys).digest == expected.digest


def test_every_format_gives_the_same_rows(tmp_path: Path, expected: PreparedData) -> None:
    """CSV, Parquet and JSON Lines; one file, several by a pattern, or all of a folder."""
    frame = pl.DataFrame(RECORDS)
    frame.write_parquet(tmp_path / "a.parquet")
    write(tmp_path / "a.jsonl", "\n".join(json.dumps(record) for record in RECORDS) + "\n\n")
    write(tmp_path / "parts" / "1.csv", "\n".join([HEADER, *lines()[:150]]))
    write(tmp_path / "parts" / "2.csv", "\n".join([HEADER, *lines()[150:]]))
    for path in ("a.parquet", "a.jsonl", "parts/*.csv", "parts", "p*s/[12].csv"):
        assert prepared(tmp_path / path).digest == expected.digest, path


@mock_aws  # type: ignore[untyped-decorator]
def test_objects_of_s3_are_read(tmp_path: Path, expected: PreparedData, monkeypatch: pytest.MonkeyPatch) -> None:
    """One, several by a pattern, or all below a prefix; a bucket or a key that does not exist is an error."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    s3 = boto3.client("s3")
    s3.create_bucket(Bucket="data")
    for key, rows in (("all/a.csv", lines()), ("parts/1.csv", lines()[:9]), ("parts/2.csv", lines()[9:])):
        s3.put_object(Bucket="data", Key=key, Body="\n".join([HEADER, *rows]).encode())
    for path in ("all/a.csv", "parts/*.csv", "parts", "parts/"):
        assert prepared(f"s3://data/{path}").digest == expected.digest, path
    root = folders(tmp_path / "p", "cat", "dog")
    for file in root.rglob("*.png"):
        s3.upload_file(str(file), "data", f"pictures/{file.relative_to(root)}")
    assert prepared("s3://data/pictures", "picture.size = [8, 8]").label_names == ("cat", "dog")
    with pytest.raises(BadInput, match="objects that exist"):
        prepared("s3://data/none.csv")
    with pytest.raises(StoreUnavailable, match=r"s3://other/a\.csv"):
        prepared("s3://other/a.csv")


ALL = """day,n,whole,flag,word,words,photo,label
2020-01-31,1.5,3,true,a,the first of many texts,1.png,x
2020-02-28T10:00,,4,false,b,one of the other texts,2.png,y
,2.5,5,true,a,the next text that comes,3.png,x
2021-05-01,-3,5,true,,and the last of these,4.png,y
2021-05-02,-3,5,true,b,"twice, as it were, it is",4.png,y"""


def test_each_kind_of_column_is_guessed(tmp_path: Path) -> None:
    """A row of several inputs is a structured array: the table first, then texts, then pictures."""
    for number in range(1, 5):
        picture(tmp_path / f"{number}.png", number)
    data = load(decoded(f'path = "{write(tmp_path / "a.csv", ALL)}"\ntarget = "label"\npicture.size = [4, 5]').data)
    table, text, photo = data.inputs
    assert isinstance(table, Table)
    assert table.columns == (
        Date(name="day", optional=True),
        Number(name="n", optional=True),
        Number(name="whole", datatype="INT64"),
        Number(name="flag", datatype="BOOL"),
        Category(name="word", vocabulary=("a", "b")),
    )
    assert text == Text(name="words", most_bytes=32, meaning="UTF-8")
    assert isinstance(photo, Picture)
    assert (photo.name, photo.row_shape) == ("photo", (4, 5))
    np.testing.assert_array_equal(data.rows[:]["table"][1, [1, 2, 4, 5, 6, 7]], [2, 4, np.nan, 4, 0, 3])
    assert bytes(data.rows[0]["words"].astype(np.uint8)).rstrip(b"\0") == b"the first of many texts"
    assert data.labels.tolist() == [0, 1, 0, 1, 1]
    assert data.notes == (
        ".csv read as utf-8, delimiter ,, decimal sign .",
        "columns: day date, n number, whole number, flag number, word category, words text, photo picture",
    )


def test_kinds_may_be_stated(tmp_path: Path) -> None:
    """A number may be a category, and a category a text; what is ignored is not read."""
    keys = 'target = "label"\nignore = ["photo", "day"]\ntext.most_bytes = 8\n'
    keys += 'columns = {whole = "category", word = "text"}'
    table, word, words = load(decoded(f'path = "{write(tmp_path / "a.csv", ALL)}"\n{keys}').data).inputs
    assert isinstance(table, Table)
    assert table.columns[1] == Category(name="whole", vocabulary=("3", "4", "5"))
    assert (word.name, words.name, word.row_shape) == ("word", "words", (8,))


@pytest.mark.parametrize(
    ("values", "names"),
    [
        (["10", "2", "a1", "1"], ("1", "2", "10", "a1")),
        ([10, 2, 1, 10], ("1", "2", "10")),
        ([1.0, 0.0, 1.0, None], ("0", "1")),
        ([True, False, True, None], ("false", "true")),
        (["x10", "x9", "X1", "x9"], ("X1", "x9", "x10")),
    ],
)
def test_labels_are_named_naturally(values: list[object], names: tuple[str, ...], tmp_path: Path) -> None:
    """Texts, numbers and booleans are labels; 2 comes before 10."""
    pl.DataFrame({"n": [1.5, 2.5, 4.0, 3.0] * 2, "label": values * 2}, strict=False).write_parquet(
        tmp_path / "a.parquet"
    )
    assert load(decoded(f'path = "{tmp_path / "a.parquet"}"\ntarget = "label"').data).label_names == names


def test_a_table_of_an_array_is_read(tmp_path: Path) -> None:
    """`x` of two dimensions is a table of numbers, whose columns may have names."""
    random = np.random.default_rng(0)
    x = random.normal(0, 1, (200, 3))
    x[0, 1] = np.nan
    np.savez(tmp_path / "a.npz", x=x, y=np.arange(200) % 2, column_names=np.array(["a", "b", "c"]))
    data = prepared(tmp_path / "a.npz", "")
    assert isinstance(data.input, Table)
    assert [(column.name, column.optional) for column in data.input.columns] == [
        ("a", False),
        ("b", True),
        ("c", False),
    ]
    assert data.cleaning.kept == 200


def test_folders_are_labels(tmp_path: Path) -> None:
    """Of nested folders the outer are groups; hidden and other files are left alone."""
    root = folders(tmp_path / "p", "pets/cat", "pets/dog", "wild/fox", "other")
    write(root / "pets" / "notes.md", b"x")
    write(root / ".cache" / "a.png", b"x")
    data = prepared(root, "picture.size = [6, 7]")
    assert data.label_names == ("cat", "dog", "fox", "other")
    assert data.hierarchy == {"pets": ("cat", "dog"), "wild": ("fox",)}
    assert data.input.row_shape == (6, 7)
    assert data.cleaning.warnings == ("1 other files are ignored",)


def test_existing_parts_are_respected(tmp_path: Path) -> None:
    """`val` is for validation, `test` for the test; certification rows come from `train`."""
    folders(tmp_path / "p" / "train", "cat", "dog", each=60)
    for part, seeds in (("val", range(2000, 2012)), ("test", range(3000, 3009))):
        for seed in seeds:
            picture(tmp_path / "p" / part / ("cat" if seed % 2 else "dog") / f"{seed}.png", seed)
    data = prepared(tmp_path / "p", "picture.size = [8, 8]", "[sizes]\ncertification = 30")
    assert [len(part.labels) for part in (data.train, data.validation, data.certification, data.test)] == [
        90,
        12,
        30,
        9,
    ]
    with pytest.raises(BadInput, match=r"sizes\.validation is absent when"):
        prepared(tmp_path / "p", "", "[sizes]\nvalidation = 30")
    with pytest.raises(BadInput, match=r"sizes\.test is 0 when"):
        prepared(tmp_path / "p", "", "[sizes]\ntest = 30")


def test_colours_are_kept_unless_all_pictures_are_grey(tmp_path: Path) -> None:
    """A task may say which, too."""
    grey, colour = folders(tmp_path / "grey", "a", "b", each=2), tmp_path / "colour"
    for label in ("a", "b"):
        picture(colour / label / "1.jpg", 1, colour=True)
        Image.fromarray(np.full((3, 3, 3), 7, np.uint8)).save(colour / label / "2.png")
    for path, keys, shape in (
        (grey, "", (32, 32)),
        (colour, "", (32, 32, 3)),
        (colour, "picture.channels = 1", (32, 32)),
        (grey, "picture.channels = 3", (32, 32, 3)),
    ):
        assert load(decoded(f'path = "{path}"\n{keys}').data).rows.shape[1:] == shape


def test_folders_of_texts_are_read(tmp_path: Path) -> None:
    """Where there are no pictures, .txt files are texts."""
    for number in range(60):
        write(tmp_path / "p" / "ab"[number % 2] / f"{number}.txt", f"text {'x' * number} of {'many' * (number % 2)}")
    data = prepared(tmp_path / "p", "")
    assert isinstance(data.input, Text)
    assert data.label_names == ("a", "b")


def test_further_rows_are_read_by_the_columns_of_the_training(tmp_path: Path) -> None:
    """Columns may come in another order and format; labels are those of the model."""
    data = prepared(_csv(tmp_path / "a.csv"))
    more = [{"churned": "no", "plan": "free", "other": 1, "age": 1.5 + number} for number in range(30)]
    path = write(tmp_path / "more.jsonl", "\n".join(json.dumps(one) for one in more))
    rows = fresh.load(path, data)
    assert rows.labelled
    assert len(rows.split.labels) == 30
    assert rows.split.inputs[0].tolist() == [1.5, 2]
    again = fresh.load(write(tmp_path / "again.csv", "plan,age\n" + "\n".join(f"gold,{n}.25" for n in range(9))), data)
    assert not again.labelled
    for content, message in (
        ("age,churned\n1,no", "a file has the column plan"),
        ("age,plan\nx,gold", "age has numbers"),
    ):
        with pytest.raises(BadInput, match=message):
            fresh.load(write(tmp_path / "bad.csv", content), data)
    with pytest.raises(BadInput, match=r"a label of the model for each row .* Got: 'maybe' in row 0"):
        fresh.load(write(tmp_path / "bad.csv", "age,plan,churned\n1,gold,maybe"), data)


def test_rows_seen_before_are_dropped(tmp_path: Path) -> None:
    """A table's rows are known again, missing values among them."""
    rows = [f",{row}" if number % 7 == 0 else f"{number},{row}" for number, row in enumerate(lines())]
    path = write(tmp_path / "a.csv", "\n".join([f"more,{HEADER}", *rows]))
    data = prepared(path)
    with pytest.raises(BadInput, match=r"have not seen\. Got: 0 fresh rows"):
        fresh.load(path, data, certification_seen=True)
