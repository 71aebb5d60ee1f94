"""A row has one prediction, wherever it is predicted and however it comes."""

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from local.system import System
from tests.serving import call, load_app
from tests.training import words
from training import folder
from training.client.answers import merged, outputs
from training.client.clients import StoreClient
from training.client.encoded_rows import EncodedRows
from training.client.requests import requests
from training.client.samples import write_samples
from training.client.smoke import smoke_test
from training.data.readers.further import columns
from training.measuring.reload import prepared
from training.publishing.publication import publish
from training.publishing.stores import open_store
from weir.batch.answering import answer_object
from weir.catalog.manifest import Manifest
from weir.catalog.mounts import END_TO_END
from weir.catalog.store import Store
from weir.engine.confidence import softmax
from weir.runtime.interpreter import Network
from weir.runtime.registry import Registry

ROWS = 50
"""of the file of the training; all of them are predicted everywhere"""


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of trainings, the file of their rows, and a store of their models."""
    return tmp_path_factory.mktemp("words")


@pytest.fixture(scope="module", params=list(words.KINDS))
def kind(request: pytest.FixtureRequest, root: Path) -> str:
    """A kind of input whose model is trained and published."""
    name: str = request.param
    publish(words.trained(name, root), open_store((root / "store").as_uri(), ""), "champion")
    return name


@pytest.fixture
def manifest(kind: str, root: Path) -> Manifest:
    """The model's manifest."""
    return folder.manifest(root / kind)


@pytest.fixture
def expected(manifest: Manifest, root: Path, runtime: str) -> NDArray[Any]:
    """The probabilities of the artifact for the rows as training encodes them."""
    data = prepared(manifest)
    assert data.data
    rows, _ = columns(root / "rows.csv", data.data, data.inputs, data.label_names)
    return _probabilities(rows[:ROWS], manifest, root, runtime)


def _probabilities(rows: NDArray[Any], manifest: Manifest, root: Path, runtime: str) -> NDArray[Any]:
    artifact = manifest.end_to_end.artifact
    content = (root / manifest.model / f"{artifact.digest}.tflite").read_bytes()
    network = Network(content, runtime, [one.name for one in manifest.inputs])
    return softmax(network.logits(rows), manifest.end_to_end.temperature)


@pytest.fixture
def few(root: Path, tmp_path: Path) -> Path:
    """The first rows of the file, with the column of the target."""
    lines = (root / "rows.csv").read_text("utf-8").splitlines(keepends=True)
    (tmp_path / "few.csv").write_text("".join(lines[: ROWS + 1]), "utf-8")
    return tmp_path / "few.csv"


def test_weir_predict_reads_the_file(manifest: Manifest, root: Path, few: Path, expected: NDArray[Any]) -> None:
    """`weir predict` with the file of the training."""
    client = StoreClient((root / "store").as_uri(), "", alias="champion", mount=END_TO_END)
    calls = requests(few, client.metadata(manifest.model, ""))
    answer = merged([client.infer(manifest.model, "", one) for one in calls])
    found = np.reshape(outputs(answer)["probabilities"], expected.shape)
    np.testing.assert_allclose(found, expected, atol=1e-5)


def _records(few: Path, manifest: Manifest) -> list[dict[str, Any]]:
    """Read the rows as a program would send them."""
    names = {tensor.name: tensor.datatype for one in manifest.inputs for tensor in one.tensors}

    def value(text: str, datatype: str) -> object:
        if datatype == "BOOL":
            return text == "true"
        return text if datatype == "BYTES" else (float(text) if text else None)

    with few.open(newline="", encoding="utf-8") as file:
        return [{name: value(row[name], kind) for name, kind in names.items()} for row in csv.DictReader(file)]


def test_http_answers_tensors_and_instances(
    manifest: Manifest, root: Path, few: Path, expected: NDArray[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The function's answers to a tensor a column, and to a record a row."""
    monkeypatch.setenv("MODEL_STORE", (root / "store").as_uri())
    app, records = load_app("predict"), _records(few, manifest)
    inputs = [
        {"name": one.name, "shape": [ROWS], "datatype": one.datatype, "data": [row[one.name] for row in records]}
        for kind in manifest.inputs
        for one in kind.tensors
    ]
    tensors = call(app, "POST", f"/v2/models/{manifest.model}/infer", json.dumps({"inputs": inputs}).encode())
    found = np.reshape(outputs(json.loads(tensors["body"]))["probabilities"], expected.shape)
    np.testing.assert_allclose(found, expected, atol=1e-5)
    instances = json.dumps({"instances": records}).encode()
    predicted = call(app, "POST", f"/v1/models/{manifest.model}:predict", instances)
    np.testing.assert_allclose(json.loads(predicted["body"])["predictions"], expected, atol=1e-5)


@pytest.mark.parametrize("extension", [".csv", ".jsonl"])
def test_batch_answers_the_file(
    manifest: Manifest, root: Path, few: Path, expected: NDArray[Any], extension: str
) -> None:
    """The batch function's answers to the file, and to its rows as JSON Lines."""
    content = few.read_bytes()
    if extension == ".jsonl":
        content = b"".join(json.dumps(record).encode() + b"\n" for record in _records(few, manifest))
    source = root / f"store/batches/in/{manifest.model}/few{extension}"
    source.parent.mkdir(parents=True, exist_ok=True)
    source.write_bytes(content)
    registry = Registry(Store((root / "store").as_uri()))
    summary = answer_object(registry, "", f"batches/in/{manifest.model}/few{extension}")
    assert summary is not None
    assert (summary.answered, summary.bad_rows) == (ROWS, 0)
    out = root / f"store/batches/out/{manifest.model}/few{extension}/predictions.jsonl"
    lines = [json.loads(line) for line in out.read_text().splitlines()]
    np.testing.assert_allclose([line["confidence"] for line in lines], expected.max(axis=1), atol=1e-5)
    assert [line["label"] for line in lines] == [manifest.labels[best] for best in expected.argmax(axis=1)]


def test_rows_in_words_are_the_rows_of_the_training(manifest: Manifest, root: Path, runtime: str) -> None:
    """What the demo sends has the predictions of the test split as networks read it."""
    test = prepared(manifest).test.inputs
    client = StoreClient((root / "store").as_uri(), "", alias="champion", mount=END_TO_END)
    (body,) = EncodedRows(manifest.inputs, test).requests(client.metadata(manifest.model, ""))
    probabilities = _probabilities(test, manifest, root, runtime)
    found = np.reshape(outputs(client.infer(manifest.model, "", body))["probabilities"], probabilities.shape)
    np.testing.assert_allclose(found, probabilities, atol=1e-5)


def test_samples_are_files_to_try_the_model_with(manifest: Manifest, root: Path, tmp_path: Path) -> None:
    """A request of one row, a batch file of twenty, and the row as a file that a person can read: all are predicted."""
    files = write_samples(root / manifest.model, tmp_path)
    client = StoreClient((root / "store").as_uri(), "", alias="champion", mount=END_TO_END)
    metadata = client.metadata(manifest.model, "")

    def found(path: Path) -> list[float]:
        (body,) = requests(path, metadata)
        probabilities: list[float] = outputs(client.infer(manifest.model, "", body))["probabilities"]
        return probabilities

    assert files.rows.name == "rows.jsonl"
    assert files.example.name == ("example.txt" if manifest.model == "text" else "example.json")
    assert found(files.request) == found(files.example) == pytest.approx(found(files.rows)[-2:], abs=1e-5)
    assert len(found(files.rows)) == 40


def test_the_demo_uses_a_model_of_any_kind(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its rows are sent over HTTP and as a batch file, and both give the same labels."""
    with System(log=tmp_path / "functions.log") as system:
        for name, value in system.environment.items():
            monkeypatch.setenv(name, value)
        store = open_store(system.store, system.store_endpoint)
        trained = words.trained("several", root)
        publish(trained, store, "champion")
        lines = list(smoke_test(trained, system.url, store, lambda *_: None))
    assert sum("answered the same rows as a file uploaded to S3, with the same labels" in line for line in lines) == 2
