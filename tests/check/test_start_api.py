"""`sam local start-api`: the template's routes, the built functions and layers, over real HTTP."""

import gzip
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from PIL import Image

from tests.check.samcli import overrides, start_api
from tests.integration.local import test_triton

pytestmark = [pytest.mark.check, pytest.mark.xdist_group("sam")]

BLANK = [[0.0] * 28] * 28
TENSOR = {"name": "image", "shape": [1, 28, 28], "datatype": "FP32", "data": BLANK}
REQUEST = {"inputs": [TENSOR]}
INFER = "/v2/models/mnist-sample/infer"


@pytest.fixture(scope="module")
def url(built: Path, image: str, store_endpoint: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of the API, with a warm container for each function."""
    log = tmp_path_factory.mktemp("start-api") / "log"
    arguments = ("--invoke-image", image, "--skip-pull-image", *overrides(store_endpoint))
    with start_api(*arguments, log=log) as base_url:
        yield base_url


@pytest.fixture(scope="module")
def address(url: str) -> str:
    """The host and port of the API."""
    return url.removeprefix("http://")


class TestTriton(test_triton.TestTriton):
    """Triton's client gets the same answers from the containers as from the local system."""


def _send(method: str, url: str, **other: Any) -> requests.Response:  # noqa: ANN401 (whatever requests takes)
    return requests.request(method, url, timeout=60, **other)


def _probabilities(answer: requests.Response) -> list[float]:
    assert answer.status_code == 200, answer.text
    values: list[float] = answer.json()["outputs"][0]["data"]
    return values


@pytest.mark.parametrize(
    ("method", "path", "status", "text"),
    [
        ("GET", "/v2", 200, '"name":"weir"'),
        ("GET", "/v2/", 200, '"name":"weir"'),
        ("GET", "/cascade/v2/", 200, '"name":"weir"'),
        ("GET", "/v2/models/th%69rds", 200, '"name":"thirds"'),
        ("GET", "/cascade/v2/models/thirds/versions/2/config", 200, '"name":"thirds"'),
        ("GET", "/v2/models/a%20b", 404, "Got: a b"),
        ("GET", "/v2/models/nobody/versions/1", 404, "Got: nobody"),
        ("GET", "/v2/models/..%2F..%2Fx", 404, "paths are those of the Open Inference Protocol"),
        ("GET", "/", 200, '{"status":"alive"}'),
        ("GET", "/v1/models", 200, '{"models":["mnist-sample","thirds"]}'),
        ("GET", "/v1/models/thirds/labels/champion", 200, '"ready":true'),
        ("GET", "/v1/models/thirds/metadata", 200, '"serving_default"'),
        ("GET", "/nothing", 404, "Got: /nothing"),
        ("POST", "/v1/models/mnist-sample:classify", 404, "Got: /v1/models/mnist-sample:classify"),
    ],
)
def test_every_path_is_answered_by_a_function(url: str, method: str, path: str, status: int, text: str) -> None:
    """Paths of the template, paths with a trailing slash or percent signs, and unknown paths get Weir's answers."""
    answer = _send(method, url + path)
    assert answer.status_code == status
    assert text in answer.text
    assert (set(answer.json()) == {"error"}) == (status >= 400)


@pytest.mark.parametrize(
    ("method", "path", "allow"),
    [
        ("GET", INFER, "POST"),
        ("PUT", f"/cascade{INFER}", "POST"),
        ("HEAD", INFER, "POST"),
        ("OPTIONS", "/v1/models/mnist-sample:predict", "POST"),
        ("POST", "/v2/", "GET, HEAD"),
        ("DELETE", "/cascade/v2/models/thirds", "GET, HEAD"),
    ],
)
def test_a_wrong_verb_is_answered_with_the_allowed_one(url: str, method: str, path: str, allow: str) -> None:
    """A known path with another verb is 405, and the header Allow names its verbs."""
    answer = _send(method, url + path)
    assert (answer.status_code, answer.headers["Allow"]) == (405, allow)


@pytest.mark.parametrize("version", ["", "/versions/1", "/versions/champion", "/labels/champion"])
def test_clients_of_tensorflow_serving_are_answered(url: str, version: str) -> None:
    """/v1 gives the probabilities of /v2, though API Gateway's path variables can't end at a colon."""
    answer = _send("POST", f"{url}/v1/models/mnist-sample{version}:predict", json={"instances": [BLANK]})
    assert answer.json() == {"predictions": [_probabilities(_send("POST", url + INFER, json=REQUEST))]}


@pytest.mark.parametrize("mount", ["", "/cascade"], ids=["end-to-end", "cascade"])
def test_a_picture_is_a_row(url: str, mount: str) -> None:
    """A picture gives the probabilities of its tensor: its bytes arrive unchanged."""
    picture = io.BytesIO()
    Image.new("L", (28, 28)).save(picture, "PNG")
    answer = _send("POST", url + mount + INFER, data=picture.getvalue(), headers={"Content-Type": "image/png"})
    assert _probabilities(answer) == _probabilities(_send("POST", url + mount + INFER, json=REQUEST))


def test_a_body_without_a_media_type_is_json(url: str) -> None:
    """A body is read as JSON with the media type of `curl -d` and without any."""
    for headers in ({"Content-Type": "application/x-www-form-urlencoded"}, {}):
        answer = _send("POST", url + INFER, data=json.dumps(REQUEST).encode(), headers=headers)
        assert len(_probabilities(answer)) == 10


@pytest.mark.parametrize(("accepted", "encoding"), [("gzip", "gzip"), ("identity", None), ("deflate", None)])
def test_bodies_may_be_compressed(url: str, accepted: str, encoding: str | None) -> None:
    """A compressed request is read, and the answer is compressed when the client accepts gzip."""
    answer = _send(
        "POST",
        url + INFER,
        data=gzip.compress(json.dumps({"inputs": [{**TENSOR, "shape": [9, 28, 28], "data": [BLANK] * 9}]}).encode()),
        headers={"Content-Encoding": "gzip", "Accept-Encoding": accepted},
    )
    assert answer.headers.get("Content-Encoding") == encoding
    assert len(_probabilities(answer)) == 90


def test_the_api_describes_itself(url: str) -> None:
    """The OpenAPI document has examples of the store's models, and /docs may load nothing from elsewhere."""
    document = _send("GET", f"{url}/openapi.json").json()
    examples = document["paths"]["/v2/models/{model}/infer"]["post"]["requestBody"]["content"]["application/json"]
    assert set(examples["examples"]) == {"mnist-sample", "thirds"}
    page = _send("GET", f"{url}/docs")
    assert (page.status_code, page.headers["Content-Type"]) == (200, "text/html; charset=utf-8")
    assert page.headers["Content-Security-Policy"].startswith("default-src 'none'")
    assert "SwaggerUIBundle" in page.text
