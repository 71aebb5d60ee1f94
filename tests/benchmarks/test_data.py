"""benchmarks.data: its sets, their tasks, what is written of packages, and scikit-learn's models on prepared rows."""

import struct
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from numpy.typing import NDArray
from PIL import Image

from benchmarks import data, data_baselines, data_pictures, data_sets, data_tables, data_texts
from benchmarks.data_baselines import Predicted
from benchmarks.data_results import Baseline
from benchmarks.data_sets import SETS, DataSet
from training.data.cleaning import Cleaning
from training.data.preparation import PreparedData
from training.data.splits.split import Split
from training.task import load
from weir.catalog.columns import Category, Number
from weir.catalog.inputs import Input, Picture, Table, Text

NUMBERS = np.random.default_rng(0)


@pytest.mark.parametrize("one", SETS, ids=lambda one: one.name)
def test_every_set_has_a_task_that_reads_its_file(one: DataSet) -> None:
    """The task has the name of the set, a stated limit, and labels that all count alike in accuracy."""
    task = load(str(one.task))
    assert task.name == one.name
    assert task.data.path.startswith(f"build/bench-data/{one.file}")
    assert task.promise.max_loss in (0.005, 0.01, 0.02)
    assert (task.promise.against, task.class_weights) == ("end-to-end", "none")


def test_missing_packages_are_named_with_the_command_that_installs_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is written then; of a set whose file is there, the package is not needed."""
    monkeypatch.setattr(data_sets, "BUILD", tmp_path)
    there, missing = (
        DataSet(name, "", f"apt-get install {name}", lambda: "no file", f"{name}.csv", Path.touch) for name in "ab"
    )
    (tmp_path / "a.csv").touch()
    with pytest.raises(SystemExit, match=r"^this benchmark needs: apt-get install b\. Got: no file$"):
        data_sets.ensure((there, missing))
    assert [path.name for path in tmp_path.iterdir()] == ["a.csv"]


def test_digits_are_rows_of_64_numbers(tmp_path: Path) -> None:
    """All 1,797, with names of columns."""
    data_tables.write_digits(tmp_path / "digits.csv")
    assert pl.read_csv(tmp_path / "digits.csv").shape == (1797, 65)


def test_definitions_are_written_with_their_kind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Examples behind the definition and the licence are left out."""
    source = tmp_path / "data.noun"
    source.write_text(
        '  1 licence\n00001 05 n 01 cat 0 000 | a feline mammal; "the cat sat"  \n00002 18 n | a cook  \n'
    )
    monkeypatch.setattr(data_texts, "_WORDNET", source)
    data_texts.write_glosses(tmp_path / "out.jsonl")
    rows = pl.read_ndjson(tmp_path / "out.jsonl").sort("kind")
    assert rows.rows() == [("a feline mammal", "animal"), ("a cook", "person")]


def test_sentences_are_translations_of_some_length(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Short ones and messages that are as in English are left out; so is a catalogue in a wrong encoding."""
    long, same = "Datei oder Verzeichnis nicht gefunden", "GNU coreutils version 9.1 by all"
    folder = tmp_path / "de/LC_MESSAGES"
    folder.mkdir(parents=True)
    (folder / "sed.mo").write_bytes(_catalogue({"a": "kurz", "b": long, same: same}))
    (folder / "tar.mo").write_bytes(_catalogue({"": "Last-Translator: \xe9\n"}, "latin-1"))
    monkeypatch.setattr(data_texts, "_LOCALE", tmp_path)
    assert data_texts._sentences("de") == [long]
    assert data_texts.absent_catalogues().startswith("under 500 sentences in")
    assert sum(len(languages) for languages in data_texts.LANGUAGES.values()) == 27


def _catalogue(messages: dict[str, str], encoding: str = "utf-8") -> bytes:
    """Write a .mo: a head, the places of messages and of translations, and then both, each ended by 0."""
    places: list[tuple[int, int]] = []
    content, start = b"", 28 + 16 * len(messages)
    for text in [*sorted(messages), *(messages[message] for message in sorted(messages))]:
        places.append((len(text.encode(encoding)), start + len(content)))
        content += text.encode(encoding) + b"\0"
    head = struct.pack("<7I", 0x950412DE, 0, len(messages), 28, 28 + 8 * len(messages), 0, 0)
    return head + b"".join(struct.pack("<2I", *place) for place in places) + content


def test_icons_are_copied_once_with_their_theme_and_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A picture that another theme has too, and links, are left out."""
    for theme, file, grey in (("Moka", "folder-red", 1), ("Moka", "edit", 2), ("mate", "edit", 2)):
        path = tmp_path / theme / "48x48/places" / f"{file}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("L", (48, 48), grey).save(path)
    (tmp_path / "Moka/48x48/places/link.png").symlink_to("edit.png")
    monkeypatch.setattr(data_pictures, "_ICONS", tmp_path)
    assert "faenza" in data_pictures.absent()
    data_pictures.write_icons(tmp_path / "out")
    rows = pl.read_csv(tmp_path / "out/icons.csv")
    assert rows.rows() == [("mate/0001.png", "mate", "edit"), ("moka/0002.png", "moka", "folder-red")]
    assert (tmp_path / "out/moka/0002.png").is_file()


def _prepared(described: Input, rows: NDArray[np.generic], labels: NDArray[np.int64]) -> PreparedData:
    half = Split(rows[::2], labels[::2])
    other = Split(rows[1::2], labels[1::2])
    return PreparedData(half, other, other, other, ("no", "yes"), (described,), Cleaning(kept=len(rows)), "")


def _table() -> PreparedData:
    """A number that gives the label, with gaps, and a category."""
    table = Table(name="table", columns=(Number(name="n", optional=True), Category(name="c", vocabulary=("a", "b"))))
    labels = np.arange(200) % 4 // 2
    number = labels * 4 + NUMBERS.normal(size=200)
    number[::50] = np.nan
    return _prepared(table, np.stack([number, NUMBERS.integers(0, 4, 200)], axis=1).astype(np.float32), labels)


def _texts() -> PreparedData:
    """Two languages, of 40 bytes with zeros behind."""
    texts = ["die Katze schläft heute lange", "the cat sleeps for long today"] * 20
    rows = np.stack([np.frombuffer(text.encode().ljust(40, b"\0"), np.uint8) for text in texts]).astype(np.int32)
    order = np.arange(40) % 4 // 2 + np.arange(40) // 4 * 2
    return _prepared(Text(name="text", most_bytes=40), rows[order], order % 2)


def _pictures() -> PreparedData:
    """Dark and bright ones."""
    labels = np.arange(40) % 4 // 2
    rows = NUMBERS.uniform(0, 100, (40, 32, 32, 3)) + 150 * labels[:, None, None, None]
    return _prepared(Picture(name="image", shape=(-1, 32, 32, 3)), rows.astype(np.float32), labels)


@pytest.mark.parametrize(
    ("prepared", "names"),
    [
        (_table(), ["logistic", "boosting"]),
        (_texts(), ["words 1-2", "char_wb 2-5"]),
        (_pictures(), ["logistic", "forest"]),
    ],
    ids=["table", "text", "picture"],
)
def test_scikit_learn_predicts_rows_of_each_kind(prepared: PreparedData, names: list[str]) -> None:
    """Missing numbers, unknown categories, cut texts and colours are taken as they are prepared."""
    predicted = data_baselines.predictions(prepared, 0)
    assert list(predicted) == names
    for one in predicted.values():
        assert (one.test == prepared.test.labels).mean() > 0.9
        assert (one.validation == one.test).all()


def test_texts_end_where_zeros_begin_and_may_lack_a_last_character() -> None:
    """Half of a character is left out."""
    row = np.frombuffer("schön".encode()[:4] + b"\0\0", np.uint8).astype(np.int32)
    assert data_baselines.texts(row[None]) == ["sch"]


def test_rows_that_two_models_get_right_are_compared() -> None:
    """Those that only one gets right are counted for each."""
    prepared = _texts()
    right = prepared.test.labels
    one = Predicted(right, np.where(np.arange(20) < 15, right, 1 - right))
    end_to_end = np.arange(20) >= 1
    assert data.compared(one, prepared, end_to_end) == Baseline(20, 15, 1, 5)
