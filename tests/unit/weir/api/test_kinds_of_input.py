"""Models of tables, of texts, and of both: a row has one prediction, however it comes."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests import kinds
from tests.serving import store_version
from weir.api import descriptions
from weir.api.inference import RequestBody
from weir.api.service import Service
from weir.batch.answering import answer_object
from weir.catalog.manifest import Manifest
from weir.catalog.mounts import CASCADE, END_TO_END, Mount
from weir.catalog.store import Store
from weir.runtime.registry import Registry

MODELS = [pytest.param(one, id=one.model) for one in kinds.KINDS]


def _service(root: Path, manifest: Manifest, mount: Mount) -> Service:
    store_version(root, manifest)
    return Service(Registry(Store(root.as_uri())), mount)


@pytest.mark.parametrize("manifest", MODELS)
def test_tensors_and_instances_are_the_same_rows(tmp_path: Path, runtime: str, manifest: Manifest) -> None:
    """Their probabilities are those of the network, to 1e-5."""
    service = _service(tmp_path, manifest, END_TO_END)
    sent = service.infer(manifest.model, "", RequestBody(kinds.tensors(manifest)))
    outputs = {tensor["name"]: tensor["data"] for tensor in json.loads(sent.body)["outputs"]}
    np.testing.assert_allclose(np.reshape(outputs["probabilities"], (4, 2)), kinds.expected(manifest), atol=1e-5)
    instances = json.dumps({"instances": kinds.records(manifest)}).encode()
    predicted = service.predict(manifest.model, "", RequestBody(instances))
    np.testing.assert_allclose(json.loads(predicted.body)["predictions"], kinds.expected(manifest), atol=1e-5)
    assert predicted.full_texts == (0 if manifest is kinds.CUSTOMERS else 1)


def test_levels_read_different_inputs(tmp_path: Path, runtime: str) -> None:
    """The first level reads the table alone; where that settles a row, its text reaches no network."""
    service = _service(tmp_path, kinds.ORDERS, CASCADE)
    body = json.dumps({"instances": kinds.records(kinds.ORDERS)}).encode()
    rows = json.loads(service.predict("orders", "", RequestBody(body)).body)["predictions"]
    assert [row["exit_level"] for row in rows] == [0, 1, 0, 0]
    table, both = kinds.expected(kinds.CUSTOMERS), kinds.expected(kinds.ORDERS)
    confidences = [max(table[0]), max(both[1]), max(table[2]), max(table[3])]
    np.testing.assert_allclose([row["confidence"] for row in rows], confidences, atol=1e-5)
    assert [row["label"] for row in rows] == ["leaves", "leaves", "stays", "leaves"]


Form = Callable[[Manifest], bytes]
"""what writes the rows of a model as a file"""


def _csv(manifest: Manifest) -> bytes:
    def cell(value: object) -> str:
        return "" if value is None else '"' + str(value) + '"'

    lines = [["id", *kinds.names(manifest)]]
    lines += [["7", *map(cell, record.values())] for record in kinds.records(manifest)]
    return "\n".join(";".join(line) for line in lines).encode()


def _jsonl(manifest: Manifest) -> bytes:
    return b"\n".join(json.dumps({"id": 7, **record}).encode() for record in kinds.records(manifest))


def _answered(root: Path, manifest: Manifest, file: str, content: bytes) -> tuple[Any, list[dict[str, Any]]]:
    store_version(root, manifest)
    source = root / "batches/in" / manifest.model / file
    source.parent.mkdir(parents=True)
    source.write_bytes(content)
    summary = answer_object(Registry(Store(root.as_uri())), "", f"batches/in/{manifest.model}/{file}")
    out = root / "batches/out" / manifest.model / file / "predictions.jsonl"
    return summary, [json.loads(line) for line in out.read_text().splitlines()]


@pytest.mark.parametrize("manifest", MODELS)
@pytest.mark.parametrize("form", [_csv, _jsonl])
def test_batch_files_have_the_same_predictions(tmp_path: Path, runtime: str, manifest: Manifest, form: Form) -> None:
    """A .csv and a .jsonl of the rows, with a column that the model does not read where it reads a table."""
    content = form(manifest)
    if manifest is kinds.MOODS and form is _jsonl:
        content = b"\n".join(json.dumps(record).encode() for record in kinds.records(manifest))
    summary, lines = _answered(tmp_path, manifest, f"rows.{form.__name__[1:]}", content)
    assert (summary.rows, summary.bad_rows) == (4, 0)
    expected = kinds.expected(manifest)
    np.testing.assert_allclose([line["confidence"] for line in lines], expected.max(axis=1), atol=1e-5)
    assert [line["label"] for line in lines] == [manifest.labels[best] for best in expected.argmax(axis=1)]


def test_bad_rows_of_a_batch_file_have_their_errors(tmp_path: Path) -> None:
    """The others are answered."""
    lines = b"age,plan,since\n41,gold,\nforty,gold,\n41,gold\n41,gold,yesterday\n"
    summary, rows = _answered(tmp_path, kinds.CUSTOMERS, "rows.csv", lines)
    assert (summary.answered, summary.bad_rows) == (1, 3)
    assert [row.get("error") for row in rows] == [
        None,
        "age is a number. Got: 'forty'",
        "a line has 3 cells, as the first one has. Got: 2",
        "since is a date, or a date and a time, in ISO 8601, such as 2026-01-31 or 2026-01-31T09:30. Got: 'yesterday'",
    ]
    summary, rows = _answered(tmp_path / "b", kinds.CUSTOMERS, "rows.jsonl", b'{"age": 1}\n[]\n{\n')
    assert summary.error == "no row could be answered; in row 0, the inputs are age, plan, since. Got: no plan, since"
    assert [row["error"].partition(". Got")[0] for row in rows[1:]] == [
        "rows are objects of values by name: age, plan, since",
        "a line of a .jsonl is a row in JSON, such as an object of values by name",
    ]


def test_a_csv_without_a_column_is_refused(tmp_path: Path) -> None:
    """The summary names the columns, and what came."""
    store_version(tmp_path, kinds.CUSTOMERS)
    source = tmp_path / "batches/in/customers/rows.csv"
    source.parent.mkdir(parents=True)
    source.write_bytes(b"age,plan,age\n1,gold,2\n")
    summary = answer_object(Registry(Store(tmp_path.as_uri())), "", "batches/in/customers/rows.csv")
    assert summary is not None
    rule = "the first line of a .csv names each column of the model once: age, plan, since. Got: age, plan, age"
    assert summary.error == rule


def test_metadata_say_what_a_model_reads() -> None:
    """A tensor for each column, and its kind and vocabulary among the parameters."""
    described = descriptions.metadata(kinds.ORDERS, [1], CASCADE)
    assert [(one.name, one.datatype, one.shape) for one in described.inputs] == [
        ("age", "FP64", (-1,)),
        ("plan", "BYTES", (-1,)),
        ("since", "BYTES", (-1,)),
        ("text", "BYTES", (-1,)),
    ]
    assert described.parameters["inputs"] == (kinds.TABLE, kinds.TEXT)
