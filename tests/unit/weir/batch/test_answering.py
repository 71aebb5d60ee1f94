"""weir.batch.answering, over a folder store."""

import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.serving import LABELS, store_version
from tests.unit.weir.pairs import pair_manifest
from weir.batch import answering as batch
from weir.catalog import keys
from weir.catalog.mounts import CASCADE, END_TO_END
from weir.catalog.store import Store
from weir.engine.arrays import Floats
from weir.errors import BadName, ObjectNotFound, StoreUnavailable
from weir.runtime.registry import Registry

pytestmark = pytest.mark.usefixtures("runtime")


def _answer(store: Path, file: str, data: bytes, *, cascade: bool = False, model: str = "thirds") -> batch.Summary:
    key = keys.batch_key(model, file, CASCADE if cascade else END_TO_END)
    (store / key.source).parent.mkdir(parents=True, exist_ok=True)
    (store / key.source).write_bytes(data)
    return batch.answer(Registry(Store(store.as_uri())), key)


def _npy(array: NDArray[np.generic]) -> bytes:
    file = io.BytesIO()
    np.save(file, array)
    return file.getvalue()


def _lines(store: Path, path: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (store / "batches/out" / path / "predictions.jsonl").read_text().splitlines()]


def test_every_row_has_its_line_in_order(thirds: Path, pictures: Floats) -> None:
    """Below cascade/ the levels answer, and each line names its exit level."""
    summary = _answer(thirds, "a.npy", _npy(pictures), cascade=True)
    lines = _lines(thirds, "thirds/cascade/a.npy")
    assert [line["row"] for line in lines] == [0, 1, 2, 3]
    assert [line["label"] for line in lines] == ["left", "right", "left", "right"]
    assert [line["exit_level"] for line in lines] == [1, 2, 2, 1]
    assert set(lines[0]) == {"row", "label", "confidence", "exit_level", "model_version"}
    assert summary.labels == {"left": 2, "right": 2}
    assert summary.exit_levels == {"1": 2, "2": 2}
    assert (summary.rows, summary.answered, summary.bad_rows, summary.model_version) == (4, 4, 0, 1)


def test_the_end_to_end_model_answers_at_the_root(thirds: Path, pictures: Floats) -> None:
    """A file that is not below cascade/ exits at level 0, the only one."""
    assert _answer(thirds, "a.npy", _npy(pictures)).exit_levels == {"0": 4}


def test_a_file_of_scaled_pixels_is_warned_of(thirds: Path, pictures: Floats, caplog: pytest.LogCaptureFixture) -> None:
    """Once for each model, and the rows are answered."""
    assert _answer(thirds, "raw.npy", _npy(pictures)).answered == 4
    assert not caplog.records
    assert [_answer(thirds, name, _npy(pictures / 255)).answered for name in ("a.npy", "b.npy")] == [4, 4]
    (record,) = caplog.records
    assert "values sent to the model thirds fill under 2 % of the range of image, 0 to 255" in record.message


def test_bad_rows_are_counted_and_the_others_answered(thirds: Path, pictures: Floats) -> None:
    """A bad row has an error and no label."""
    pictures[2, 0, 0] = np.nan
    summary = _answer(thirds, "deep/er/a.npy", _npy(pictures))
    lines = _lines(thirds, "thirds/deep/er/a.npy")
    assert (summary.answered, summary.bad_rows) == (3, 1)
    assert lines[2] == {"row": 2, "error": "values are finite in FP32. Got: NaN or infinity"}
    assert lines[3]["label"] == "right"


def test_a_file_of_bad_rows_only_is_answered(thirds: Path) -> None:
    """The summary counts the bad rows and says why the first is bad; no network runs."""
    summary = _answer(thirds, "a.csv", b"1,2\n3\n")
    assert (summary.rows, summary.answered, summary.bad_rows) == (2, 0, 2)
    assert summary.error == "no row could be answered; in row 0, a row has 16 values. Got: 2"
    assert len(_lines(thirds, "thirds/a.csv")) == 2


def test_a_header_is_told_in_the_summary(thirds: Path) -> None:
    """Nobody misses a row in silence when the first line is none; a summary without a header does not mention it."""
    numbers = ",".join(map(str, range(16)))
    summary = _answer(thirds, "a.csv", f"{numbers}\n{numbers}\n".encode())
    assert (summary.rows, summary.answered, summary.header, summary.error) == (1, 1, True, None)
    _answer(thirds, "b.csv", ",".join("0" * 16).encode())
    assert "header" not in json.loads((thirds / "batches/out/thirds/b.csv/summary.json").read_text())


def test_a_csv_has_no_columns_for_tensors(tmp_path: Path) -> None:
    """For a model of several tensors the summary holds the error, and a .jsonl is answered."""
    store_version(tmp_path, pair_manifest())
    summary = _answer(tmp_path, "a.csv", b"1,2\n", model="pair")
    assert summary.error == "a .csv is for models of columns and texts; a .jsonl is for others, too. Got: a, b"
    assert _answer(tmp_path, "a.jsonl", b'{"a": [1, 2], "b": [3, 4, 5]}\n', model="pair").answered == 1


def test_more_rows_than_one_call_takes(thirds: Path) -> None:
    """Rows are answered in chunks, numbered throughout, and the progress is reported."""
    rows = np.zeros((2500, 4, 4), np.float32)
    rows[:, :, 3] = 255
    key = keys.batch_key("thirds", "a.npy", CASCADE)
    (thirds / key.source).parent.mkdir(parents=True)
    (thirds / key.source).write_bytes(_npy(rows))
    progress: list[tuple[int, int]] = []
    summary = batch.answer(Registry(Store(thirds.as_uri())), key, lambda done, total: progress.append((done, total)))
    assert summary.labels == {"right": 2500}
    assert [line["row"] for line in _lines(thirds, "thirds/cascade/a.npy")] == list(range(2500))
    assert progress == [(0, 2500), (1024, 2500), (2048, 2500), (2500, 2500)]


@pytest.mark.parametrize(
    ("file", "data", "model", "error"),
    [
        ("a.npy", b"damaged", "thirds", "a .npy is what numpy.save writes"),
        ("a.parquet", b"PAR1", "thirds", "a batch file is .npy, .csv, .jsonl, .png, .jpg, .jpeg. Got: a.parquet"),
        ("a.npy", b"", "nobody", "the model is published under the alias champion. Got: nobody"),
    ],
)
def test_a_file_that_cannot_be_answered_gets_a_summary_with_the_error(
    thirds: Path, file: str, data: bytes, model: str, error: str
) -> None:
    """The error is permanent, so it is written and not retried."""
    summary = _answer(thirds, file, data, model=model)
    assert summary.error is not None
    assert summary.error.startswith(error)
    written = json.loads((thirds / f"batches/out/{model}/{file}/summary.json").read_text())
    assert written["error"] == summary.error
    assert not (thirds / f"batches/out/{model}/{file}/predictions.jsonl").exists()


def test_a_row_that_overflows_is_a_bad_row(thirds: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A row without a finite confidence has an error and no label."""
    monkeypatch.setattr(
        "weir.runtime.model.Network.logits", lambda _self, rows: np.full((len(rows), 3), np.nan, np.float32)
    )
    summary = _answer(thirds, "a.npy", _npy(np.ones((1, 4, 4))))
    assert (summary.answered, summary.bad_rows) == (0, 1)
    assert "small enough" in _lines(thirds, "thirds/a.npy")[0]["error"]


def _dropped(store: Path, pictures: Floats, key: str) -> Registry:
    """Put a file of rows at a key of a store, and return the registry of the store."""
    (store / key).parent.mkdir(parents=True)
    (store / key).write_bytes(_npy(pictures))
    return Registry(Store(store.as_uri()))


def test_the_file_of_a_notice_is_answered(thirds: Path, pictures: Floats) -> None:
    """The key of a notice names the model, and whether its levels answer."""
    key = "batches/in/thirds/cascade/a.npy"
    summary = batch.answer_object(_dropped(thirds, pictures, key), "any", key)
    assert summary is not None
    assert (summary.model, summary.file, summary.cascade, summary.answered) == ("thirds", "a.npy", True, 4)


@pytest.mark.parametrize(
    "key", ["batches/in/THIRDS/a.npy", "batches/in/thirds/", "batches/in/thirds/a//b.npy", "x", ""]
)
def test_a_key_that_names_no_file_is_refused_and_nothing_is_written(thirds: Path, key: str) -> None:
    """There is no place for a summary."""
    before = sorted(thirds.rglob("*"))
    with pytest.raises(BadName):
        batch.answer_object(Registry(Store(thirds.as_uri())), "", key)
    assert sorted(thirds.rglob("*")) == before


@pytest.mark.parametrize(
    ("url", "bucket", "key"),
    [
        ("s3://mine", "other", "batches/in/thirds/a.npy"),
        ("s3://mine/pre/fix", "mine", "batches/in/thirds/a.npy"),
        ("s3://mine/pre/fix", "mine", "pre/fixed/batches/in/thirds/a.npy"),
    ],
)
def test_an_object_outside_the_store_is_refused(url: str, bucket: str, key: str) -> None:
    """A file of the same key in the store is not answered in its place."""
    with pytest.raises(BadName, match=f"batch files are in the store {url}. Got: s3://{bucket}/{key}"):
        batch.answer_object(Registry(Store(url)), bucket, key)


@pytest.mark.parametrize(
    ("failure", "error"),
    [
        (StoreUnavailable("the store did not answer", "timeout"), "the store did not answer: timeout"),
        (KeyError("secret"), "answering the file failed in Weir itself; see the log"),
    ],
)
def test_a_file_that_fails_has_a_summary_with_the_reason(
    thirds: Path, pictures: Floats, monkeypatch: pytest.MonkeyPatch, failure: Exception, error: str
) -> None:
    """Whoever waits for the summary reads why, and that the file is tried again; the failure is raised."""
    registry = _dropped(thirds, pictures, "batches/in/thirds/a.npy")
    with monkeypatch.context() as patched:
        patched.setattr(Registry, "model", lambda *_: (_ for _ in ()).throw(failure))
        with pytest.raises(type(failure)):
            batch.answer_object(registry, "", "batches/in/thirds/a.npy")
    path = thirds / "batches/out/thirds/a.npy/summary.json"
    written = json.loads(path.read_text())
    assert (written["error"], written["failed"], written["rows"]) == (error, True, 0)
    batch.answer_object(registry, "", "batches/in/thirds/a.npy")
    assert json.loads(path.read_text())["answered"] == 4
    assert not {"error", "failed"} & set(json.loads(path.read_text()))


def test_a_store_that_takes_no_summary_hides_no_failure(
    thirds: Path, pictures: Floats, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first failure is raised, not that of writing the summary about it."""
    registry = _dropped(thirds, pictures, "batches/in/thirds/a.npy")
    monkeypatch.setattr(Store, "get", lambda *_: (_ for _ in ()).throw(StoreUnavailable("reading", "first")))
    monkeypatch.setattr(Store, "put", lambda *_: (_ for _ in ()).throw(StoreUnavailable("writing", "second")))
    with pytest.raises(StoreUnavailable, match="reading: first"):
        batch.answer_object(registry, "", "batches/in/thirds/a.npy")


def test_a_file_that_is_gone_is_an_error(thirds: Path) -> None:
    """A file that is not in the store raises ObjectNotFound; for a notice of it, the summary says so, too."""
    registry = Registry(Store(thirds.as_uri()))
    with pytest.raises(ObjectNotFound):
        batch.answer(registry, keys.batch_key("thirds", "a.npy", END_TO_END))
    assert not (thirds / "batches/out").exists()
    with pytest.raises(ObjectNotFound):
        batch.answer_object(registry, "", "batches/in/thirds/a.npy")
    written = json.loads((thirds / "batches/out/thirds/a.npy/summary.json").read_text())
    assert written["error"].endswith("Got: batches/in/thirds/a.npy")


def test_the_summary_is_written_last(thirds: Path, pictures: Floats, monkeypatch: pytest.MonkeyPatch) -> None:
    """Once a summary exists the predictions are complete; when writing them failed, there is none."""
    put = Store.put

    def failing(self: Store, key: str, data: bytes) -> None:
        if key.endswith("predictions.jsonl"):
            raise StoreUnavailable("the store did not answer", key)
        put(self, key, data)

    monkeypatch.setattr(Store, "put", failing)
    with pytest.raises(StoreUnavailable):
        _answer(thirds, "a.npy", _npy(pictures))
    assert not (thirds / "batches/out/thirds/a.npy/summary.json").exists()


def test_labels_are_the_models(thirds: Path, pictures: Floats) -> None:
    """Every label of the summary is one of the manifest."""
    assert set(_answer(thirds, "a.npy", _npy(pictures)).labels) <= set(LABELS)


def test_a_notice_that_comes_again_changes_nothing(
    thirds: Path, pictures: Floats, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SQS may deliver one twice. If its file was removed, or the store fails, what was answered stays; it is done."""
    key, path = "batches/in/thirds/a.npy", thirds / "batches/out/thirds/a.npy"
    registry = _dropped(thirds, pictures, key)
    first = batch.answer_object(registry, "", key, "0A")
    assert first is not None
    assert (first.sequencer, first.answered) == ("0A", 4)
    before = {one.name: one.read_bytes() for one in path.iterdir()}
    with monkeypatch.context() as patched:
        patched.setattr(Registry, "model", lambda *_: (_ for _ in ()).throw(StoreUnavailable("the store", "timeout")))
        assert batch.answer_object(registry, "", key, "0A") is None
    (thirds / key).unlink()
    assert batch.answer_object(registry, "", key, "0A") is None
    assert {one.name: one.read_bytes() for one in path.iterdir()} == before


@pytest.mark.parametrize("sequencer", ["0B", ""])
def test_another_upload_that_fails_replaces_the_summary_of_the_first(
    thirds: Path, pictures: Floats, sequencer: str
) -> None:
    """Its own file was removed before its turn, and the summary must not be taken for its answer."""
    key = "batches/in/thirds/a.npy"
    registry = _dropped(thirds, pictures, key)
    batch.answer_object(registry, "", key, "0A")
    (thirds / key).unlink()
    with pytest.raises(ObjectNotFound):
        batch.answer_object(registry, "", key, sequencer)
    assert json.loads((thirds / "batches/out/thirds/a.npy/summary.json").read_text())["failed"]


def test_a_store_that_does_not_show_summaries_hides_no_failure(
    thirds: Path, pictures: Floats, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whether a file was answered before is then not known, so its failure is raised and written down."""
    key = "batches/in/thirds/a.npy"
    registry = _dropped(thirds, pictures, key)
    batch.answer_object(registry, "", key, "0A")
    (thirds / key).unlink()
    get = Store.get

    def denied(store: Store, one: str) -> bytes:
        if one.startswith("batches/out/"):
            raise StoreUnavailable("the store refused", "AccessDenied")
        return get(store, one)

    monkeypatch.setattr(Store, "get", denied)
    with pytest.raises(ObjectNotFound):
        batch.answer_object(registry, "", key, "0A")
    assert json.loads((thirds / "batches/out/thirds/a.npy/summary.json").read_text())["failed"]
