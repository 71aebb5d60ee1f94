"""training.data.splits.split, by group and by time; near-duplicates; rare labels; vocabularies."""

import itertools
from pathlib import Path

import msgspec
import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from tests.training.data import files
from tests.training.data.files import HEADER, folders, lines, prepared, write
from tests.training.pictures import picture
from training.data.columns import vocabulary
from training.data.preparation import PreparedData
from training.data.splits import near_duplicates
from training.data.splits.group_split import cut_whole_groups
from weir.catalog.columns import Category, Number
from weir.catalog.inputs import Table, Text
from weir.errors import BadInput
from weir.inputs.text import TextReader

PARTS = ("train", "validation", "certification", "test")
RANDOM = np.random.default_rng(0)


def _columns(data: PreparedData, place: int) -> dict[str, NDArray[np.float32]]:
    return {part: getattr(data, part).inputs[:, place] for part in PARTS}


def _table(folder: Path, rows: int = 1000, **columns: object) -> Path:
    frame = {"n": RANDOM.normal(0, 1, rows), "label": [f"l{number % 3}" for number in range(rows)], **columns}
    pl.DataFrame(frame).write_parquet(folder / "a.parquet")
    return folder / "a.parquet"


def test_rows_of_one_group_stay_in_one_split(tmp_path: Path) -> None:
    """Parts have about their sizes, and about the shares of the labels."""
    groups = np.repeat(np.arange(200), 5)
    path = _table(tmp_path, patient=[f"p{number}" for number in groups], again=groups)
    data = prepared(path, 'target = "label"\ngroup = "patient"\ncolumns = {again = "number"}')
    assert [column.name for column in data.input.columns] == ["n", "again"]  # type: ignore[union-attr]
    found = {part: set(values.tolist()) for part, values in _columns(data, 1).items()}
    for one, other in itertools.combinations(PARTS, 2):
        assert not found[one] & found[other]
    sizes = {part: len(getattr(data, part).labels) for part in PARTS}
    for part, size in (("validation", 100), ("certification", 150), ("test", 150)):
        assert abs(sizes[part] - size) <= 5
        counts = np.bincount(getattr(data, part).labels)
        assert counts.max() - counts.min() <= 15
    assert any("independent" in note for note in data.notes)


@given(st.integers(0, 1000), st.integers(10, 60), st.lists(st.integers(1, 8), min_size=40, max_size=80))
@settings(deadline=None, max_examples=40)
def test_groups_are_cut_whole(seed: int, size: int, sizes: list[int]) -> None:
    """Whatever their sizes, each is on one side, and the part is at most as large as wanted."""
    groups = np.repeat(np.arange(len(sizes)), sizes).astype(np.int64)
    groups[:5] = -1
    labels = np.random.default_rng(seed).integers(0, 3, len(groups))
    rows = np.arange(len(groups))
    rest, taken = cut_whole_groups(rows, size, "test", labels=labels, groups=groups, seed=seed)
    assert sorted([*rest, *taken]) == rows.tolist()
    assert not (set(groups[rest].tolist()) & set(groups[taken].tolist())) - {-1}
    assert size / 2 <= len(taken) <= size


def test_training_rows_are_the_earliest(tmp_path: Path) -> None:
    """Test rows are the latest; those that certify and validate come between, and are of one time."""
    days = RANDOM.permutation(1000)
    dates = [str(np.datetime64("2020-01-01") + np.timedelta64(int(day), "D")) for day in days]
    data = prepared(_table(tmp_path, day=dates), 'target = "label"\ntime = "day"\ncolumns = {day = "date"}')
    found = _columns(data, 1)
    between = np.concatenate([found["validation"], found["certification"]])
    assert found["train"].max() < between.min()
    assert between.max() < found["test"].min()
    assert abs(found["validation"].mean() - found["certification"].mean()) < 60
    assert [len(found[part]) for part in PARTS] == [600, 100, 150, 150]


TEXT = "The quick brown fox jumps over the lazy dog while number 4711 watches from the hill, and nothing else happens. "


def _encoded(texts: list[str]) -> NDArray[np.int32]:
    return TextReader(Text(name="t", most_bytes=256)).encoded(texts)


def test_nearly_equal_texts_are_together() -> None:
    """The same but for case, digits, blanks and punctuation; or with a word changed in a long text."""
    others = [" ".join(RANDOM.choice(list("abcdefghijk"), 40)) + str(number) for number in range(100)]
    texts = [
        "Hello, World!",
        "hello world",
        "hello you",
        TEXT,
        TEXT.replace("4711", "15 "),
        TEXT.replace("lazy", "idle"),
        *others,
    ]
    found = near_duplicates.clusters(_encoded(texts), (Text(name="t", most_bytes=256),))
    assert found[0] == found[1] >= 0
    assert found[3] == found[4] == found[5] >= 0
    assert found[0] != found[3]
    assert found[2] == -1
    assert (found[6:] == -1).mean() > 0.95


@pytest.mark.parametrize("shape", [(28, 28), (32, 32, 3), (6, 7)])
def test_nearly_equal_pictures_are_together(shape: tuple[int, ...]) -> None:
    """A little noise or light makes no other picture; noise of its own does."""
    rows = RANDOM.uniform(0, 200, (200, *shape)).astype(np.float32)
    rows[1], rows[2] = rows[0] + 2, np.clip(rows[0] + RANDOM.normal(0, 0.5, shape), 0, 255)
    one = picture(shape[0], shape[1])
    if len(shape) == 3:
        one = msgspec.structs.replace(one, shape=(-1, *shape))
    found = near_duplicates.clusters(rows, (one,))
    assert found[0] == found[1] == found[2] >= 0
    assert (found[3:] == -1).all()


def test_nearly_equal_rows_of_a_table_are_together() -> None:
    """Numbers agree in four digits; categories exactly, and what is missing in both."""
    table = Table(name="t", columns=(Number(name="a", optional=True), Category(name="b", vocabulary=("x", "y"))))
    rows = RANDOM.normal(0, 1, (100, 2)).astype(np.float32)
    rows[:, 1] = 2
    rows[0], rows[1], rows[2] = (123.412, 2), (123.414, 2), (123.412, 3)
    rows[3], rows[4] = (np.nan, 2), (np.nan, 2)
    found = near_duplicates.clusters(rows, (table,))
    assert found[0] == found[1] >= 0
    assert found[3] == found[4] >= 0
    assert found[2] == -1
    assert (found[5:] == -1).all()


def test_a_rule_that_is_too_coarse_is_left_out() -> None:
    """Where most rows would be one cluster, the rule says nothing."""
    table = Table(name="t", columns=(Category(name="b", vocabulary=("x", "y")),))
    rows = RANDOM.integers(2, 4, (100, 1)).astype(np.float32)
    assert (near_duplicates.clusters(rows, (table,)) == -1).all()


def test_groups_and_clusters_are_joined() -> None:
    """A row of a group and one of a cluster bring all of both together."""
    found = near_duplicates.merged(np.array([0, 0, 1, -1, -1, -1]), np.array([-1, 5, -1, 5, -1, -1]))
    assert found[0] == found[1] == found[3] >= 0
    assert found[2] not in (-1, found[0])
    assert found[4:].tolist() == [-1, -1]


def test_near_duplicates_stay_in_one_split(tmp_path: Path) -> None:
    """Copies of a text that differ in a digit are never on two sides."""
    texts = [f"text {' '.join(map(str, RANDOM.choice(list('abcdefgh'), 12)))} of day" for _ in range(300)]
    copies = [
        f'"{text.upper() if copy else text} {copy}",{"xy"[number % 2]}'
        for number, text in enumerate(texts)
        for copy in (1, 2)
    ]
    data = prepared(write(tmp_path / "a.csv", "\n".join(["text,label", *copies])), 'target = "label"')
    seen = {part: {bytes(row.astype(np.uint8)).lower()[:30] for row in getattr(data, part).inputs} for part in PARTS}
    for one, other in itertools.combinations(PARTS, 2):
        assert not seen[one] & seen[other]
    assert "600 rows that are nearly equal stay in one split with each other" in data.notes


def test_rows_of_a_coarse_table_are_not_copies(tmp_path: Path) -> None:
    """Rows of a few categories coincide: to drop them would change how frequent each is."""
    rows = [f"{'ab'[n % 2]},{'cd'[n // 2 % 2]},{'xy'[n % 3 == 0]}" for n in range(300)]
    data = prepared(write(tmp_path / "a.csv", "\n".join(["a,b,label", *rows])), 'target = "label"')
    assert (data.cleaning.kept, data.cleaning.duplicate) == (300, 0)


def test_rare_labels_are_left_out(tmp_path: Path) -> None:
    """They could not be in every split; their numbers follow."""
    rows = [*lines(), "1,gold,rare", "2,free,also"]
    data = prepared(write(tmp_path / "a.csv", "\n".join([HEADER, *rows])))
    assert data.label_names == ("no", "yes")
    assert any("also (1), rare (1)" in warning for warning in data.cleaning.warnings)
    assert set(data.train.labels.tolist()) == {0, 1}


def test_a_group_of_rare_labels_is_left_out(tmp_path: Path) -> None:
    """A group without labels is none; the others keep theirs."""
    root = folders(tmp_path / "p", "pets/cat", "pets/dog", "wild/fox")
    for seed, label in ((9000, "lost/dodo"), (9001, "wild/quagga")):
        files.picture(root / label / "1.png", seed)
    data = prepared(root, "picture.size = [6, 7]")
    assert data.label_names == ("cat", "dog", "fox")
    assert data.hierarchy == {"pets": ("cat", "dog"), "wild": ("fox",)}


def test_a_vocabulary_has_what_training_rows_have_often() -> None:
    """Rarer entries, and those of other rows alone, are unknown; missing stays missing."""
    category = Category(name="b", vocabulary=("few", "many", "others", "some"))
    table = Table(name="t", columns=(Number(name="a"), category))
    codes = np.array([2] * 4 + [3] * 9 + [5] * 5 + [0] * 2 + [4] * 9, np.float32)
    rows = np.stack([np.zeros_like(codes), codes], axis=1)
    settled_rows, (settled,), notes = vocabulary.settled(rows, (table,), np.arange(20))
    assert isinstance(settled, Table)
    assert settled.columns[1] == Category(name="b", vocabulary=("many", "some"))
    assert settled_rows[:][:, 1].tolist() == [1] * 4 + [2] * 9 + [3] * 5 + [0] * 2 + [1] * 9
    assert notes == ("b: 2 categories; 2 in fewer than 5 training rows count as unknown",)
    assert rows[0, 1] == 2


def test_a_vocabulary_has_at_most_300_entries() -> None:
    """The most frequent."""
    category = Category(name="b", vocabulary=tuple(map(str, range(400))))
    codes = np.concatenate([np.repeat(np.arange(2, 402), 5), np.arange(102, 402)]).astype(np.float32)[:, None]
    _, (settled,), _ = vocabulary.settled(codes, (Table(name="t", columns=(category,)),), np.arange(len(codes)))
    assert settled.columns == (Category(name="b", vocabulary=tuple(map(str, range(100, 400)))),)  # type: ignore[union-attr]


def test_groups_too_large_for_a_part_are_refused() -> None:
    """The error says how large the largest is."""
    rows, labels = np.arange(100), np.arange(100) % 2
    with pytest.raises(BadInput, match=r"about 30 rows for test, in whole groups.* the largest group has 50"):
        cut_whole_groups(rows, 30, "test", labels=labels, groups=rows // 50, seed=0)
