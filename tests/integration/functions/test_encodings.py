"""Every encoding of a tensor gets the same prediction, bit for bit; an incomplete one is a 400."""

import base64
import gzip
import json
import zlib
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from tests.serving import context, http_event, load_app
from weir.api.gateway_events import HEADER_LENGTH
from weir.engine.arrays import Floats

Sent = tuple[bytes, list[tuple[str, str]]]

PICTURES = st.integers(1, 4).flatmap(
    lambda rows: arrays(np.float32, (rows, 4, 4), elements=st.floats(-1000, 1000, width=32))
)
PATHS = {"predict": "/v2/models/thirds/infer", "cascade": "/cascade/v2/models/thirds/infer"}

pytestmark = pytest.mark.usefixtures("runtime")


@pytest.fixture(params=PATHS)
def name(request: pytest.FixtureRequest) -> str:
    """Each function that predicts."""
    name: str = request.param
    return name


@pytest.fixture
def app(served: Path, runtime: str, name: str) -> ModuleType:
    """The function, over the store that serves `thirds`."""
    return load_app(name)


def _json(data: list[Any], shape: tuple[int, ...]) -> Sent:
    return json.dumps({"inputs": [{"name": "image", "shape": shape, "datatype": "FP32", "data": data}]}).encode(), []


def _binary(pictures: Floats) -> Sent:
    data = pictures.tobytes()
    tensor = {
        "name": "image",
        "shape": pictures.shape,
        "datatype": "FP32",
        "parameters": {"binary_data_size": len(data)},
    }
    head = json.dumps({"inputs": [tensor], "parameters": {"binary_data_output": True}}).encode()
    return head + data, [(HEADER_LENGTH, str(len(head)))]


def _encodings(pictures: Floats) -> list[Sent]:
    plain = [
        _json(pictures.tolist(), pictures.shape),
        _json(pictures.ravel().tolist(), pictures.shape),
        _binary(pictures),
        (pictures.tobytes(), [(HEADER_LENGTH, "0")]),
    ]
    packed = [(gzip.compress(body), [*headers, ("Content-Encoding", "gzip")]) for body, headers in plain]
    deflated = [(zlib.compress(body), [*headers, ("Content-Encoding", "deflate")]) for body, headers in plain]
    return [*plain, *packed, *deflated]


def _answer(app: ModuleType, name: str, sent: Sent) -> dict[str, Any]:
    body, headers = sent
    answer: dict[str, Any] = app.handler(http_event("POST", PATHS[name], body, headers), context())
    return answer


def _probabilities(answer: dict[str, Any]) -> bytes:
    """Take the bits of the first output, from JSON or from bytes."""
    assert answer["statusCode"] == 200, answer
    body = base64.b64decode(answer["body"]) if answer["isBase64Encoded"] else answer["body"].encode()
    length = int(answer["headers"].get(HEADER_LENGTH, len(body)))
    output = json.loads(body[:length])["outputs"][0]
    assert output["name"] == "probabilities"
    if "data" in output:
        return np.array(output["data"], np.float32).tobytes()
    return body[length : length + output["parameters"]["binary_data_size"]]


@given(pictures=PICTURES)
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_every_encoding_gives_the_same_prediction(app: ModuleType, name: str, pictures: Floats) -> None:
    """Nested or flat, as bytes or text, compressed or not, and so for the answer."""
    predictions = {_probabilities(_answer(app, name, sent)) for sent in _encodings(pictures)}
    assert len(predictions) == 1


@given(pictures=PICTURES, cut=st.integers(1, 300), more=st.binary(min_size=1, max_size=64))
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_tensor_of_another_length_is_a_bad_request(
    app: ModuleType, name: str, pictures: Floats, cut: int, more: bytes
) -> None:
    """After JSON always, as bytes alone unless they are whole rows."""
    body, headers = _binary(pictures)
    for wrong in (body[:-cut], body + more):
        assert _answer(app, name, (wrong, headers))["statusCode"] == 400
    raw = pictures.tobytes()
    for changed in (raw[:-cut], raw + more):
        whole = changed and len(changed) % 64 == 0
        assert _answer(app, name, (changed, [(HEADER_LENGTH, "0")]))["statusCode"] == (200 if whole else 400)
