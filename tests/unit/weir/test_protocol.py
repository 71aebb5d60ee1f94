"""weir.protocol: JSON of the Open Inference Protocol <-> tensors."""

import json
from collections.abc import Iterator
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

from tests.serving import request_body
from weir.errors import BadBody, BadTensor
from weir.manifest import TensorSpec
from weir.promises import PredictionSets, Quantile
from weir.protocol import (
    InferRequest,
    InferResponse,
    OutputTensor,
    _numbers,
    decode_request,
    encode_response,
    rows,
    set_parameters,
    wanted,
)

SPEC = TensorSpec(name="image", shape=(-1, 4, 4))
ROW = [0.0] * 16

NESTED = st.recursive(
    st.lists(st.integers(-100, 100), max_size=5), lambda parts: st.lists(parts | st.integers(-100, 100), max_size=5)
)

PICTURES = st.integers(1, 4).flatmap(
    lambda n: arrays(np.float32, (n, 4, 4), elements=st.floats(-(2.0**100), 2.0**100, width=32, allow_subnormal=False))
)


class Counting(list[Any]):
    """A list that counts how often it is gone through."""

    times = 0

    def __iter__(self) -> Iterator[Any]:
        """Begin again."""
        self.times += 1
        return super().__iter__()


def _leaves(nested: list[Any]) -> Iterator[float]:
    for part in nested:
        if isinstance(part, list):
            yield from _leaves(part)
        else:
            yield part


def _rows(body: bytes) -> NDArray[np.float32]:
    return rows(decode_request(body), SPEC)


@given(PICTURES)
def test_nested_and_flat_data_are_the_same_rows(pictures: NDArray[np.float32]) -> None:
    """Any nesting is read row-major, bit for bit."""
    shape = list(pictures.shape)
    for data in (pictures.tolist(), pictures.ravel().tolist(), pictures.reshape(-1, 16).tolist()):
        assert _rows(request_body(data, shape)).tobytes() == pictures.tobytes()


def test_whole_numbers_are_numbers() -> None:
    """Raw pixels are often written without a point."""
    assert _rows(request_body([7] * 16, [1, 4, 4]))[0, 0, 0] == 7
    assert _rows(request_body([[7] * 8, [7] * 8], [1, 4, 4]))[0, 3, 3] == 7


def test_ragged_nesting_counts_its_values() -> None:
    """Only the count must match the shape."""
    assert _rows(request_body([1, [2, [3]], *([4] * 13)], [1, 4, 4])).ravel()[:4].tolist() == [1, 2, 3, 4]


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
        request_body(ROW, [1, 4, 4])[:-1],
        request_body(ROW, ["1", 4, 4]),  # type: ignore[list-item]
        request_body(float("nan"), [1, 4, 4]),
    ],
)
def test_what_is_no_request_is_refused(body: bytes) -> None:
    """The error states the form of a request."""
    with pytest.raises(BadBody, match="the body is a JSON object"):
        decode_request(body)


@pytest.mark.parametrize(
    "document",
    [
        {"inputs": [], "parameters": {"a": 1}},
        {"inputs": [{"name": "", "shape": [], "datatype": "", "data": [], "parameters": {"a": 1}}]},
        {"inputs": [], "outputs": [{"name": "label", "parameters": {"a": 1}}]},
    ],
)
def test_parameters_are_refused_and_not_ignored(document: dict[str, Any]) -> None:
    """Nobody believes that a parameter was honoured when it was not."""
    with pytest.raises(BadBody, match=r"parameters .*\. Got: a"):
        decode_request(json.dumps(document).encode())


@pytest.mark.parametrize(
    ("tensor", "rule"),
    [
        ({"name": "picture"}, "the one input is named image"),
        ({"datatype": "FP64"}, "the datatype of image is FP32"),
        ({"shape": [1, 4]}, "the shape of image is"),
        ({"shape": [1, 4, 5]}, "the shape of image is"),
        ({"shape": []}, "the shape of image is"),
        ({"shape": [0, 4, 4], "data": []}, "a request has 1 to 1024 rows"),
        ({"shape": [-1, 4, 4]}, "a request has 1 to 1024 rows"),
        ({"shape": [1025, 4, 4]}, "a request has 1 to 1024 rows"),
        ({"shape": [2**60, 4, 4]}, "a request has 1 to 1024 rows"),
        ({"data": ROW[1:]}, "has 16 values"),
        ({"data": [*ROW, 0]}, "has 16 values"),
        ({"data": []}, "has 16 values"),
        ({"data": {}}, "data of image is a list of numbers"),
        ({"data": "0" * 16}, "data of image is a list of numbers"),
        ({"data": 3}, "data of image is a list of numbers"),
        ({"data": None}, "data of image is a list of numbers"),
        ({"data": {"a": ROW}}, "data of image is a list of numbers"),
        ({"data": [*ROW[1:], "0"]}, "data is a list of numbers"),
        ({"data": [*ROW[1:], True]}, "data is a list of numbers"),
        ({"data": [*ROW[1:], None]}, "data is a list of numbers"),
        ({"data": [ROW[1:], {}]}, "data is a list of numbers"),
        ({"data": [*ROW[1:], 1e39]}, "values are finite in FP32"),
        ({"data": [ROW[1:], -1e300]}, "values are finite in FP32"),
        ({"data": [ROW[1:], 10**400]}, "values are finite in FP32"),
    ],
)
def test_tensors_that_are_not_the_models_are_refused(tensor: dict[str, Any], rule: str) -> None:
    """Each error states the rule that the tensor breaks."""
    sound = {"name": "image", "shape": [1, 4, 4], "datatype": "FP32", "data": ROW}
    with pytest.raises(BadTensor, match=rule):
        _rows(json.dumps({"inputs": [{**sound, **tensor}]}).encode())


@pytest.mark.parametrize(
    "data",
    [
        b"[NaN]",
        b"[Infinity]",
        b"[1e999]",
        b"[01]",
        b"[1,]",
        b"[" * 100_000,
        b'["\xff"]',
        b'[[1, "\xff"]]',
        b'["\\ud800"]',
        b"[" + b"9" * 5000 + b"]",
        b"[[" + b"9" * 5000 + b"]]",
    ],
)
def test_what_json_does_not_know_is_refused(data: bytes) -> None:
    """NaN, infinities and broken numbers are no JSON, and no values."""
    body = request_body([], [1, 4, 4]).replace(b"[]", data)
    with pytest.raises((BadBody, BadTensor)):
        _rows(body)


@pytest.mark.parametrize(("opening", "closing"), [(b"[", b"]"), (b'{"a":', b"}"), (b'[{"a":', b"}]")])
def test_nesting_of_any_depth_is_refused(opening: bytes, closing: bytes) -> None:
    """Also where JSON can still be read, but its value hardly be shown."""
    for depth in (*range(2, 1100), 100_000):
        data = opening * depth + b"1" + closing * depth
        with pytest.raises((BadBody, BadTensor)):
            _rows(request_body([], [1, 4, 4]).replace(b"[]", data))


@given(NESTED)
def test_any_nesting_is_read_in_its_order(nested: list[Any]) -> None:
    """Values are those of a plain recursion, left to right."""
    flat = list(_leaves(nested))
    assume(flat)
    spec = TensorSpec(name="image", shape=(-1, len(flat)))
    read = rows(decode_request(request_body(nested, [1, len(flat)])), spec)
    assert read.tolist() == [flat]


def test_one_deep_value_among_many_costs_one_pass() -> None:
    """Every value is looked at once, not once for each level of the deepest nesting."""
    data: list[Any] = [0] * 100_000
    deepest = data
    for _ in range(900):
        deepest.append([])
        deepest = deepest[-1]
    visited = Counting(data)
    assert sum(1 for _ in _numbers(visited)) == 100_000
    assert visited.times == 1


def test_two_inputs_are_refused() -> None:
    """A model has one input here."""
    tensor = json.loads(request_body(ROW, [1, 4, 4]))["inputs"][0]
    with pytest.raises(BadTensor, match="the one input is named image"):
        _rows(json.dumps({"inputs": [tensor, tensor]}).encode())


def test_outputs_are_those_asked_for() -> None:
    """All of them, or those named, in their order."""
    known = ("probabilities", "label")
    assert wanted(decode_request(request_body(ROW, [1, 4, 4])), known) == known
    asked = request_body(ROW, [1, 4, 4], outputs=[{"name": "label"}])
    assert wanted(decode_request(asked), known) == ("label",)
    unknown = request_body(ROW, [1, 4, 4], outputs=[{"name": "logits"}])
    with pytest.raises(BadTensor, match=r"probabilities, label\. Got: logits"):
        wanted(decode_request(unknown), known)


def test_answers_are_documents_of_the_protocol() -> None:
    """The id is there when the caller gave one."""
    tensor = OutputTensor(name="label", shape=[1], datatype="BYTES", data=["left"])
    answer = InferResponse(model_name="m", model_version="1", outputs=[tensor])
    written = {"name": "label", "shape": [1], "datatype": "BYTES", "data": ["left"]}
    assert json.loads(encode_response(answer)) == {"model_name": "m", "model_version": "1", "outputs": [written]}
    assert json.loads(encode_response(msgspec.structs.replace(answer, id="7")))["id"] == "7"


PROMISED = PredictionSets(rows=9, quantiles=(Quantile(alpha=0.1, least=0.3), Quantile(alpha=0.2, least=0.4)))


def _asking(**parameters: object) -> InferRequest:
    return decode_request(json.dumps({"inputs": [], "outputs": [{"name": "set"}], "parameters": parameters}).encode())


def test_sets_are_asked_for_by_alpha() -> None:
    """The parameter chooses the entry of the table."""
    assert set_parameters(_asking(alpha=0.2), PROMISED) == (PROMISED.quantiles[1], False)


@pytest.mark.parametrize(
    ("parameters", "rule"),
    [
        ({"alpha": 0.3}, r"alpha is one of 0\.1, 0\.2\. Got: 0\.3"),
        ({"alpha": True}, "alpha is one of"),
        ({"alpha": "0.1"}, "alpha is one of"),
        ({"alpha": None}, "alpha is one of"),
        ({"alpha": 0.1, "per_label": True}, "true where the version has sets per label. Got: True"),
        ({"alpha": 0.1, "per_label": 1}, "per_label is true or false"),
    ],
)
def test_sets_that_nobody_promised_are_refused(parameters: dict[str, object], rule: str) -> None:
    """An alpha between two entries is not rounded."""
    with pytest.raises(BadBody, match=rule):
        set_parameters(_asking(**parameters), PROMISED)


def test_sets_and_their_parameters_go_together() -> None:
    """One without the other is refused; without a list of outputs, alpha brings the sets along."""
    known = ("label", "set")
    assert wanted(_plain(), known) == ("label",)
    assert wanted(_plain(parameters={"alpha": 0.1}), known) == known
    with pytest.raises(BadBody, match="goes with the request's parameter alpha"):
        wanted(_plain(outputs=[{"name": "set"}]), known)
    for request in (
        _plain(outputs=[{"name": "label"}], parameters={"alpha": 0.1}),
        _plain(parameters={"per_label": True}),
    ):
        with pytest.raises(BadBody, match="go with the output set"):
            wanted(request, known)
    with pytest.raises(BadBody, match="go with the output set"):
        wanted(_plain(parameters={"alpha": 0.1}), ("label",))


def _plain(**other: object) -> InferRequest:
    return decode_request(json.dumps({"inputs": [], **other}).encode())
