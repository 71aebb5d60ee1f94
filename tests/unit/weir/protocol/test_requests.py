"""weir.protocol.requests."""

import json
from typing import Any

import numpy as np
import pytest

from tests.serving import request_body
from tests.unit.weir.protocol.documents import IMAGE, PAIR, behind, document, read, tensor
from weir.catalog.inputs import Tensor
from weir.catalog.promises import PredictionSets, Quantile
from weir.errors import BadBody, BadTensor
from weir.inputs.rows import RowReader
from weir.protocol import requests
from weir.protocol.messages import InferRequest, OutputParameters, RequestedOutput, RequestParameters

ROW = [0.0] * 16
FORM = r'the body is a JSON object \{"inputs"'

A, B = np.array([[1.5, -2], [0.25, 4]], "<f4"), np.array([[1, 2, 3], [-4, 5, 6]], "<i4")


def test_whole_numbers_are_numbers() -> None:
    """Whole numbers are read as floats, since raw pixels are often written without a point."""
    assert read(request_body([7] * 16, [1, 4, 4]))[0, 0, 0] == 7
    assert read(request_body([[7] * 8, [7] * 8], [1, 4, 4]))[0, 3, 3] == 7


def test_ragged_nesting_counts_its_values() -> None:
    """Values of any nesting are read; only their count must match the shape."""
    assert read(request_body([1, [2, [3]], *([4] * 13)], [1, 4, 4])).ravel()[:4].tolist() == [1, 2, 3, 4]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"[]",
        b"{}",
        b"\xff\xfe",
        b'{"inputs": 3}',
        b'{"inputs": [{}]}',
        b"[" * 100_000,
        b'{"inputs": ' + b"[" * 100_000,
        b'{"inputs": [], "id": 3}',
        b'{"inputs": [], "outputs": ["label"]}',
        b'{"inputs": [], "parameters": []}',
        request_body(ROW, [1, 4, 4])[:-1],
        request_body(ROW, [1, 4, 4]) + b"0",
        request_body(ROW, ["1", 4, 4]),  # type: ignore[list-item]
        request_body(ROW, [1.5, 4, 4]),  # type: ignore[list-item]
        request_body(float("nan"), [1, 4, 4]),
    ],
)
def test_what_is_no_request_is_refused(body: bytes) -> None:
    """The error states the form of a request."""
    with pytest.raises(BadBody, match=FORM):
        requests.decode(body, None, RowReader(IMAGE))


def _everywhere(parameters: dict[str, Any]) -> list[bytes]:
    """Write requests with the parameters in each place that has some."""
    return [
        document(tensor("image", [1, 4, 4], data=ROW), parameters=parameters),
        document(tensor("image", [1, 4, 4], data=ROW, parameters=parameters)),
        document(tensor("image", [1, 4, 4], data=ROW), outputs=[{"name": "probabilities", "parameters": parameters}]),
    ]


@pytest.mark.parametrize(
    "parameters", [{"a": 1}, {"headers": {"x": "y"}}, {"tag": None, "more": [1, {}]}, {"sequence_start": True}]
)
def test_unknown_parameters_are_ignored(parameters: dict[str, Any]) -> None:
    """Callers tag their requests, wherever parameters may stand."""
    for body in _everywhere(parameters):
        assert read(body).shape == (1, 4, 4)


@pytest.mark.parametrize(
    ("place", "name", "value"),
    [
        (0, "sequence_id", 1),
        (0, "sequence_id", "a"),
        (0, "priority", 1),
        (0, "timeout", 1000),
        (1, "shared_memory_region", "a"),
        (2, "shared_memory_region", "a"),
        *((place, "content_type", "pd") for place in range(3)),
    ],
)
def test_what_is_known_and_cannot_be_honoured_is_refused(place: int, name: str, value: object) -> None:
    """The error names the parameter."""
    with pytest.raises(BadBody, match=rf"{FORM}.*parameters\.{name}"):
        requests.decode(_everywhere({name: value})[place], None, RowReader(IMAGE))


@pytest.mark.parametrize(
    "parameters", [{"sequence_id": 0, "priority": 0, "timeout": 0}, {"sequence_id": ""}, {"content_type": "np"}]
)
def test_parameters_that_ask_for_nothing_are_accepted(parameters: dict[str, Any]) -> None:
    """Triton's defaults can be honoured, and `np` is how values are read in any case."""
    for body in _everywhere(parameters):
        assert read(body).shape == (1, 4, 4)


_KNOWN = (
    *("binary_data", "binary_data_output", "binary_data_size", "classification", "alpha", "per_label", "content_type"),
    *("sequence_id", "priority", "timeout", "shared_memory_region"),
)


def test_null_means_absent() -> None:
    """It does for every parameter, and for every key that may be absent."""
    for body in _everywhere(dict.fromkeys(_KNOWN)):
        message = requests.decode(body, None, RowReader(IMAGE)).message
        assert read(body).shape == (1, 4, 4)
        (output,) = message.outputs or [RequestedOutput(name="probabilities")]
        assert requests.wanted(message, ("probabilities", "set"))[0].name == "probabilities"
        assert output.classification is None
        assert not requests.is_binary(output, message.settings)
    nothing = document(tensor("image", [1, 4, 4], data=ROW, parameters=None), outputs=None, parameters=None, id=None)
    assert read(nothing).shape == (1, 4, 4)
    head = document({**behind("image", [1, 4, 4], "FP32", 64), "data": None})
    assert read(head + bytes(64), len(head)).shape == (1, 4, 4)
    assert requests.decode_index(b'{"ready": null}').ready is None


def test_a_byte_order_mark_is_left_out() -> None:
    """It may stand before the JSON, also when tensors stand behind it, and counts to its length."""
    mark = b"\xef\xbb\xbf"
    assert read(mark + request_body(ROW, [1, 4, 4])).shape == (1, 4, 4)
    head = mark + document(behind("image", [1, 4, 4], "FP32", 64))
    assert read(head + bytes(64), len(head)).shape == (1, 4, 4)
    assert requests.decode_index(mark + b'{"ready": true}').ready
    assert not requests.decode_index(mark).ready


@pytest.mark.parametrize(
    ("where", "parameters"),
    [
        ("request", {"binary_data_output": 1}),
        ("request", {"alpha": "0.1"}),
        ("request", {"alpha": True}),
        ("request", {"per_label": 1}),
        ("input", {"binary_data_size": -1}),
        ("input", {"binary_data_size": "8"}),
        ("input", {"binary_data_size": 8.5}),
        ("input", {"binary_data_size": True}),
        ("output", {"binary_data": "true"}),
        ("output", {"classification": 0}),
        ("output", {"classification": -1}),
        ("output", {"classification": True}),
    ],
)
def test_parameters_have_their_types(where: str, parameters: dict[str, Any]) -> None:
    """A parameter of another type is refused where it is read, not converted."""
    body = {
        "request": document(parameters=parameters),
        "input": document(tensor("image", [1, 4, 4], parameters=parameters)),
        "output": document(outputs=[{"name": "probabilities", "parameters": parameters}]),
    }
    with pytest.raises(BadBody, match=FORM):
        requests.decode(body[where], None, RowReader(IMAGE))


def test_an_output_is_requested_once() -> None:
    """A request that names an output twice is refused."""
    with pytest.raises(BadTensor, match=r"each output is requested once\. Got: \['label', 'label'\]"):
        requests.decode(document(outputs=[{"name": "label"}, {"name": "label"}]), None, RowReader(IMAGE))


@pytest.mark.parametrize(
    ("changes", "rule"),
    [
        ({"name": "picture"}, r"the inputs are image\. Got: \['picture'\]"),
        ({"datatype": "FP64"}, "the datatype of image is FP32"),
        ({"datatype": "BYTES"}, r"the shape of image is \[-1\] or \[-1, 1\], -1 for the rows. Got: \[1, 4, 4\]"),
        ({"shape": [1, 4]}, r"the shape of image is \[-1, 4, 4\]"),
        ({"shape": [1, 4, 5]}, "the shape of image is"),
        ({"shape": [1, 4, 4, 1]}, "the shape of image is"),
        ({"shape": []}, "the shape of image is"),
        ({"shape": [0, 4, 4], "data": []}, "a request has 1 to 1024 rows"),
        ({"shape": [-1, 4, 4]}, "a request has 1 to 1024 rows"),
        ({"shape": [1025, 4, 4]}, "a request has 1 to 1024 rows"),
        ({"shape": [2**60, 4, 4]}, "a request has 1 to 1024 rows"),
        ({"data": ROW[1:]}, "image: data has 16 values. Got: 15"),
        ({"data": [*ROW, 0]}, "image: data has 16 values. Got: 17"),
        ({"data": [[*ROW], [*ROW]]}, "image: data has 16 values. Got: 32"),
        ({"data": []}, "image: data has 16 values"),
        ({"data": {}}, "image: data is a list of numbers"),
        ({"data": "0" * 16}, "image: data is a list of numbers"),
        ({"data": 3}, "image: data is a list of numbers"),
        ({"data": None}, r"image has either data or binary_data_size\. Got: neither"),
        ({"data": {"a": ROW}}, "image: data is a list of numbers"),
        ({"data": [*ROW[1:], "0"]}, "image: data is a list of numbers"),
        ({"data": [*ROW[1:], True]}, "image: data is a list of numbers"),
        ({"data": [*ROW[1:], None]}, "image: data is a list of numbers"),
        ({"data": [ROW[1:], {}]}, "image: data is a list of numbers"),
        ({"data": [*ROW[1:], 1e39]}, "image: values are finite in FP32"),
        ({"data": [ROW[1:], -1e300]}, "image: values are finite in FP32"),
        ({"data": [ROW[1:], 10**400]}, "image: values are finite in FP32"),
    ],
)
def test_tensors_that_are_not_the_models_are_refused(changes: dict[str, Any], rule: str) -> None:
    """Each error names the input, and states the rule that it breaks."""
    with pytest.raises(BadTensor, match=rule):
        read(document({**tensor("image", [1, 4, 4], data=ROW), **changes}))


@pytest.mark.parametrize(
    "data",
    [
        b"[NaN]",
        b"[Infinity]",
        b"[1e999]",
        b"[01]",
        b"[1,]",
        b"[1.]",
        b"[" * 100_000,
        b'["\xff"]',
        b'[[1, "\xff"]]',
        b'["\\ud800"]',
        b"[" + b"9" * 5000 + b"]",
        b"[[" + b"9" * 5000 + b"]]",
    ],
)
def test_what_json_does_not_know_is_refused(data: bytes) -> None:
    """NaN, infinities and malformed numbers are refused."""
    for one in (Tensor(name="x", shape=(-1, 1)), Tensor(name="x", shape=(-1, 1), datatype="INT64")):
        body = document(tensor("x", [1, 1], one.datatype, data=[])).replace(b"[]", data)
        with pytest.raises((BadBody, BadTensor)):
            read(body, None, (one,))


@pytest.mark.parametrize(("opening", "closing"), [(b"[", b"]"), (b'{"a":', b"}"), (b'[{"a":', b"}]")])
def test_nesting_of_any_depth_is_refused(opening: bytes, closing: bytes) -> None:
    """Deep nesting is an error of Weir, also where JSON is read but its value can hardly be shown."""
    for depth in (*range(2, 1100), 100_000):
        data = opening * depth + b"1" + closing * depth
        with pytest.raises((BadBody, BadTensor)):
            read(request_body([], [1, 4, 4]).replace(b"[]", data))


def test_values_behind_the_json_are_rows() -> None:
    """The header names where binary values begin."""
    values = np.arange(32, dtype="<f4").reshape(2, 4, 4)
    head = document(behind("image", [2, 4, 4], "FP32", 128))
    assert np.array_equal(read(head + values.tobytes(), len(head)), values)


@pytest.mark.parametrize("spaces", range(8))
def test_values_may_begin_anywhere(spaces: int) -> None:
    """Rows are aligned in memory whatever the length of the JSON before them."""
    head = document(behind("image", [1, 4, 4], "FP32", 64)) + b" " * spaces
    values = np.arange(16, dtype="<f4").reshape(1, 4, 4)
    rows = read(head + values.tobytes(), len(head))
    assert rows.flags.aligned
    assert np.array_equal(rows, values)


def test_a_request_that_is_all_json_may_state_its_length() -> None:
    """A header length equal to the body means that no tensor stands behind the JSON."""
    body = request_body(ROW, [1, 4, 4])
    assert read(body, len(body)).shape == (1, 4, 4)


def test_a_header_length_fits_the_body() -> None:
    """A header length beyond the body is refused, and so is one that cuts the JSON."""
    body = request_body(ROW, [1, 4, 4])
    with pytest.raises(BadBody, match=f"Inference-Header-Content-Length is at most the body's {len(body)} bytes"):
        read(body, len(body) + 1)
    with pytest.raises(BadBody, match=FORM):
        read(body, len(body) - 1)


@pytest.mark.parametrize("size", [0, 63, 65, 2**70])
def test_sizes_add_up_to_what_is_there(size: int) -> None:
    """Binary sizes that do not add up to the bytes behind the JSON are refused."""
    head = document(behind("image", [1, 4, 4], "FP32", size))
    with pytest.raises(BadBody, match=f"binary_data_size of all inputs adds up to the 64 bytes.*Got: {size}"):
        read(head + bytes(64), len(head))


def test_sizes_without_a_length_are_refused() -> None:
    """Without the header, an error states that no bytes stand behind the JSON."""
    with pytest.raises(BadBody, match=r"adds up to the 0 bytes behind the JSON\. Got: 64"):
        read(document(behind("image", [1, 4, 4], "FP32", 64)))


def test_a_size_is_the_one_of_its_own_input() -> None:
    """Sizes that only add up are refused: each is that of its own input."""
    head = document(behind("a", [1, 2], "FP32", 12), behind("b", [1, 3], "INT32", 8))
    with pytest.raises(BadTensor, match=r"a: 2 values of FP32 are 8 bytes\. Got: 12"):
        read(head + bytes(20), len(head), PAIR)


def test_values_are_in_one_place() -> None:
    """An input with both data and bytes is refused, and so is one with neither."""
    both = document({**behind("image", [1, 4, 4], "FP32", 64), "data": ROW})
    with pytest.raises(BadTensor, match=r"image has either data or binary_data_size\. Got: both"):
        read(both + bytes(64), len(both))
    with pytest.raises(BadTensor, match=r"image has either data or binary_data_size\. Got: neither"):
        read(document(tensor("image", [1, 4, 4])))


def test_bytes_alone_are_the_rows_of_the_one_input() -> None:
    """Bytes alone are rows, and their answer is binary, too."""
    values = np.arange(48, dtype="<f4").reshape(3, 4, 4)
    assert np.array_equal(read(values.tobytes(), 0), values)
    assert requests.decode(values.tobytes(), 0, RowReader(IMAGE)).message.settings.binary_data_output


@pytest.mark.parametrize("size", [0, 63, 65, 127])
def test_bytes_alone_are_whole_rows(size: int) -> None:
    """Bytes that are no whole rows, and no bytes, are refused."""
    with pytest.raises(BadTensor, match=rf"a body of bytes alone is whole rows of 64 bytes\. Got: {size}"):
        read(bytes(size), 0)


def test_bytes_alone_keep_the_rules_of_rows() -> None:
    """Bytes alone have at most 1,024 rows, and finite values."""
    assert len(read(bytes(1024 * 64), 0)) == 1024
    with pytest.raises(BadTensor, match=r"a request has 1 to 1024 rows\. Got: 1025"):
        read(bytes(1025 * 64), 0)
    with pytest.raises(BadTensor, match="image: values are finite in FP32"):
        read(np.full(16, np.nan, "<f4").tobytes(), 0)


def test_bytes_alone_are_not_for_several_inputs() -> None:
    """Bytes alone are refused for several inputs, since nothing marks where one ends."""
    with pytest.raises(BadBody, match=r"is for models of one tensor of numbers\. Got: a, b"):
        read(bytes(20), 0, PAIR)


def _pair(order: str) -> tuple[bytes, int]:
    """Write both inputs in an order, lower-case letters as JSON, capitals behind it."""
    tensors = {
        "a": tensor("a", [2, 2], data=A.tolist()),
        "b": tensor("b", [2, 3], "INT32", data=B.ravel().tolist()),
        "A": behind("a", [2, 2], "FP32", 16),
        "B": behind("b", [2, 3], "INT32", 24),
    }
    head = document(*(tensors[letter] for letter in order))
    parts = {"A": A.tobytes(), "B": B.tobytes()}
    return head + b"".join(parts.get(letter, b"") for letter in order), len(head)


@pytest.mark.parametrize("order", ["ab", "ba", "AB", "BA", "aB", "Ab", "bA", "Ba"])
def test_several_inputs_are_one_array(order: str) -> None:
    """Each is a field of its datatype, in the order of the model, wherever its values stand."""
    rows = read(*_pair(order), PAIR)
    assert rows.shape == (2,)
    assert rows.dtype == np.dtype([("a", "<f4", (2,)), ("b", "<i4", (3,))])
    assert np.array_equal(rows["a"], A)
    assert np.array_equal(rows["b"], B)


@pytest.mark.parametrize(
    ("tensors", "rule"),
    [
        ([], r"the inputs are a, b\. Got: \[\]"),
        ([tensor("a", [1, 2], data=[1, 2])], r"the inputs are a, b\. Got: \['a'\]"),
        ([tensor("a", [1, 2], data=[1, 2])] * 2, r"the inputs are a, b\. Got: \['a', 'a'\]"),
        ([tensor(name, [1, 2], data=[1, 2]) for name in "abc"], "the inputs are a, b"),
        (
            [tensor("a", [1, 2], data=[1, 2]), tensor("b", [2, 3], "INT32", data=[1] * 6)],
            r"all inputs have as many rows\. Got: \[1, 2\]",
        ),
        (
            [tensor("b", [2, 3], "INT32", data=[1] * 6), tensor("a", [1, 2], data=[1, 2])],
            r"all inputs have as many rows\. Got: \[2, 1\]",
        ),
        ([tensor("b", [], "INT32", data=[]), tensor("a", [1, 2], data=[1, 2])], "the shape of b is"),
        ([tensor("a", [1, 2], data=[1, 2]), tensor("b", [1, 3], data=[1] * 3)], "the datatype of b is INT32"),
        (
            [tensor("a", [1, 2], data=[1, 2]), tensor("b", [1, 3], "INT32", data=[1, 2, 2**31])],
            r"b: values of INT32 are .*Got: 2147483648",
        ),
    ],
)
def test_inputs_that_are_not_the_models_are_refused(tensors: list[dict[str, Any]], rule: str) -> None:
    """Each is there once, has its own shape and datatype, and as many rows as the others."""
    with pytest.raises(BadTensor, match=rule):
        read(document(*tensors), None, PAIR)


@pytest.mark.parametrize("names", [[], ["image", "image"], ["image", "mask"]])
def test_one_input_is_there_once(names: list[str]) -> None:
    """A missing input is refused, and so is a further one."""
    with pytest.raises(BadTensor, match=r"the inputs are image\. Got: \["):
        read(document(*(tensor(name, [1, 4, 4], data=ROW) for name in names)))


def _message(**other: object) -> InferRequest:
    return requests.decode(document(**other), None, RowReader(IMAGE)).message


def _names(message: InferRequest, *known: str) -> list[str]:
    return [output.name for output in requests.wanted(message, known)]


def test_outputs_are_those_requested() -> None:
    """Outputs are all of the model, or those requested, in the order of the request."""
    known = ("probabilities", "label", "path")
    assert _names(_message(), *known) == list(known)
    assert _names(_message(outputs=[]), *known) == list(known)
    assert _names(_message(outputs=[{"name": "path"}, {"name": "label"}]), *known) == ["path", "label"]
    with pytest.raises(BadTensor, match=r"outputs of the model are probabilities, label, path\. Got: logits"):
        _names(_message(outputs=[{"name": "logits"}]), *known)


def test_only_probabilities_are_classified() -> None:
    """The parameter classification is refused for any output but the probabilities."""
    outputs = [{"name": name, "parameters": {"classification": 2}} for name in ("probabilities", "label")]
    (output,) = requests.wanted(_message(outputs=outputs[:1]), ("probabilities", "label"))
    assert output.classification == 2
    with pytest.raises(BadBody, match=r"goes with the output probabilities\. Got: label"):
        _names(_message(outputs=outputs), "probabilities", "label")


def test_sets_and_their_parameters_go_together() -> None:
    """The output set and alpha need each other; without a list of outputs, alpha brings the sets along."""
    known = ("label", "set")
    assert _names(_message(), *known) == ["label"]
    assert _names(_message(parameters={"alpha": 0.1}), *known) == ["label", "set"]
    assert _names(_message(outputs=[{"name": "set"}], parameters={"alpha": 0.1}), *known) == ["set"]
    with pytest.raises(BadBody, match="goes with the request's parameter alpha"):
        _names(_message(outputs=[{"name": "set"}]), *known)
    for request in (
        _message(outputs=[{"name": "label"}], parameters={"alpha": 0.1}),
        _message(parameters={"per_label": True}),
        _message(parameters={"per_label": False}),
    ):
        with pytest.raises(BadBody, match="go with the output set"):
            _names(request, *known)
    with pytest.raises(BadBody, match="go with the output set"):
        _names(_message(parameters={"alpha": 0.1}), "label")


PROMISED = PredictionSets(
    rows=9,
    quantiles=(Quantile(alpha=0.1, least=0.3), Quantile(alpha=0.2, least=0.4, least_per_label=(0.1, 0.2))),
)


@pytest.mark.parametrize(
    ("per_label", "holds_per_label"), [({}, False), ({"per_label": False}, False), ({"per_label": True}, True)]
)
def test_sets_are_chosen_by_alpha(per_label: dict[str, bool], holds_per_label: bool) -> None:
    """The parameter alpha chooses the entry of the table, and per_label its kind of promise."""
    parameters = _message(parameters={"alpha": 0.2, **per_label}).settings
    assert requests.set_parameters(parameters, PROMISED) == (PROMISED.quantiles[1], holds_per_label)


@pytest.mark.parametrize(
    ("parameters", "rule"),
    [
        ({"alpha": 0.3}, r"alpha is one of 0\.1, 0\.2\. Got: 0\.3"),
        ({"alpha": 0.15}, r"alpha is one of 0\.1, 0\.2\. Got: 0\.15"),
        ({}, "alpha is one of"),
        ({"alpha": 0.1, "per_label": True}, r"true where the version has sets per label\. Got: 0\.1"),
    ],
)
def test_sets_that_nobody_promised_are_refused(parameters: dict[str, object], rule: str) -> None:
    """An alpha between two entries is refused, not rounded."""
    with pytest.raises(BadBody, match=rule):
        requests.set_parameters(_message(parameters=parameters).settings, PROMISED)


@pytest.mark.parametrize(
    ("own", "all_of_them", "binary"),
    [
        (None, False, False),
        (None, True, True),
        (False, False, False),
        (False, True, False),
        (True, False, True),
        (True, True, True),
    ],
)
def test_an_outputs_own_parameter_comes_first(own: bool | None, all_of_them: bool, binary: bool) -> None:
    """An output is binary by its own parameter, and without one by the parameter of the request."""
    parameters = OutputParameters() if own is None else OutputParameters(binary_data=own)
    output = RequestedOutput(name="label", parameters=parameters)
    assert requests.is_binary(output, RequestParameters(binary_data_output=all_of_them)) == binary


@pytest.mark.parametrize(
    ("content", "ready"), [(b"", False), (b"{}", False), (b'{"ready": true}', True), (b'{"more": 1}', False)]
)
def test_a_request_for_the_index_may_be_empty(content: bytes, ready: bool) -> None:
    """An empty body of a request for the index is an empty object."""
    assert requests.decode_index(content).ready == ready


@pytest.mark.parametrize("content", [b"[]", b"null", b'{"ready": 1}', b"\xff", b"{", b"[" * 100_000])
def test_what_is_no_request_of_the_index_is_refused(content: bytes) -> None:
    """The error states the form of the body."""
    with pytest.raises(BadBody, match=r'the body is empty, or a JSON object \{"ready": true or false\}'):
        requests.decode_index(content)


def test_the_id_comes_back() -> None:
    """The id of a request is decoded as it was sent."""
    assert requests.decode(json.dumps({"inputs": [], "id": "é7"}).encode(), None, RowReader(IMAGE)).message.id == "é7"
