"""Broken rows, over HTTP and in batch files: one clear error each, and a row that is only odd gets its answer."""

import gzip
import json
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from tests import kinds
from tests.serving import call, context, http_event, load_app, make_manifest, store_version
from weir.batch.answering import answer_object
from weir.catalog.store import Store
from weir.runtime.registry import Registry

ROW: dict[str, Any] = {"age": 35, "plan": "gold", "since": "2026-01-31"}
PNG = b"\x89PNG\r\n\x1a\n" + bytes(16)
LONG = "never again! " * 800_000
"""10 MB"""


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with a model of each kind."""
    root = tmp_path_factory.mktemp("store")
    for manifest in (*kinds.KINDS, make_manifest()):
        store_version(root, manifest)
    return root


@pytest.fixture
def app(store: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The function that predicts."""
    monkeypatch.setenv("MODEL_STORE", store.as_uri())
    return load_app("predict")


def _without(name: str) -> dict[str, Any]:
    return {column: value for column, value in ROW.items() if column != name}


BROKEN = [
    ("customers", _without("plan"), "the inputs are age, plan, since. Got: no plan"),
    ("customers", ROW | {"age": "forty"}, "age is a number. Got: 'forty'"),
    ("customers", ROW | {"age": "35"}, "age is a number. Got: '35'"),
    ("customers", ROW | {"age": [1, 2]}, "data is a list of values, or of lists of one value each"),
    ("customers", ROW | {"age": 10**400}, "age: values are finite in FP32. Got: 10000000000000000000…"),
    ("customers", ROW | {"age": 1e39}, "age: values are finite in FP32. Got: 1e+39"),
    ("customers", ROW | {"plan": 1.5}, "plan is a text. Got: 1.5"),
    ("customers", ROW | {"plan": {"a": 1}}, "plan is a text. Got: {'a': 1}"),
    ("customers", ROW | {"since": "yesterday"}, "since is a date, or a date and a time, in ISO 8601"),
    ("customers", ROW | {"since": 2026}, "since is a date, or a date and a time, in ISO 8601"),
    ("customers", [35, "gold", None], "rows are objects of values by name: age, plan, since"),
    ("customers", "a text", "rows are objects of values by name: age, plan, since"),
    ("moods", {"text": None}, "text is a text. Got: None"),
    ("moods", {"text": 3}, "text is a text. Got: 3"),
    ("moods", {"text": "\ud800"}, None),
    ("moods", ROW, "the inputs are text. Got: no text, but age, plan, since"),
    ("moods", {"txet": "fine"}, "the inputs are text. Got: no text, but txet"),
    ("moods", dict.fromkeys("abcdef", "fine"), "the inputs are text. Got: no text, but a, b, c, d, e, …"),
    ("customers", _without("plan") | {"plann": "gold"}, "the inputs are age, plan, since. Got: no plan, but plann"),
    ("orders", ROW, "the inputs are age, plan, since, text. Got: no text"),
    ("thirds", ROW, "the inputs are image"),
    ("thirds", "a text", "files are texts in base64"),
]


@pytest.mark.parametrize(("model", "row", "rule"), BROKEN)
def test_a_row_that_is_none_of_the_models_is_refused(
    app: ModuleType, store: Path, model: str, row: object, rule: str | None
) -> None:
    """Over HTTP it is a 400; in a batch file it is the row's error, and the rule is the same."""
    answer = call(app, "POST", f"/v1/models/{model}:predict", json.dumps({"instances": [row]}).encode())
    assert answer["statusCode"] == 400, answer
    error = json.loads(answer["body"])["error"]
    (line,) = _answered(store, model, "rows.jsonl", json.dumps(row).encode())[1]
    assert "Traceback" not in error
    assert ". Got: " in error
    assert rule is None or rule in error
    assert rule is None or rule in line["error"]
    assert line["row"] == 0


def _answered(store: Path, model: str, file: str, content: bytes) -> tuple[Any, list[dict[str, Any]]]:
    source = store / "batches/in" / model / file
    source.parent.mkdir(parents=True, exist_ok=True)
    source.write_bytes(content)
    summary = answer_object(Registry(Store(store.as_uri())), "", f"batches/in/{model}/{file}")
    out = store / "batches/out" / model / file / "predictions.jsonl"
    return summary, [json.loads(line) for line in out.read_text().splitlines()] if out.exists() else []


@pytest.mark.parametrize(
    ("model", "row", "same"),
    [
        ("customers", ROW | {"plan": "platinum"}, ROW | {"plan": "never seen"}),
        ("customers", ROW | {"plan": ""}, ROW | {"plan": None}),
        ("customers", ROW | {"age": None}, ROW | {"age": 40}),
        ("customers", ROW | {"plan": "NA"}, ROW | {"plan": "never seen"}),
        ("customers", ROW | {"further": [1, {"a": 2}]}, ROW),
        ("moods", {"text": "fine", "further": [1, {"a": 2}]}, {"text": "fine"}),
        ("moods", {"text": ""}, {"text": ""}),
        ("moods", {"text": "never again!"}, {"text": "never again!\x00"}),
    ],
    ids=["unknown category", "empty category", "missing number", "NA is a text", "further column",
         "further column beside a text", "empty text", "character 0"],
)  # fmt: skip
def test_a_row_that_is_only_odd_is_answered(
    app: ModuleType, store: Path, model: str, row: dict[str, Any], same: dict[str, Any]
) -> None:
    """An unknown category is a code of its own, a gap is one, a column that the model does not read is left out."""
    body = json.dumps({"instances": [row, same]}).encode()
    answer = call(app, "POST", f"/v1/models/{model}:predict", body)
    assert answer["statusCode"] == 200, answer
    one, other = json.loads(answer["body"])["predictions"]
    assert one == pytest.approx(other, abs=1e-5)
    summary, lines = _answered(store, model, "odd.jsonl", b"\n".join(json.dumps(each).encode() for each in (row, same)))
    assert (summary.answered, summary.bad_rows) == (2, 0)
    assert [line["confidence"] for line in lines] == pytest.approx([max(one), max(other)], abs=1e-5)


@pytest.mark.parametrize("value", ["NaN", "Infinity", "-Infinity"])
def test_json_has_no_nan_and_no_infinity(app: ModuleType, store: Path, value: str) -> None:
    """They are no JSON; a .csv may leave a number out, but not make it infinite."""
    row = json.dumps(ROW).replace("35", value)
    answer = call(app, "POST", "/v1/models/customers:predict", f'{{"instances": [{row}]}}'.encode())
    assert answer["statusCode"] == 400, answer
    line = f"age,plan,since\n{value},gold,\n".encode()
    summary, lines = _answered(store, "customers", "number.csv", line)
    if value == "NaN":
        assert summary.answered == 1
    else:
        assert lines[0]["error"].startswith("age: values are finite in FP32. Got: ")


def test_texts_far_too_long(app: ModuleType, store: Path) -> None:
    """10 MB are cut to what the model reads, compressed or not; twice as much is a 413."""
    body = json.dumps({"instances": [LONG, LONG[:16]]}).encode()
    answer = call(app, "POST", "/v1/models/moods:predict", body)
    one, other = json.loads(answer["body"])["predictions"]
    assert one == other
    for content, status in ((body, 200), (json.dumps({"instances": [LONG, LONG]}).encode(), 413)):
        event = http_event("POST", "/v1/models/moods:predict", gzip.compress(content), [("content-encoding", "gzip")])
        assert app.handler(event, context())["statusCode"] == status
        assert call(app, "POST", "/v1/models/moods:predict", content)["statusCode"] == status
    summary, (long, cut) = _answered(
        store, "moods", "long.jsonl", f'{{"text": "{LONG}"}}\n{{"text": "{LONG[:16]}"}}'.encode()
    )
    assert summary.answered == 2
    assert long["confidence"] == cut["confidence"]


@pytest.mark.parametrize(
    ("model", "file", "content", "rule"),
    [
        ("customers", "a.csv", b"age,plan,since\n1,g\xffld,\n", "a .csv is UTF-8 text"),
        ("moods", "a.csv", b"text\n\xff\n", "a .csv is UTF-8 text"),
        ("moods", "a.jsonl", b'{"text": "\xff"}', "a line of a .jsonl is a row in JSON"),
        ("customers", "a.csv", b"age,since\n1,\n", "column of the model once: age, plan, since. Got: age, since"),
        ("customers", "a.csv", b"1,gold,\n", "names each column of the model once"),
        ("customers", "a.csv", b"", "names each column of the model once"),
        ("customers", "a.png", PNG, "pictures are for models whose one input is a picture"),
        ("moods", "a.jpg", PNG, "pictures are for models whose one input is a picture"),
        ("orders", "a.png", PNG, "pictures are for models whose one input is a picture"),
        ("thirds", "a.csv", b"age,plan,since\n35,gold,\n", "a row has 16 values. Got: 3"),
        ("moods", "a.npy", b"", "a .npy is what numpy.save writes"),
    ],
)  # fmt: skip
def test_a_file_that_is_none_of_the_models_is_refused(
    store: Path, model: str, file: str, content: bytes, rule: str
) -> None:
    """Its summary says why: no UTF-8, no header, a picture for a table, a table for a picture."""
    summary, _ = _answered(store, model, file, content)
    assert rule in summary.error


@pytest.mark.parametrize("model", ["customers", "moods", "orders"])
def test_a_picture_is_no_row_of_a_table_or_a_text(app: ModuleType, model: str) -> None:
    """A body that is one is a 415."""
    path = f"/v2/models/{model}/infer"
    event = http_event("POST", path, PNG)
    event["headers"]["content-type"] = "image/png"
    answer = app.handler(event, context())
    assert answer["statusCode"] == 415, answer
    assert "pictures are for models whose one input is a picture" in json.loads(answer["body"])["error"]


@pytest.mark.parametrize("content", [b"\xff", b'{"inputs": "\xff"}', b'{"instances": ["\xff"]}'])
@pytest.mark.parametrize("path", ["/v2/models/moods/infer", "/v1/models/moods:predict"])
def test_a_body_of_no_utf8_is_refused(app: ModuleType, content: bytes, path: str) -> None:
    """It is a 400, as every body that is no JSON."""
    assert call(app, "POST", path, content)["statusCode"] == 400


def test_a_table_is_no_picture(app: ModuleType) -> None:
    """Columns sent to a model of pictures are a 400 that names its input."""
    answer = call(app, "POST", "/v2/models/thirds/infer", kinds.tensors(kinds.CUSTOMERS))
    assert (answer["statusCode"], "the inputs are image" in answer["body"]) == (400, True)


@pytest.mark.parametrize("path", ["/v2/models/customers/infer", "/v1/models/customers:predict"])
@pytest.mark.parametrize("body", [b"", b" \n"])
def test_an_empty_body_is_called_one(app: ModuleType, path: str, body: bytes) -> None:
    """The error states the form of a body, and that there was none."""
    answer = call(app, "POST", path, body)
    assert answer["statusCode"] == 400
    error = json.loads(answer["body"])["error"]
    assert error.startswith("the body is a JSON object {")
    assert error.endswith(". Got: an empty body")


def test_a_path_with_a_slash_too_many_is_told_where_paths_are_listed(app: ModuleType) -> None:
    """A slash at the end is no path of the protocol."""
    answer = call(app, "POST", "/v2/models/customers/infer/", b"{}")
    assert answer["statusCode"] == 404
    error = json.loads(answer["body"])["error"]
    assert "without a slash at the end; GET /docs lists them. Got: /v2/models/customers/infer/" in error
