"""weir.protocol.rest_predict."""

import json
from typing import Any

import numpy as np
import pytest

from tests.unit.weir.protocol.documents import IMAGE, PAIR
from weir.catalog.inputs import Input
from weir.errors import BadBody, BadTensor
from weir.inputs.rows import RowReader
from weir.inputs.tensor import InputRows
from weir.protocol.responses import Values
from weir.protocol.rest_predict import decode, encode

FORM = 'the body is a JSON object {"instances": .*} or {"inputs": '
IMAGES = np.arange(32, dtype=np.float32).reshape(2, 4, 4) / 4
A, B = np.array([[1.5, -2], [0.25, 4]], np.float32), np.array([[1, 2, 3], [-4, 5, 6]], np.int32)


def _read(document: object, inputs: tuple[Input, ...] = IMAGE) -> tuple[InputRows, bool]:
    return decode(json.dumps(document).encode(), RowReader(inputs))


@pytest.mark.parametrize(
    "rows", [IMAGES.tolist(), IMAGES.reshape(2, 16).tolist(), IMAGES.reshape(2, 1, 16, 1).tolist()]
)
@pytest.mark.parametrize("named", [False, True])
def test_one_input_needs_no_name(rows: list[Any], named: bool) -> None:
    """Rows of one input, nested or flat, named or not, by row or all at once, are the same tensor."""
    instances, as_instances = _read({"instances": [{"image": row} for row in rows] if named else rows})
    inputs, not_instances = _read({"inputs": {"image": rows} if named else rows})
    assert (as_instances, not_instances) == (True, False)
    for rows_read in (instances, inputs):
        assert rows_read.dtype == np.float32
        assert np.array_equal(rows_read, IMAGES)


def test_rows_are_all_named_or_none() -> None:
    """Named and unnamed rows in one request are refused, whichever comes first."""
    mixed = [IMAGES[0].tolist(), {"image": IMAGES[1].tolist()}]
    for instances in (mixed, mixed[::-1]):
        with pytest.raises(BadBody, match="all rows of a request name their inputs, or none does"):
            _read({"instances": instances})


def test_rows_are_nested_alike() -> None:
    """A flat row beside a nested one is refused, by row or all at once."""
    mixed = [IMAGES[0].tolist(), IMAGES[1].ravel().tolist()]
    for document in ({"instances": mixed}, {"inputs": mixed}, {"instances": [{"image": row} for row in mixed]}):
        with pytest.raises(BadTensor, match=r"all rows of a request are nested alike\. Got: rows of \[1, 5\] lists"):
            _read(document)


@pytest.mark.parametrize(
    "absent",
    [{"signature_name": None}, {"signature_name": ""}, {"inputs": None}, {"signature_name": "serving_default"}],
)
def test_null_means_absent(absent: dict[str, object]) -> None:
    """So does the empty name of a signature, as in TensorFlow Serving."""
    assert np.array_equal(_read({"instances": IMAGES.tolist(), **absent})[0], IMAGES)
    assert np.array_equal(_read({"instances": None, **absent, "inputs": IMAGES.tolist()})[0], IMAGES)


def test_a_byte_order_mark_is_left_out() -> None:
    """It may stand before the document."""
    rows, _ = decode(b"\xef\xbb\xbf" + json.dumps({"instances": IMAGES.tolist()}).encode(), RowReader(IMAGE))
    assert np.array_equal(rows, IMAGES)


def test_several_inputs_have_their_names() -> None:
    """By row or by input, in any order, they become one array with a field for each."""
    by_row = [{"b": b, "a": a} for a, b in zip(A.tolist(), B.tolist(), strict=True)]
    for document in ({"instances": by_row}, {"inputs": {"b": B.tolist(), "a": A.tolist()}}):
        rows, _ = _read(document, PAIR)
        assert rows.dtype == np.dtype([("a", "<f4", (2,)), ("b", "<i4", (3,))])
        assert np.array_equal(rows["a"], A)
        assert np.array_equal(rows["b"], B)


def test_the_one_signature_may_be_named() -> None:
    """The only signature is serving_default; any other is refused."""
    assert np.array_equal(_read({"signature_name": "serving_default", "instances": IMAGES.tolist()})[0], IMAGES)
    with pytest.raises(BadBody, match=r"signature_name is serving_default\. Got: classify"):
        _read({"signature_name": "classify", "instances": IMAGES.tolist()})


def test_what_tensorflow_serving_leaves_alone_is_left_alone() -> None:
    """Unknown keys are ignored, as TensorFlow Serving ignores them."""
    assert np.array_equal(_read({"instances": IMAGES.tolist(), "more": 1})[0], IMAGES)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"[]",
        b"{}",
        b"\xff",
        b'{"instances": 1}',
        b'{"instances": {}}',
        b'{"instances": null}',
        b'{"inputs": 1}',
        b'{"inputs": null}',
        b'{"inputs": {"image": 1}}',
        b'{"inputs": "\xff"}',
        b'{"instances": [[1]], "inputs": [[1]]}',
        b'{"signature_name": 1, "instances": [[1]]}',
        b"\xef\xbb\xbf",
        b"\xff\xfe{}",
        b'{"instances": [[1]]',
        b'{"instances": [{"image": [1]]}',
        b'{"instances": ' + b"[" * 100_000,
        b'{"inputs": ' + b"[" * 100_000,
    ],
)
def test_what_is_no_request_is_refused(body: bytes) -> None:
    """The error states both forms of a request."""
    with pytest.raises(BadBody, match=FORM):
        decode(body, RowReader(IMAGE))


@pytest.mark.parametrize("document", [{"instances": [[1, 2]]}, {"inputs": [[1, 2]]}])
def test_several_inputs_need_their_names(document: dict[str, Any]) -> None:
    """A list is refused for a model of several inputs, since it does not name them."""
    with pytest.raises(BadTensor, match="rows are objects of values by name: a, b"):
        _read(document, PAIR)


@pytest.mark.parametrize(
    ("document", "rule"),
    [
        ({"instances": []}, r"a request has 1 to 1024 rows\. Got: 0"),
        ({"inputs": []}, r"a request has 1 to 1024 rows\. Got: 0"),
        ({"instances": [[0]] * 1025}, r"a request has 1 to 1024 rows\. Got: 1025"),
        ({"inputs": [[0]] * 1025}, r"a request has 1 to 1024 rows\. Got: 1025"),
        ({"instances": [[0] * 15]}, r"data has 16 values\. Got: 15"),
        ({"instances": [[0] * 16, [0] * 17]}, r"data has 16 values\. Got: 17 in row 1"),
        ({"inputs": [0] * 16}, "data is a list of numbers"),
        ({"instances": [0] * 16}, "data is a list of numbers"),
        ({"instances": [["0"] * 16]}, "data is a list of numbers"),
        ({"instances": [[True] * 16]}, "data is a list of numbers"),
        ({"instances": [None]}, "data is a list of numbers"),
        ({"instances": [[1e39] * 16]}, "values are finite in FP32"),
        ({"instances": [{"picture": [0] * 16}]}, r"the inputs are image\. Got: \['picture'\]"),
        ({"inputs": {"picture": [[0] * 16]}}, r"the inputs are image\. Got: \['picture'\]"),
        ({"instances": [{}]}, r"the inputs are image\. Got: \[\]$"),
        ({"instances": [{"image": [0] * 16}, {}]}, r"the inputs are image\. Got: \[\] in row 1"),
        ({"instances": [{"image": [0] * 16, "more": 1}]}, r"the inputs are image\. Got: \['image', 'more'\]"),
    ],
)
def test_rows_that_are_not_the_models_are_refused(document: dict[str, Any], rule: str) -> None:
    """Each error states the rule that the rows break."""
    with pytest.raises(BadTensor, match=rule):
        _read(document)


@pytest.mark.parametrize(
    ("document", "rule"),
    [
        ({"instances": [{"a": [1, 2]}]}, r"the inputs are a, b\. Got: \['a'\]"),
        ({"inputs": {"a": [[1, 2]], "b": [[1, 2, 3]], "c": []}}, "the inputs are a, b"),
        ({"instances": [{"a": [1, 2], "b": [1, 2, 3.5]}]}, "data is a list of whole numbers"),
        ({"inputs": {"a": [[1, 2]], "b": [[1, 2, 2**31]]}}, "values of INT32 are"),
        ({"inputs": {"a": [[1, 2]] * 2, "b": [[1, 2, 3]]}}, r"all inputs have as many rows\. Got: \[2, 1\]"),
        ({"inputs": {"a": [[1, 2]] * 2, "b": [[1, 2, 3]] * 3}}, r"all inputs have as many rows\. Got: \[2, 3\]"),
    ],
)
def test_several_inputs_that_are_not_the_models_are_refused(document: dict[str, Any], rule: str) -> None:
    """Each input must be there, have its own shape and datatype, and as many rows as the others."""
    with pytest.raises(BadTensor, match=rule):
        _read(document, PAIR)


def test_as_many_rows_as_may_be_are_read() -> None:
    """A request of exactly 1,024 rows is read."""
    assert _read({"instances": [[0] * 16] * 1024})[0].shape == (1024, 4, 4)


@pytest.mark.parametrize(("instances", "key"), [(True, "predictions"), (False, "outputs")])
def test_an_answer_has_the_form_of_its_request(instances: bool, key: str) -> None:
    """Probabilities come row by row, bit for bit, under the key that goes with the request."""
    probabilities = np.random.default_rng(2).random((5, 3), np.float32)
    document = json.loads(encode({"probabilities": probabilities}, instances=instances))
    assert set(document) == {key}
    assert np.array(document[key], np.float32).tobytes() == probabilities.tobytes()


def test_several_outputs_are_named() -> None:
    """In each row for `instances`, once for `inputs`."""
    outputs: dict[str, Values] = {"label": ["a", "b"], "exit_level": np.array([0, 1], np.int32)}
    rows = [{"label": "a", "exit_level": 0}, {"label": "b", "exit_level": 1}]
    assert json.loads(encode(outputs, instances=True)) == {"predictions": rows}
    assert json.loads(encode(outputs, instances=False)) == {"outputs": {"label": ["a", "b"], "exit_level": [0, 1]}}
