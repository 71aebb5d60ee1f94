"""training.client: requests, answers, clients and signing."""

import http.server
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote

import numpy as np
import pytest
import requests
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from numpy.typing import NDArray

from local.gateway import MAX_BODY_BYTES
from tests.http_servers import running
from tests.training.quick import weir
from training import aws_profile
from training.client import arrays, signing
from training.client import requests as client_requests
from training.client.answers import lines, merged
from training.client.clients import HttpClient
from training.client.signing import SigV4
from weir import proxies
from weir.api.inference import RequestBody
from weir.catalog.inputs import Tensor
from weir.catalog.mounts import END_TO_END
from weir.engine.arrays import Floats
from weir.errors import BadInput, NotFound, Unavailable, WeirError

METADATA = {
    "inputs": [{"name": "image", "shape": [-1, 4, 4]}],
    "outputs": [{"name": "probabilities", "shape": [-1, 3]}, {"name": "label", "shape": [-1]}],
}


@pytest.mark.parametrize("shape", [(4, 4), (16,), (3, 4, 4), (3, 16)])
def test_arrays_are_rows(tmp_path: Path, shape: tuple[int, ...]) -> None:
    """A .npy holds one row or many, each of the model's shape or flat."""
    values = np.arange(int(np.prod(shape)), dtype=np.uint8).reshape(shape)
    np.save(tmp_path / "a.npy", values)
    (body,) = client_requests.requests(tmp_path / "a.npy", METADATA)
    message, sent = _read(body)
    assert message["inputs"][0]["shape"] == [values.size // 16, 4, 4]
    assert sent == values.ravel().tolist()


def _read(body: RequestBody) -> tuple[dict[str, Any], list[float]]:
    """Take a request in binary form apart: its JSON, and its values."""
    assert body.header_length
    message = json.loads(body.content[: body.header_length])
    return message, np.frombuffer(body.content[body.header_length :], "<f4").tolist()


@pytest.mark.parametrize(
    ("rows", "row", "labels", "expected"),
    [
        (2500, (4, 4), 3, [1024, 1024, 452]),
        (1024, (28, 28), 10, [1024]),
        (20, (224, 224, 3), 10, [6, 6, 6, 2]),
        (3, (1100, 1100), 10, [1, 1, 1]),
        (1000, (4, 4), 1000, [166, 166, 166, 166, 166, 166, 4]),
    ],
)
def test_many_rows_are_several_requests(rows: int, row: tuple[int, ...], labels: int, expected: list[int]) -> None:
    """Rows are split so that neither a request nor its answer has more rows or bytes than the API passes on."""
    metadata = {"outputs": [{"shape": [-1, labels]}, {"shape": [-1]}]}
    one = Tensor(name="i", shape=(-1, *row))
    bodies = list(arrays.requests(np.full((rows, *row), 0.1), one, metadata))
    assert [_read(body)[0]["inputs"][0]["shape"] for body in bodies] == [[count, *row] for count in expected]
    assert max(len(body.content) for body in bodies) < MAX_BODY_BYTES or expected[0] == 1


def test_a_model_of_several_inputs_takes_a_request(tmp_path: Path) -> None:
    """Rows of a file are of one input; a request in JSON names its inputs itself."""
    metadata = {"inputs": [{"name": "left"}, {"name": "right"}], "outputs": []}
    (tmp_path / "a.json").write_text('{"inputs": []}')
    assert list(client_requests.requests(tmp_path / "a.json", metadata)) == [RequestBody(b'{"inputs": []}')]
    np.save(tmp_path / "a.npy", np.zeros((1, 4)))
    with pytest.raises(BadInput, match=r"rows name their inputs: left, right\. Got: an array"):
        list(client_requests.requests(tmp_path / "a.npy", metadata))


@pytest.mark.parametrize(
    ("name", "content", "rule"),
    [
        ("a.npy", b"", "numpy.save writes"),
        ("a.npy", b"no array", "numpy.save writes"),
        ("a.json", b"", "is JSON"),
        ("a.json", b"[" * 100_000, "is JSON"),
        ("a.json", b"[[1, 2], [3]]", "numbers nested as the row is"),
        ("a.json", b'"text"', "numbers nested as the row is"),
        ("a.json", b"[1, 2, 3]", "one row of shape"),
        ("a.json", b"[]", "one row of shape"),
        ("a.txt", b"1", "a .png, .jpg, .npy, .csv, .jsonl or .json"),
    ],
)
def test_files_that_are_no_input_are_refused(tmp_path: Path, name: str, content: bytes, rule: str) -> None:
    """The error of a file that is no input states what an input is."""
    (tmp_path / name).write_bytes(content)
    with pytest.raises(BadInput, match=rule):
        list(client_requests.requests(tmp_path / name, METADATA))


@pytest.mark.parametrize(
    "array",
    [np.full((4, 4), "a"), np.full((4, 4), np.nan), np.full((4, 4), 1e39), np.zeros((0, 4, 4)), np.zeros((4, 5))],
)
def test_arrays_that_are_no_rows_are_refused(tmp_path: Path, array: NDArray[np.generic]) -> None:
    """Arrays of text, with NaN, without rows or of another shape are bad input."""
    np.save(tmp_path / "a.npy", array)
    with pytest.raises(BadInput):
        list(client_requests.requests(tmp_path / "a.npy", METADATA))


@pytest.mark.parametrize(
    ("name", "media_type"), [("a.png", "image/png"), ("a.jpg", "image/jpeg"), ("a.jpeg", "image/jpeg")]
)
def test_pictures_go_as_they_are(tmp_path: Path, name: str, media_type: str) -> None:
    """The bytes of a picture are sent unchanged: the API reads them."""
    (tmp_path / name).write_bytes(b"any bytes")
    assert list(client_requests.requests(tmp_path / name, METADATA)) == [RequestBody(b"any bytes", picture=media_type)]


def _answer(*outputs: tuple[str, list[object]]) -> dict[str, object]:
    return {"outputs": [{"name": name, "shape": [len(data)], "data": data} for name, data in outputs]}


def test_answers_are_shown_row_by_row() -> None:
    """A line has the label of its row, and confidence, level, path and group where the answer has them."""
    assert lines(_answer(("label", ["a", "b"]))) == ["row 0: a", "row 1: b"]
    assert lines(_answer(("probabilities", [0.25, 0.75]), ("label", ["b"]))) == ["row 0: b (0.7500)"]
    assert lines(_answer(("exit_level", [1]))) == ["exit_level: [1]"]
    cascade = _answer(("label", ["b"]), ("confidence", [0.5]), ("exit_level", [1]), ("path", ["x"]))
    assert lines(cascade) == ["row 0: b (0.5000), level 1: x"]
    abstaining = _answer(("label", ["", "", "c"]), ("group", ["tops", "", "shoes"]), ("confidence", [0.5, 0.25, 0.75]))
    assert lines(abstaining) == [
        "row 0: no label, one of the group tops (0.5000)",
        "row 1: no label (0.2500)",
        "row 2: c (0.7500)",
    ]


def test_answers_to_several_requests_are_joined() -> None:
    """The rows of several answers follow each other in one."""
    joined = merged([_answer(("label", ["a"])), _answer(("label", ["b", "c"]))])
    assert joined["outputs"] == [{"name": "label", "shape": [3], "data": ["a", "b", "c"]}]


class _Answering(http.server.BaseHTTPRequestHandler):
    """An API that answers with the status and the body that its path names."""

    def do_GET(self) -> None:
        _, status, body, *_ = self.path.split("/")
        self.send_response(int(status))
        self.end_headers()
        self.wfile.write(unquote(body).encode())

    def log_message(self, *_: object) -> None:
        """Print nothing."""


@pytest.fixture
def api() -> Iterator[str]:
    with running(http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Answering)) as address:
        yield f"http://{address}"


@pytest.mark.parametrize(
    ("status", "body", "error", "message"),
    [
        (400, '{"error": "rule. Got: x"}', BadInput, "rule. Got: x"),
        (404, '{"error": "rule. Got: x"}', NotFound, "rule. Got: x"),
        (404, '{"message": "Not Found"}', NotFound, "Not Found. Got: status 404 from http://127"),
        (413, '{"message": "Too Large"}', BadInput, "Too Large. Got: status 413 from http://127"),
        (403, '{"message": "Forbidden"}', Unavailable, "answered with status 403: Forbidden"),
        (503, "no json", Unavailable, "answered with status 503: Service Unavailable"),
        (503, '{"error": "models are loaded. Got: a failure"}', Unavailable, "503: models are loaded. Got: a failure"),
        (200, "no json", Unavailable, "answered with no JSON document: no json"),
        (200, "[" * 5000, Unavailable, "answered with no JSON document"),
    ],
)
def test_error_answers_become_errors(api: str, status: int, body: str, error: type[WeirError], message: str) -> None:
    """The message of the API or of its gateway reaches the person, as bad input or as a failure."""
    with pytest.raises(error, match=message):
        HttpClient(f"{api}/{status}/{quote(body)}", END_TO_END).metadata("m", "1")


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("http://127.0.0.1:9", "http://127.0.0.1:9/v2/models/m did not answer: connection refused"),
        ("http://somebody:password@127.0.0.1:9", "http://127.0.0.1:9/v2/models/m did not answer: connection refused"),
        ("http://127.0.0.1:9/SlowDown", "http://127.0.0.1:9/SlowDown/v2/models/m did not answer: connection refused"),
        ("http://absent.invalid", "http://absent.invalid/v2/models/m did not answer: no host has this name"),
    ],
)
def test_an_api_that_does_not_answer_is_explained(monkeypatch: pytest.MonkeyPatch, url: str, message: str) -> None:
    """The message names the URL without its password, the cause, and what to do."""
    for name in proxies.VARIABLES:
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(Unavailable, match=f"^{re.escape(message)}; check the host and port of its URL$"):
        HttpClient(url, END_TO_END).metadata("m", "")


@pytest.mark.parametrize(
    "url", ["", "ftp://x", "x", "http://", "http://[x", "http://x:port", "http://x y", "http://é", "http://u:pass@x y"]
)
def test_a_url_of_no_api_is_refused(url: str) -> None:
    """What is no http:// or https:// URL is bad input, before anything is signed or sent, and shows no password."""
    with pytest.raises(BadInput, match=r"^--url is the API's http:// or https:// URL\. Got: ") as raised:
        HttpClient(url, END_TO_END)
    assert "pass" not in str(raised.value)


def test_requests_are_signed_as_botocore_signs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Requests are signed for API Gateway in the region of the host, as botocore signs them."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    monkeypatch.setenv("AWS_SESSION_TOKEN", "token")
    url = "https://abc.execute-api.eu-west-3.amazonaws.com/v2/models/m/infer"
    signer = signing.authorization(url)
    assert signer
    prepared = requests.Request("POST", url, data=b"{}", headers={"Content-Type": "application/json"}).prepare()
    signer(prepared)
    expected = AWSRequest("POST", url, {"Content-Type": "application/json"}, b"{}")
    expected.context["timestamp"] = prepared.headers["X-Amz-Date"]
    assert "/eu-west-3/execute-api/aws4_request" in prepared.headers["Authorization"]
    assert prepared.headers["X-Amz-Security-Token"] == "token"

    auth = SigV4Auth(Credentials("AKIDEXAMPLE", "secret", "token"), "execute-api", "eu-west-3")
    for name in ("X-Amz-Date", "X-Amz-Security-Token"):
        expected.headers[name] = prepared.headers[name]
    signature = auth.signature(auth.string_to_sign(expected, auth.canonical_request(expected)), expected)
    assert prepared.headers["Authorization"].endswith(f"Signature={signature}")


def test_without_credentials_nothing_is_signed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Without credentials requests are sent unsigned, as an API with another authorizer takes them."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    assert signing.authorization("https://api.example.org") is None
    assert "AWS_ACCESS_KEY_ID" not in aws_profile.environment("")


def test_a_custom_domain_is_signed_for_the_profiles_region(monkeypatch: pytest.MonkeyPatch) -> None:
    """A host that names no region is signed for the region of the profile."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "a")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "b")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "sa-east-1")
    prepared = requests.Request("GET", "https://api.example.org/v2").prepare()
    signer = signing.authorization("https://api.example.org")
    assert isinstance(signer, SigV4)
    assert "/sa-east-1/execute-api/" in signer(prepared).headers["Authorization"]


def test_a_models_warnings_stand_beside_its_answer(thirds: Path, pictures: Floats, tmp_path: Path) -> None:
    """A model that a command loads itself logs to stderr, so that stdout is the answer alone."""
    np.save(tmp_path / "scaled.npy", pictures / 255)
    done = [
        weir("predict", "thirds", tmp_path / "scaled.npy", "--store", thirds.as_uri(), "--json"),
        weir("batch", "thirds", tmp_path / "scaled.npy", "--store", thirds.as_uri(), "--json"),
    ]
    for one in done:
        assert one.returncode == 0
        assert isinstance(json.loads(one.stdout), dict)
        assert "values sent to the model thirds fill under 2 % of the range" in one.stderr
