"""weir.protocol.records, and requests of the Open Inference Protocol, for tables, texts, and both in one model."""

import json
from typing import Any

import msgspec
import numpy as np
import pytest

from tests.unit.weir.protocol.documents import behind, document, read, tensor
from weir.catalog.columns import Category, Number
from weir.catalog.inputs import Input, Table, Tensor, Text
from weir.errors import BadBody, BadInput, BadTensor
from weir.inputs.rows import RowReader
from weir.protocol.datatypes import to_bytes
from weir.protocol.records import from_records
from weir.protocol.rest_predict import decode

TABLE = Table(
    name="row", columns=(Number(name="age", optional=True), Category(name="plan", vocabulary=("basic", "gold")))
)
TEXT = Text(name="text", most_bytes=4)
POINT = Tensor(name="point", shape=(-1, 2))

CUSTOMERS = np.array([[41, 3], [np.nan, 0], [7, 1]], np.float32)
AGES, PLANS = [41, None, 7], ["gold", None, "other"]


def _predicted(inputs: tuple[Input, ...], request: object) -> Any:  # noqa: ANN401 (rows of any kind)
    return decode(json.dumps(request).encode(), RowReader(inputs))[0]


def test_instances_are_objects_of_values_by_name() -> None:
    """In any order, beside values that the model does not read."""
    instances = [{"id": 7, "plan": plan, "age": age} for age, plan in zip(AGES, PLANS, strict=True)]
    np.testing.assert_array_equal(_predicted((TABLE,), {"instances": instances}), CUSTOMERS)


def test_inputs_are_columns_by_name() -> None:
    """Each flat, or of lists of one value."""
    columns = {"age": [[age] for age in AGES], "plan": PLANS}
    np.testing.assert_array_equal(_predicted((TABLE,), {"inputs": columns}), CUSTOMERS)


@pytest.mark.parametrize("shape", [[3], [3, 1]])
@pytest.mark.parametrize("datatype", ["FP64", "FP32", "INT64", "UINT8"])
def test_columns_are_tensors_of_any_numbers(shape: list[int], datatype: str) -> None:
    """As MLServer's pandas codec sends them, and further ones are ignored."""
    body = document(
        tensor("id", [1], "BYTES", data=["a"]),
        tensor("plan", shape, "BYTES", data=PLANS if len(shape) == 1 else [[plan] for plan in PLANS]),
        tensor("age", shape, datatype, data=AGES),
    )
    np.testing.assert_array_equal(read(body, None, (TABLE,)), CUSTOMERS)


def test_columns_behind_the_json() -> None:
    """Texts stand behind their lengths, and NaN and the empty text are no value."""
    plans, ages = to_bytes(["gold", "", "other"]), np.array([41, np.nan, 7]).tobytes()
    head = document(
        behind("plan", [3], "BYTES", len(plans)), behind("other", [1], "INT8", 1), behind("age", [3], "FP64", len(ages))
    )
    np.testing.assert_array_equal(read(head + plans + b"x" + ages, len(head), (TABLE,)), CUSTOMERS)


def test_texts_of_every_form_are_the_same_rows() -> None:
    """The only tensor may stand without its name in `instances` and `inputs`; further ones are ignored."""
    texts = ["ab", "größe"]
    expected = [[97, 98, 0, 0], list("größe".encode()[:4])]
    binary = to_bytes(texts)
    head = document(behind("text", [2], "BYTES", len(binary)))
    forms = [
        _predicted((TEXT,), {"instances": texts}),
        _predicted((TEXT,), {"instances": [{"text": text} for text in texts]}),
        _predicted((TEXT,), {"inputs": texts}),
        _predicted((TEXT,), {"inputs": {"text": texts}}),
        _predicted((TEXT,), {"instances": [{"id": 7, "text": text} for text in texts]}),
        _predicted((TEXT,), {"inputs": {"text": texts, "id": 7}}),
        read(document(tensor("text", [2], "BYTES", data=texts)), None, (TEXT,)),
        read(document(tensor("id", [1], "INT8", data=[7]), tensor("text", [2], "BYTES", data=texts)), None, (TEXT,)),
        read(head + binary, len(head), (TEXT,)),
    ]
    assert [rows.tolist() for rows in forms] == [expected] * len(forms)


def test_several_inputs_are_fields() -> None:
    """A table, a text and a tensor of one model."""
    inputs = (TABLE, TEXT, POINT)
    instances = [{"age": 1, "plan": "gold", "text": "a", "point": [1.5, 2]}] * 2
    tensors = [
        tensor("point", [2, 2], data=[1.5, 2] * 2),
        tensor("age", [2], "INT32", data=[1, 1]),
        tensor("plan", [2], "BYTES", data=["gold"] * 2),
        tensor("text", [2, 1], "BYTES", data=["a", "a"]),
    ]
    for rows in (_predicted(inputs, {"instances": instances}), read(document(*tensors), None, inputs)):
        assert rows["row"].tolist() == [[1, 3]] * 2
        assert rows["text"].tolist() == [[97, 0, 0, 0]] * 2
        assert rows["point"].tolist() == [[1.5, 2]] * 2


@pytest.mark.parametrize(
    ("request_", "error"),
    [
        ({"instances": [{"age": 1}]}, r"the inputs are age, plan\. Got: no plan"),
        ({"instances": [{"age": 1, "plan": "gold"}, {"plan": "gold"}]}, r"Got: no age in row 1"),
        ({"instances": [{"age": "41", "plan": "gold"}]}, r"age is a number\. Got: '41'"),
        ({"instances": [{"age": 1, "plan": 1.5}]}, r"plan is a text\. Got: 1\.5"),
        ({"instances": [[1, "gold"]]}, r"rows are objects of values by name: age, plan\. Got: \[1, "),
        ({"instances": [[1], [2]]}, r"rows are objects of values by name: age, plan\. Got: \[1\] in row 0"),
        ({"instances": []}, "a request has 1 to 1024 rows"),
        ({"inputs": {"age": [1]}}, r"Got: no plan"),
        ({"inputs": {"age": [1], "Plan": ["gold"]}}, r"Got: no plan, but Plan"),
        ({"inputs": {"age": [1], "plan": ["gold", "gold"]}}, r"all inputs have as many rows\. Got: \[1, 2\]"),
        ({"inputs": {"age": [[1], 2], "plan": ["gold", "gold"]}}, "data is a list of values, or of lists of one"),
        ({"inputs": [1]}, r"rows are objects of values by name: age, plan\. Got: \[1\]"),
    ],
)
def test_rows_that_are_not_the_models_are_refused(request_: object, error: str) -> None:
    """The error names the column."""
    with pytest.raises(BadInput, match=error):
        _predicted((TABLE,), request_)


@pytest.mark.parametrize(
    ("tensors", "error"),
    [
        ([tensor("age", [1], "FP64", data=[1])], r"the inputs are age, plan\. Got: no plan"),
        ([tensor("age", [1], "BYTES", data=["1"])], r"the datatype of age is FP64\. Got: BYTES"),
        ([tensor("age", [1], "TEXT", data=["1"])], r"the datatype of age is FP64\. Got: TEXT"),
        ([tensor("age", [1, 2], "FP64", data=[1, 2])], r"the shape of age is \[-1\] or \[-1, 1\].* Got: \[1, 2\]"),
        ([tensor("age", [], "FP64", data=[])], r"the shape of age is"),
        ([tensor("age", [2], "FP64", data=[1])], r"age: data has 2 values\. Got: 1"),
        ([tensor("age", [1], "FP64", data={})], r"age: data is a list of values, one a row"),
        ([tensor("age", [1], "FP64")], r"age has either data or binary_data_size\. Got: neither"),
        ([tensor("age", [0], "FP64", data=[])], "a request has 1 to 1024 rows"),
        ([tensor("age", [2], "FP64", data=[1, 2])], r"all inputs have as many rows\. Got: \[2, 1\]"),
    ],
)
def test_columns_that_are_not_the_models_are_refused(tensors: list[dict[str, Any]], error: str) -> None:
    """The error names the column and the rule."""
    plan = tensor("plan", [1], "BYTES", data=["gold"])
    with pytest.raises(BadTensor, match=error):
        read(document(*tensors, *([] if "no plan" in error else [plan])), None, (TABLE,))


@pytest.mark.parametrize(
    ("content", "error"),
    [
        (b"\2\0\0\0\xff\xfe", r"text: texts are UTF-8"),
        (b"\3\0\0\0ab", r"text: 1 values of BYTES, each behind its length in 4 bytes, fill the bytes\. Got: 6"),
        (b"\1\0\0\0ab", "fill the bytes"),
        (b"\1\0", "fill the bytes"),
    ],
)
def test_bytes_that_are_no_texts_are_refused(content: bytes, error: str) -> None:
    """Cut, too long, or of another encoding."""
    head = document(behind("text", [1], "BYTES", len(content)))
    with pytest.raises(BadTensor, match=error):
        read(head + content, len(head), (TEXT,))


def test_rows_of_two_spellings_are_refused() -> None:
    """All rows name their values, or none does."""
    with pytest.raises(BadBody, match="all rows of a request name their inputs, or none does"):
        from_records([msgspec.Raw(b'"a"'), msgspec.Raw(b'{"text": "a"}')], RowReader((TEXT,)))
