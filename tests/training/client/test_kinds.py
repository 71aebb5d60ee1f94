"""training.client: models of tables, of texts, and of both, as `weir predict` uses them."""

import base64
import io
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from tests import kinds
from tests.serving import make_manifest, store_version
from training.client import arrays, columns, described, named_rows
from training.client.answers import merged, outputs
from training.client.clients import StoreClient
from training.client.encoded_rows import EncodedRows
from training.client.limits import MAX_BYTES
from training.client.requests import of_texts, requests
from weir.catalog.columns import Number
from weir.catalog.inputs import Picture, Table, Tensor, Text
from weir.catalog.manifest import Manifest
from weir.catalog.mounts import CASCADE, END_TO_END
from weir.errors import BadInput
from weir.inputs.picture import PictureReader
from weir.inputs.rows import RowReader

MODELS = [pytest.param(one, id=one.model) for one in kinds.KINDS]


def _client(root: Path, manifest: Manifest) -> StoreClient:
    store_version(root, manifest)
    return StoreClient(root.as_uri(), "", alias="champion", mount=END_TO_END)


def _probabilities(client: StoreClient, model: str, path: Path) -> NDArray[np.float64]:
    calls = requests(path, client.metadata(model, ""))
    answer = merged([client.infer(model, "", call) for call in calls])
    return np.reshape(outputs(answer)["probabilities"], (-1, 2))


def _csv(records: Sequence[dict[str, Any]], delimiter: str) -> bytes:
    def cell(value: object) -> str:
        return "" if value is None else '"' + str(value) + '"'

    lines = [["id", *records[0]], *(["7", *map(cell, record.values())] for record in records)]
    return "\r\n".join(map(delimiter.join, lines)).encode("utf-8-sig")


@pytest.mark.parametrize("manifest", MODELS)
@pytest.mark.parametrize("form", ["comma.csv", "tab.csv", "rows.jsonl", "rows.json"])
def test_a_file_of_rows_is_predicted(tmp_path: Path, runtime: str, manifest: Manifest, form: str) -> None:
    """Its probabilities are those of the network, to 1e-5; columns that the model does not read are left out."""
    client, records = _client(tmp_path / "store", manifest), kinds.records(manifest)
    named = [{"id": 7, **record} for record in records]
    contents = {
        "comma.csv": _csv(records, ","),
        "tab.csv": _csv(records, "\t"),
        "rows.jsonl": b"\n\n".join(json.dumps(record).encode() for record in named) + b"\n",
        "rows.json": json.dumps(named).encode(),
    }
    (tmp_path / form).write_bytes(contents[form])
    found = _probabilities(client, manifest.model, tmp_path / form)
    np.testing.assert_allclose(found, kinds.expected(manifest), atol=1e-5)


@pytest.mark.parametrize(
    ("manifest", "name", "content"),
    [
        (kinds.CUSTOMERS, "a.json", json.dumps(kinds.records(kinds.CUSTOMERS)[1]).encode()),
        (kinds.MOODS, "a.txt", b"never again!!!"),
        (kinds.MOODS, "a.json", b'"never again!!!"'),
        (kinds.MOODS, "a.jsonl", b'"never again!!!"\n'),
        (kinds.MOODS, "a.json", b'["never again!!!"]'),
    ],
)
def test_one_row_is_predicted(tmp_path: Path, manifest: Manifest, name: str, content: bytes) -> None:
    """A row by name, and of a model of one text the text itself."""
    (tmp_path / name).write_bytes(content)
    found = _probabilities(_client(tmp_path / "store", manifest), manifest.model, tmp_path / name)
    np.testing.assert_allclose(found, kinds.expected(manifest)[1:2], atol=1e-5)


def test_a_cell_without_a_value_is_an_empty_text() -> None:
    """The words for nothing are those that training takes out of a .csv; in JSON they are texts."""
    reader = RowReader(kinds.MOODS.inputs)
    assert named_rows.from_csv(b'text\nNA\n""\nfine\n', reader) == {"text": ["", "", "fine"]}
    assert named_rows.from_records(["NA", {"text": "none"}], reader) == {"text": ["NA", "none"]}


def test_texts_are_predicted(tmp_path: Path) -> None:
    """Each is a row; another model refuses them."""
    client = _client(tmp_path, kinds.MOODS)
    (body,) = of_texts([record["text"] for record in kinds.RECORDS], client.metadata("moods", ""))
    found = outputs(client.infer("moods", "", body))["probabilities"]
    np.testing.assert_allclose(np.reshape(found, (-1, 2)), kinds.expected(kinds.MOODS), atol=1e-5)
    with pytest.raises(BadInput, match=r"--text is for a model that reads one text\. Got: one of age, plan"):
        list(of_texts(["fine"], _client(tmp_path, kinds.ORDERS).metadata("orders", "")))


@pytest.mark.parametrize(
    ("manifest", "name", "content", "message"),
    [
        (kinds.CUSTOMERS, "a.csv", "age;plan\n1;gold", "column of the model once: age, plan, since. Got: age, plan"),
        (kinds.CUSTOMERS, "a.csv", "", "names each column of the model once: age, plan, since. Got: an empty file"),
        (kinds.CUSTOMERS, "a.csv", "age,plan,since\n", "INPUT has at least one row"),
        (kinds.CUSTOMERS, "a.csv", "age,plan,since\n1,gold,\n1,gold\n", "as the first one has. Got: 2 in row 1"),
        (kinds.CUSTOMERS, "a.csv", "age,plan,since\n1,gold,\nforty,gold,\n", "age is a number. Got: 'forty' in row 1"),
        (kinds.CUSTOMERS, "a.csv", "age,plan,since\n1,gold,\ninf,gold,\n", "finite in FP32. Got: inf in row 1"),
        (kinds.CUSTOMERS, "a.csv", "age,plan,since\n1,gold,\n1,gold,yesterday\n", "Got: 'yesterday' in row 1"),
        (kinds.CUSTOMERS, "a.csv", b"age,plan,since\n1,g\xffld,\n", "a .csv is UTF-8 text"),
        (kinds.CUSTOMERS, "a.jsonl", '{"age": 1}\n', "the inputs are age, plan, since. Got: no plan, since in row 0"),
        (kinds.CUSTOMERS, "a.jsonl", "\n[1]\n", "by name: age, plan, since. Got: [1] in row 0"),
        (kinds.CUSTOMERS, "a.jsonl", "{\n", "a line of a .jsonl is a row in JSON"),
        (kinds.CUSTOMERS, "a.json", '{"age": "1", "plan": null, "since": null}', "age is a number. Got: '1' in row 0"),
        (kinds.CUSTOMERS, "a.json", "[1, 2]", "rows name their columns: age, plan, since"),
        (kinds.CUSTOMERS, "a.parquet", "", "INPUT is a .csv, .jsonl, .json, .txt, .npy, .png or .jpg. Got: .parquet"),
        (kinds.CUSTOMERS, "a.txt", "fine", "rows are objects of values by name"),
        (kinds.MOODS, "a.txt", b"\xff", "a .txt INPUT is a text in UTF-8"),
        (kinds.MOODS, "a.jsonl", '"fine"\nnull\n', "text is a text. Got: None in row 1"),
        (kinds.MOODS, "a.json", "[1, 2]", "rows are texts named text. Got: an array"),
    ],
)  # fmt: skip
def test_bad_rows_are_told_before_anything_is_sent(
    tmp_path: Path, manifest: Manifest, name: str, content: str | bytes, message: str
) -> None:
    """The error states the rule, and the number of the row."""
    (tmp_path / name).write_bytes(content.encode() if isinstance(content, str) else content)
    metadata = _client(tmp_path / "store", manifest).metadata(manifest.model, "")
    with pytest.raises(BadInput) as raised:
        list(requests(tmp_path / name, metadata))
    assert message in str(raised.value)


def test_the_number_of_a_bad_row_is_that_of_the_file(tmp_path: Path) -> None:
    """It counts on over the requests into which rows are split."""
    lines = [*['{"age": 1, "plan": "gold", "since": null}'] * 2000, '{"age": true, "plan": 1.5, "since": null}']
    (tmp_path / "a.jsonl").write_text("\n".join(lines))
    metadata = _client(tmp_path / "store", kinds.CUSTOMERS).metadata("customers", "")
    with pytest.raises(BadInput, match=r"^plan is a text\. Got: 1\.5 in row 2000$"):
        list(requests(tmp_path / "a.jsonl", metadata))


def test_many_rows_are_several_requests() -> None:
    """Neither has more rows nor more bytes than the API takes; a longer text is cut to what the model reads of it."""
    metadata = {"outputs": [{"shape": [-1, 2]}]}
    few = RowReader((Text(name="text", most_bytes=8),))
    sizes = [_rows(body.content) for body in columns.requests({"text": ["0123456789"] * 2500}, few, metadata)]
    assert sizes == [(1024, "01234567"), (1024, "01234567"), (452, "01234567")]
    long = RowReader((Text(name="text", most_bytes=65_536),))
    bodies = list(columns.requests({"text": ["\x01" * 10_000_000] * 30}, long, metadata))
    assert [_rows(body.content)[0] for body in bodies] == [10, 10, 10]
    assert max(len(body.content) for body in bodies) < MAX_BYTES + 1_000


def _rows(body: bytes) -> tuple[int, str]:
    (tensor,) = msgspec.json.decode(body)["inputs"]
    return tensor["shape"][0], tensor["data"][0]


def test_a_table_of_numbers_is_also_an_array(tmp_path: Path) -> None:
    """A .npy and nested numbers hold its columns in their order, one row or many; NaN is missing."""
    reader = RowReader((Table(name="row", columns=(Number(name="a"), Number(name="b", optional=True))),))
    metadata = {"outputs": [], "parameters": {"inputs": msgspec.to_builtins(reader.inputs)}}
    np.save(tmp_path / "a.npy", np.array([[1, np.nan], [3, 4.5]]))
    (body,) = requests(tmp_path / "a.npy", metadata)
    assert [one["data"] for one in msgspec.json.decode(body.content)["inputs"]] == [[1, 3], [None, 4.5]]
    (tmp_path / "a.json").write_text("[1, 2]")
    (body,) = requests(tmp_path / "a.json", metadata)
    assert [one["data"] for one in msgspec.json.decode(body.content)["inputs"]] == [[1], [2]]
    (tmp_path / "a.json").write_text("[1, 2, 3]")
    with pytest.raises(BadInput, match="rows have 2 numbers: a, b"):
        list(requests(tmp_path / "a.json", metadata))


def test_a_picture_takes_the_files_that_a_batch_takes(tmp_path: Path) -> None:
    """A .csv of values and a .jsonl of nested ones are the same rows as a .npy; the number of a bad row is told."""
    metadata = _client(tmp_path / "store", make_manifest()).metadata("thirds", "")
    rows = np.arange(32.0).reshape(2, 4, 4)
    np.save(tmp_path / "a.npy", rows)
    np.savetxt(tmp_path / "a.csv", rows.reshape(2, 16), delimiter=",")
    (tmp_path / "a.jsonl").write_text("\n".join(json.dumps({"image": row.tolist()}) for row in rows))
    (tmp_path / "a.json").write_text(json.dumps({"image": rows.tolist()}))
    sent = {path.name: list(requests(path, metadata)) for path in tmp_path.glob("a.*")}
    assert all(bodies == sent["a.npy"] for bodies in sent.values())
    (tmp_path / "bad.csv").write_text("1\n2\n")
    with pytest.raises(BadInput, match=r"every row of INPUT can be read\. Got: 2 can't; row 0: a row has 16 values"):
        list(requests(tmp_path / "bad.csv", metadata))


def test_a_tensor_is_sent_in_its_datatype(tmp_path: Path) -> None:
    """Numbers that the datatype does not have are refused."""
    metadata = {"inputs": [{"name": "n", "shape": [-1, 2], "datatype": "INT32"}], "outputs": []}
    (tmp_path / "a.json").write_text("[[1, 2], [3, 4]]")
    (body,) = requests(tmp_path / "a.json", metadata)
    assert body.content[body.header_length :] == np.arange(1, 5, dtype="<i4").tobytes()
    (tmp_path / "a.json").write_text("[[1, 2], [3, 4.5]]")
    with pytest.raises(BadInput, match=r"values are numbers of INT32\. Got: others in row 1"):
        list(requests(tmp_path / "a.json", metadata))


PHOTO = Picture(name="photo", shape=(-1, 4, 5, 3))
WITH_PHOTO = RowReader((Table(name="row", columns=(Number(name="age"),)), PHOTO))


def test_a_row_names_its_picture(tmp_path: Path) -> None:
    """A picture beside other inputs is a file, relative to that of the rows, read as the API reads it."""
    stream = io.BytesIO()
    Image.fromarray(np.random.default_rng(0).integers(0, 255, (8, 8, 3), np.uint8)).save(stream, "PNG")
    (tmp_path / "one.png").write_bytes(stream.getvalue())
    black = [[[0, 0, 0]] * 5] * 4
    encoded = base64.b64encode(stream.getvalue()).decode()
    given: columns.Columns = {"age": [41, 42, 43, 44], "photo": ["one.png", black, encoded, {"b64": encoded}]}
    read = named_rows.with_pictures(given, WITH_PHOTO, tmp_path)
    pixels = PictureReader(PHOTO).from_file(stream.getvalue(), "image/png")[0].tolist()
    assert read == {"age": [41, 42, 43, 44], "photo": [pixels, black, pixels, pixels]}
    columns.check(read, WITH_PHOTO, 0)


@pytest.mark.parametrize(
    ("photo", "message"),
    [
        ("one.gif", "photo is the name of a .png or .jpg, or one in base64. Got: 'one.gif' in row 1"),
        ("AAAA", "in row 1"),
        ("two.png", "photo names a file that can be read"),
        ("text.png", "in row 1"),
    ],
)
def test_a_picture_that_is_none_is_refused(tmp_path: Path, photo: str, message: str) -> None:
    """The error names the row."""
    (tmp_path / "text.png").write_text("text")
    with pytest.raises(BadInput) as raised:
        named_rows.with_pictures({"age": [1, 2], "photo": [[], photo]}, WITH_PHOTO, tmp_path)
    assert message in str(raised.value)


def test_pixels_of_another_shape_are_refused() -> None:
    """Lists that are nested unevenly, too, with the number of the row."""
    for photo in ([[1]], [[1], [2, 3]]):
        with pytest.raises(BadInput, match="in row 7"):
            columns.check({"age": [1], "photo": [photo]}, WITH_PHOTO, 7)


def test_metadata_without_kinds_describe_tensors() -> None:
    """Those of other servers do; an input of a kind that nobody knows is refused."""
    tensor = {"name": "n", "shape": [-1, 2], "datatype": "FP64"}
    assert described.reader({"inputs": [tensor]}).inputs == (Tensor(name="n", shape=(-1, 2), datatype="FP64"),)
    with pytest.raises(BadInput, match="the model reads pictures, tensors, tables and texts"):
        described.reader({"parameters": {"inputs": [{"kind": "sound", "name": "s"}]}})


@pytest.mark.parametrize("manifest", MODELS)
def test_rows_of_a_training_are_sent_in_words(tmp_path: Path, manifest: Manifest) -> None:
    """As a request, as requests of many rows, and as a batch file they are the rows that they were encoded from."""
    reader = RowReader(manifest.inputs)
    records = kinds.records(manifest)
    rows = reader.from_values({name: [record[name] for record in records] for name in reader.tensors}, len(records))
    encoded, client = EncodedRows(manifest.inputs, rows), _client(tmp_path / "store", manifest)
    extension, content = encoded.file()
    (tmp_path / f"rows{extension}").write_bytes(content)
    (tmp_path / "one.json").write_bytes(encoded.request())
    for path in (tmp_path / "rows.jsonl", tmp_path / "one.json"):
        found = _probabilities(client, manifest.model, path)
        np.testing.assert_allclose(found, kinds.expected(manifest), atol=1e-5)
    assert list(encoded.requests(client.metadata(manifest.model, ""))) == list(
        requests(tmp_path / "rows.jsonl", client.metadata(manifest.model, ""))
    )
    assert encoded.example()[0] == (".txt" if manifest is kinds.MOODS else ".json")


def test_pictures_of_a_training_are_sent_as_arrays() -> None:
    """A request has their values, and a batch file is a .npy."""
    one = make_manifest().inputs[0]
    rows = np.arange(32, dtype=np.float32).reshape(2, 4, 4)
    encoded = EncodedRows((one,), rows)
    assert isinstance(one, Picture)
    assert encoded.request() == arrays.request(rows, one)
    assert json.loads(encoded.request())["inputs"][0]["data"] == list(range(32))
    extension, content = encoded.file()
    assert extension == ".npy"
    np.testing.assert_array_equal(np.load(io.BytesIO(content)), rows)


def test_a_cascade_says_how_far_each_row_went(tmp_path: Path) -> None:
    """The levels of a model of several inputs read a file of rows, too."""
    store_version(tmp_path / "store", kinds.ORDERS)
    client = StoreClient((tmp_path / "store").as_uri(), "", alias="champion", mount=CASCADE)
    (tmp_path / "rows.csv").write_bytes(_csv(kinds.records(kinds.ORDERS), ";"))
    (body,) = requests(tmp_path / "rows.csv", client.metadata("orders", ""))
    assert outputs(client.infer("orders", "", body))["exit_level"] == [0, 1, 0, 0]
