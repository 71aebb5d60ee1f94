"""weir.protocol.responses."""

import json
from typing import Any

import msgspec
import numpy as np
import pytest

from weir.catalog.inputs import TensorMetadata
from weir.protocol.messages import InferResponse
from weir.protocol.responses import Output, classified, encode

PROBABILITIES = np.array([[0.25, 0.5, 0.25], [0.125, 0.75, 0.125]], np.float32)
LABELS = ("left", "middle", "right")

_probable = Output.of(TensorMetadata(name="probabilities", datatype="FP32", shape=(-1, 3)), PROBABILITIES)
_named = Output.of(TensorMetadata(name="label", datatype="BYTES", shape=(-1,)), ["é", ""])


def _read(answer: tuple[bytes, int | None]) -> tuple[dict[str, Any], bytes]:
    body, length = answer
    return json.loads(body[:length]), b"" if length is None else body[length:]


def test_answers_are_documents_of_the_protocol() -> None:
    """Values are flat and row-major, and the id is there when the request had one."""
    document, _ = _read(encode("m", "1", [_probable, _named], None))
    assert document == {
        "model_name": "m",
        "model_version": "1",
        "outputs": [
            {"name": "probabilities", "shape": [2, 3], "datatype": "FP32", "data": PROBABILITIES.ravel().tolist()},
            {"name": "label", "shape": [2], "datatype": "BYTES", "data": ["é", ""]},
        ],
    }
    assert [_read(encode("m", "1", [_named], own))[0]["id"] for own in ("7", "")] == ["7", ""]
    body, length = encode("m", "1", [_probable], "7")
    assert length is None
    assert msgspec.json.decode(body, type=InferResponse).id == "7"


def test_numbers_survive_json() -> None:
    """A float32 written as JSON is read as the same float32."""
    values = np.random.default_rng(3).random((50, 3), np.float32)
    spec = TensorMetadata(name="probabilities", datatype="FP32", shape=(-1, 3))
    document, _ = _read(encode("m", "1", [Output.of(spec, values)], None))
    assert np.array(document["outputs"][0]["data"], np.float32).tobytes() == values.tobytes()


def test_bytes_stand_behind_the_json() -> None:
    """Binary outputs follow the JSON in order, each with its size, and the length of the JSON is returned."""
    document, binary = _read(encode("m", "1", [_probable.sent_binary(), _named.sent_binary()], None))
    texts = b"\2\0\0\0\xc3\xa9\0\0\0\0"
    assert document["outputs"] == [
        {"name": "probabilities", "shape": [2, 3], "datatype": "FP32", "parameters": {"binary_data_size": 24}},
        {"name": "label", "shape": [2], "datatype": "BYTES", "parameters": {"binary_data_size": 10}},
    ]
    assert binary == PROBABILITIES.tobytes() + texts


def test_one_answer_may_have_both() -> None:
    """Only the binary outputs stand behind the JSON; the others keep their data in it."""
    document, binary = _read(encode("m", "1", [_named, _probable.sent_binary()], None))
    assert document["outputs"][0]["data"] == ["é", ""]
    assert "data" not in document["outputs"][1]
    assert binary == PROBABILITIES.tobytes()


@pytest.mark.parametrize("values", [np.array([1, 0], np.int32), np.array([True, False]), np.array([1, 2], np.float32)])
def test_a_size_is_the_one_of_its_datatype(values: np.ndarray[Any, Any]) -> None:
    """The binary size counts four bytes for a number, and one for true or false."""
    spec = TensorMetadata(name="some", datatype="", shape=(-1,))
    document, binary = _read(encode("m", "1", [Output.of(spec, values).sent_binary()], None))
    assert document["outputs"][0]["parameters"]["binary_data_size"] == len(binary) == values.nbytes


def test_classes_are_the_most_probable_labels() -> None:
    """Each row has its own classes, the most probable first, ties by index, as `value:index:label`."""
    best = classified(_probable, LABELS, 2)
    assert (best.name, best.datatype, best.shape) == ("probabilities", "BYTES", [2, 2])
    assert best.values == ["0.500000:1:middle", "0.250000:0:left", "0.750000:1:middle", "0.125000:0:left"]


def test_there_are_no_more_classes_than_labels() -> None:
    """A request for more classes than labels gets all labels."""
    best = classified(_probable, LABELS, 9)
    assert best.shape == [2, 3]
    assert best.values[:3] == ["0.500000:1:middle", "0.250000:0:left", "0.250000:2:right"]


def test_many_ties_are_by_index() -> None:
    """The order of equal probabilities is stable, also for many labels."""
    weights = np.random.default_rng(4).integers(1, 4, (1, 200)).astype(np.float32)
    spec = TensorMetadata(name="probabilities", datatype="FP32", shape=(-1, 200))
    best = classified(Output.of(spec, weights), [str(n) for n in range(200)], 200)
    expected = sorted(range(200), key=lambda n: (-weights[0, n], n))
    assert [int(str(text).rpartition(":")[2]) for text in best.values] == expected


def test_classes_may_be_bytes() -> None:
    """Each class behind the JSON has its length before it."""
    document, binary = _read(encode("m", "1", [classified(_probable, LABELS, 1).sent_binary()], None))
    assert document["outputs"][0]["shape"] == [2, 1]
    assert binary == b"\x11\0\0\x000.500000:1:middle\x11\0\0\x000.750000:1:middle"
