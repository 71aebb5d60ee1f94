"""Broken data, through the entry point that a training has: one clear error or warning each, and never a traceback."""

import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from tests.training.data.files import HEADER, LEVELS, decoded, folders, lines, picture, prepared, write
from training import task
from training.data.preparation import PreparedData, prepare
from weir.errors import WeirError

Make = Callable[[Path], Path]
PICTURES = "[data.picture]\nsize = [8, 8]"


def _csv(*rows: str, header: str = HEADER, encoding: str = "utf-8") -> Make:
    return lambda folder: write(folder / "a.csv", "\n".join([header, *rows]).encode(encoding))


def _with(**replaced: str) -> list[str]:
    """Replace whole lines, by their number."""
    rows = lines()
    for name, row in replaced.items():
        rows[int(name.removeprefix("row"))] = row
    return rows


def _empty(folder: Path) -> Path:
    (folder / "pictures").mkdir()
    return folder / "pictures"


def _unreadable(folder: Path) -> Path:
    write(folder / "p" / "cat" / "broken.png", b"\x89PNG\r\n\x1a\nnothing")
    return folders(folder / "p", "cat", "dog")


def _all_unreadable(folder: Path) -> Path:
    for label in ("cat", "dog"):
        write(folder / "p" / label / "a.jpg", b"\xff\xd8nothing")
    return folder / "p"


def _loop(folder: Path) -> Path:
    root = folders(folder / "p", "cat", "dog")
    (root / "cat" / "again").symlink_to(root, target_is_directory=True)
    return root


def _lost_link(folder: Path) -> Path:
    root = folders(folder / "p", "cat", "dog")
    (root / "cat" / "gone.png").symlink_to(folder / "nowhere.png")
    return root


def _only_in_test(folder: Path) -> Path:
    folders(folder / "p" / "train", "cat", "dog", each=60)
    folders(folder / "p" / "test", "cat", "dog", each=10)
    picture(folder / "p" / "test" / "fox" / "a.png", 99)
    return folder / "p"


def _at_the_top(folder: Path) -> Path:
    return picture(folder / "p" / "a.png", 1).parent


def _texts(*texts: str) -> Make:
    rows = [f'"sentence {number} is about the number {number * number}",{"ab"[number % 2]}' for number in range(200)]
    rows[: len(texts)] = [f"{text},a" for text in texts]
    return _csv(*rows, header="text,churned")


def _npz(folder: Path) -> Path:
    np.savez(folder / "a.npz", x=np.zeros((5, 0)), y=np.zeros(5, int))
    return folder / "a.npz"


def _two_with_other_columns(folder: Path) -> Path:
    write(folder / "b1.csv", "\n".join([HEADER, *lines()]))
    write(folder / "b2.csv", "\n".join(["age,plan,tenure", *lines()]))
    return folder / "b*.csv"


def _nested(folder: Path) -> Path:
    pl.DataFrame({"a": [[1], [2]], "churned": ["x", "y"]}).write_parquet(folder / "a.parquet")
    return folder / "a.parquet"


LONG = [f"{row},{number}" for number, row in enumerate(lines())]
ERRORS: list[tuple[str, Make, str, str]] = [
    ("empty folder", _empty, "", r"data\.path has folders of \.png, .*pictures: no files"),
    ("no such path", lambda folder: folder / "nowhere.csv", "", r"names files, or a folder, that exist.*nowhere\.csv"),
    ("no file of a pattern", lambda folder: folder / "*.csv", "", r"names files, or a folder, that exist"),
    (
        "pictures beside folders",
        _at_the_top,
        "",
        r"pictures are in folders named as their labels\. Got: 1 files, all at",
    ),
    ("every picture unreadable", _all_unreadable, "", r"some pictures can be read\. Got: none of 2; a\.jpg: "),
    ("broken quote", _csv(*_with(row3='"31,gold,no')), "", r"a quote in a.csv is closed .*begins on line 5"),
    ("text behind a quote", _csv(*_with(row3='31,"go"ld,no')), "", r"a quote in a.csv is closed .*begins on line 5"),
    ("more cells", _csv(*_with(row3="31,gold,no,1")), "", r"a cell for each of its 3 columns .* Got: 4 in line 5"),
    ("fewer cells", _csv(*_with(row3="31,gold")), "", r"a cell for each of its 3 columns .* Got: 2 in line 5"),
    (
        "wrong delimiter",
        _csv(*lines()),
        '[data.csv]\ndelimiter = ";"',
        r"data\.target names columns of the data, age,plan,churned\. Got: churned.* is data\.csv\.delimiter right\?",
    ),
    (
        "unknown encoding",
        _csv(*lines()),
        '[data.csv]\nencoding = "klingon"',
        "encoding is .* Python knows.* Got: klingon",
    ),
    ("wrong encoding", _csv(*_with(row1="30,öl,no")), '[data.csv]\nencoding = "ascii"', "a.csv is text in ascii; data"),
    (
        "bytes of 0",
        lambda folder: write(folder / "a.csv", b"a,churned\n1,\0\n"),
        "",
        r"text, or files .*a\.csv: bytes of 0",
    ),
    (
        "no target",
        _csv(*lines()),
        'target = ""',
        r"data\.target names the column of the labels\. Got: the columns age,",
    ),
    (
        "target missing",
        _csv(*lines()),
        'target = "churn"',
        r"names columns of the data.* Got: churn; did you mean churned\?",
    ),
    ("ignored column missing", _csv(*lines()), 'ignore = ["aged"]', r"data\.ignore names columns .*did you mean age\?"),
    ("no label at all", _csv(*[row[:-3] for row in ["1,a,yes"] * 9]), "", "has labels; churned. Got: no row"),
    (
        "regression",
        _csv(*LONG, header="age,plan,x,churned"),
        "",
        "a label for each row, not a quantity; churned.* regression",
    ),
    (
        "fractions",
        _csv(*[f"{row},{number % 50 / 4}" for number, row in enumerate(lines())], header="age,plan,x,churned"),
        "",
        r"not a quantity; churned\. Got: 50 different numbers in 200 rows",
    ),
    (
        "identifiers as labels",
        _csv(*[f"{row},n{number}" for number, row in enumerate(lines())], header="age,plan,x,churned"),
        "",
        "rows share the labels of data.target; churned. Got: 200 labels for as many rows",
    ),
    (
        "10,000 classes",
        _csv(*[f"{number},{number % 7},c{number % 10000}" for number in range(20000)]),
        "",
        "at most 1000 labels; churned. Got: 10000",
    ),
    ("one class", _csv(*["1,a,yes", "2,b,yes", "3,c,yes"] * 9), "", r"at least two labels\. Got: yes"),
    ("duplicate header", _csv(*lines(), header="age,age,churned"), "", "have different names. Got: age, 2 times"),
    ("no header", _csv(*["1,2,3"] * 9, header="4,5,6"), "", "the first line of a.csv names the columns. Got: 4, 5, 6"),
    ("no rows", _csv(), "", r"data\.path has rows\. Got: none below the columns age, plan, churned"),
    ("an empty file", lambda folder: write(folder / "a.csv", b""), "", r"a\.csv has rows\. Got: an empty file"),
    (
        "nothing but the target",
        _csv(*["yes", "no"] * 50, header="churned"),
        "",
        "columns beside the target to learn from",
    ),
    ("too few rows", _csv(*lines(8)), "", "at least two labels have"),
    (
        "label only in test",
        _only_in_test,
        PICTURES,
        "label of the test set is among the training rows. Got: none of fox",
    ),
    (
        "mixed types of a stated kind",
        _csv(*lines()),
        'columns = {plan = "number"}',
        "kind number has numbers; plan.*such as",
    ),
    (
        "broken JSON",
        lambda folder: write(folder / "a.jsonl", b'{"a": 1}\n{"a": \n'),
        "",
        r"a JSON object .* Got: line 2: ",
    ),
    (
        "a list in JSON",
        lambda folder: write(folder / "a.jsonl", b'{"a": [1]}\n'),
        "",
        r"a JSON object .* Got: line 1: ",
    ),
    ("no Parquet", lambda folder: write(folder / "a.parquet", b"PAR1"), "", r"a\.parquet is a Parquet file"),
    ("lists in Parquet", _nested, "", r"to learn from\. Got: a is left out: its values are of the type List"),
    (
        "another format",
        lambda folder: write(folder / "a.xlsx", b"PK"),
        "",
        r"data\.path names files of \.csv.*Got: a\.xlsx",
    ),
    ("an empty array", _npz, "", "a table x has rows and columns of numbers"),
    ("other columns", _two_with_other_columns, "", "the same columns. Got: only some have churned, tenure"),
    ("a group and a time", _csv(*lines()), 'group = "plan"\ntime = "age"', r"split by data\.group or by data\.time"),
    (
        "times that are none",
        _csv(*lines()),
        'time = "plan"',
        r"numbers, or dates of ISO 8601 .*plan\. Got: neither in 200",
    ),
    (
        "one group",
        _csv(*[f"{row},1" for row in lines()], header="age,plan,churned,g"),
        'group = "g"',
        "in whole groups",
    ),
]

_KEPT = lines()
WARNINGS: list[tuple[str, Make, str, str, int]] = [
    (
        "an unreadable picture",
        _unreadable,
        PICTURES,
        "1 of 81 pictures can't be read and are left out, such as broken.png",
        80,
    ),
    (
        "a symbolic-link loop",
        _loop,
        PICTURES,
        "again in cat is a symbolic link to a folder around it; it is skipped",
        80,
    ),
    ("a link to nothing", _lost_link, PICTURES, "gone.png in cat is a symbolic link to nothing; it is skipped", 80),
    (
        "mixed types",
        _csv(*_with(row3="old,gold,no")),
        "",
        "age: 1 values are no numbers, such as 'old'; they count as",
        200,
    ),
    (
        "NaN target",
        _csv(*_with(row3="31,gold,NaN", row4="30,free,")),
        "",
        "2 of 200 rows have no churned; they are",
        198,
    ),
    ("not UTF-8", _csv(*_with(row3="31,münz,no"), encoding="latin-1"), "", "not UTF-8; it is read as cp1252", 200),
    (
        "an all-missing column",
        _csv(*[f"{row}," for row in _KEPT], header=f"{HEADER},more"),
        "",
        "more is left out: no row has a value",
        200,
    ),
    (
        "a constant column",
        _csv(*[f"{row},1" for row in _KEPT], header=f"{HEADER},m"),
        "",
        "m is left out: all rows",
        200,
    ),
    (
        "identifiers",
        _csv(*[f"{row},k{n}x" for n, row in enumerate(_KEPT)], header=f"{HEADER},m"),
        "",
        "as many values as",
        200,
    ),
    ("row numbers", _csv(*LONG, header=f"{HEADER},m"), "", "m is left out: it numbers the rows", 200),
    (
        "a class with one example",
        _csv(*_with(row3="31,gold,maybe")),
        "",
        "1 rows are left out, of labels with .* maybe",
        199,
    ),
    ("empty texts", _texts('""', '""'), "", "", 198),
    ("texts that are equal", _texts("one", "one", "one"), "", "", 198),
]


@pytest.mark.parametrize(("make", "keys", "message"), [row[1:] for row in ERRORS], ids=[row[0] for row in ERRORS])
def test_an_error_says_what_is_wrong(make: Make, keys: str, message: str, tmp_path: Path) -> None:
    """It states the rule, and what came."""
    with pytest.raises(WeirError, match=message):
        _prepared(make(tmp_path), keys)


@pytest.mark.parametrize(
    ("make", "keys", "warning", "kept"), [row[1:] for row in WARNINGS], ids=[row[0] for row in WARNINGS]
)
def test_what_can_be_left_out_is_warned_of(make: Make, keys: str, warning: str, kept: int, tmp_path: Path) -> None:
    """The other rows are kept."""
    data = _prepared(make(tmp_path), keys)
    assert not warning or any(re.search(warning, one) for one in data.cleaning.warnings), data.cleaning.warnings
    assert sum(len(part.labels) for part in (data.train, data.validation, data.certification, data.test)) == kept


def _prepared(path: Path, keys: str) -> PreparedData:
    targeted = "target" in keys or path.is_dir() or path.suffix == ".npz"
    return prepared(path, keys if targeted else f'target = "churned"\n{keys}')


def test_a_text_of_10_mb_is_cut(tmp_path: Path) -> None:
    """It is no reason to refuse a file, or to give every row 10 MB."""
    data = prepared(_texts('"' + "long " * 2_000_000 + '"')(tmp_path))
    assert data.input.row_shape == (64,)


def test_a_mark_of_the_byte_order_belongs_to_no_name(tmp_path: Path) -> None:
    """UTF-8 and UTF-16 with a mark are read as they are."""
    for encoding in ("utf-8-sig", "utf-16", "utf-16-le", "utf-32"):
        path = write(tmp_path / f"{encoding}.csv", "\n".join([HEADER, *lines()]).encode(encoding))
        assert prepared(path).notes[1] == "columns: age number, plan category"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('[data]\npth = "a.csv"', r"line 3: unknown key data\.pth; did you mean path\?"),
        (
            '[data]\npath = "a.csv"\ncsv.delimeter = ";"',
            r"line 4: unknown key data\.csv\.delimeter; did you mean delimiter\?",
        ),
        ("[data]\npath = 3", "line 3: Expected `str`, got `int`"),
        ('[data]\npath = "a"\n[data.columns]\nage = "numbr"', "line 4: Invalid enum value 'numbr'"),
        ("[data", r"at line 2, column 6"),
        ("[data]", r"data\.path names files, or data\.source a source\. Got: neither"),
        ('[data]\nsource = "digits"\ntarget = "a"', r"data\.target is for files of data\.path"),
        ('[data]\npath = "a"\ntarget = "b"\nignore = ["b"]', r"data\.ignore lists neither the target nor"),
    ],
)
def test_a_task_file_names_the_line(text: str, message: str) -> None:
    """An unknown key, a wrong type, and what is no TOML; a key that looks like another is suggested."""
    with pytest.raises(WeirError, match=message):
        task.decode(f'name = "a"\n{text}\n{LEVELS}'.encode())


def test_a_size_that_the_data_leave_no_room_for_is_refused(tmp_path: Path) -> None:
    """The sizes of a task stand, whatever the data."""
    path = _csv(*lines())(tmp_path)
    with pytest.raises(WeirError, match="500 rows for certification"):
        prepare(decoded(f'path = "{path}"\ntarget = "churned"', tail="[sizes]\ncertification = 500"))
