"""Each Python block of docs/clients.md and the README runs; those that sign pass a gateway that verifies signatures."""

import re
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
import requests
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from local.system import System
from tests.http_servers import running
from tests.serving import ROOT, digits_manifest, store_version

BLOCKS = [
    block
    for page in ("docs/clients.md", "README.md")
    for block in re.findall(r"^```python\n(.*?)^```", (ROOT / page).read_text(), re.DOTALL | re.MULTILINE)
]
ASYNC = [block for block in BLOCKS if "await" in block]
SIGNED = [block for block in BLOCKS if "SigV4Auth" in block]
PLAIN = [block for block in BLOCKS if block not in ASYNC + SIGNED]
CREDENTIALS = Credentials("AKIDEXAMPLE", "secret")
REGION = "eu-west-1"


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Serve the model that the pages use."""
    store = tmp_path_factory.mktemp("store")
    store_version(store, digits_manifest())
    with System(store=store.as_uri()) as system:
        yield system.url


@pytest.fixture
def guarded(url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Serve it behind a gateway that requires a signature, as API Gateway does."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", CREDENTIALS.access_key)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", CREDENTIALS.secret_key)
    monkeypatch.delenv("AWS_SESSION_TOKEN", raising=False)
    with running(ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (Gate,), {"behind": url}))) as address:
        yield f"http://{address}"


class Gate(BaseHTTPRequestHandler):
    """Forward signed requests, and answer others with 403."""

    behind: str
    protocol_version = "HTTP/1.1"

    def _pass(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        status, content, headers = 403, b'{"message":"Forbidden"}', {}
        if self._is_signed(body):
            answer = requests.request(
                self.command, self.behind + self.path, data=body, headers=dict(self.headers), timeout=30
            )
            status, content = answer.status_code, answer.content
            headers = {
                name: answer.headers[name] for name in ("Inference-Header-Content-Length",) if name in answer.headers
            }
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(content))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)

    do_GET = do_POST = _pass  # noqa: N815 (http.server's names)

    def _is_signed(self, body: bytes) -> bool:
        """Compute the signature of the received request, and compare."""
        received = AWSRequest(self.command, f"https://{self.headers['Host']}{self.path}", data=body)
        received.headers["X-Amz-Date"] = received.context["timestamp"] = self.headers.get("X-Amz-Date", "")
        signer = SigV4Auth(CREDENTIALS, "execute-api", REGION)
        signature = signer.signature(signer.string_to_sign(received, signer.canonical_request(received)), received)
        return self.headers.get("Authorization", "").endswith(f"Signature={signature}")

    def log_message(self, *_: object) -> None:
        """Keep the log of the tests quiet."""


def _at(block: str, url: str) -> str:
    """Put the URL of a test in the place of those that the page names; only TLS is left out."""
    host = url.removeprefix("http://")
    for named in ("127.0.0.1:8080", "abc123.execute-api.eu-west-1.amazonaws.com"):
        block = block.replace(f"https://{named}", url).replace(named, host)
    return block.replace(", ssl=True", "")


@pytest.mark.parametrize("block", PLAIN, ids=lambda block: block.splitlines()[0])
def test_blocks_run(url: str, block: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Each block runs as it is printed, and prints a predicted label."""
    exec(_at(block, url), {})
    assert re.search(r"['\"][0-9]['\"]", capsys.readouterr().out)  # a digit's label


@pytest.mark.parametrize("block", SIGNED, ids=lambda block: block.splitlines()[0])
def test_signed_blocks_pass_a_gate(guarded: str, block: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Each block that signs passes a gateway that verifies the signature; only TLS is left out."""
    exec(_at(block, guarded), {})
    assert "probabilities" in capsys.readouterr().out


def test_the_signed_triton_client_infers(guarded: str) -> None:
    """The signed Triton client signs the bodies of POST requests, too."""
    names: dict[str, object] = {}
    exec(_at(SIGNED[1], guarded), names)
    infer = _at(PLAIN[1], guarded).replace("triton.InferenceServerClient(", "signed(")
    exec(infer, {"signed": lambda host: names["SignedClient"](host, REGION)})  # type: ignore[operator]


def test_an_unsigned_request_does_not_pass(guarded: str) -> None:
    """The gateway of these tests answers a request without a signature with 403."""
    assert requests.get(f"{guarded}/v2", timeout=30).status_code == 403


def test_every_block_is_run_somewhere() -> None:
    """No block is left out: this file runs five, and `make check` runs KServe's."""
    assert (len(PLAIN), len(SIGNED), len(ASYNC)) == (3, 2, 1)
