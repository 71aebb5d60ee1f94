"""weir.catalog.store_failures, with real servers on loopback, through obstore and through boto3."""

import datetime as dt
import http.server
import ipaddress
import socket
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import unquote
from xml.sax.saxutils import escape

import boto3
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from tests.http_servers import running
from training.publishing.stores import open_store
from weir import proxies
from weir.catalog.store import Store
from weir.catalog.store_failures import explain
from weir.catalog.store_urls import without_credentials
from weir.errors import StoreUnavailable

SECRET = "SECRET-THAT-NOBODY-MAY-READ"
NOBODY_LISTENS = "http://127.0.0.1:9"

Read = Callable[[str], object]


@pytest.fixture(scope="module")
def session() -> boto3.Session:
    """A session with credentials; making its first client takes half a second, and the others nothing."""
    return boto3.Session("AKIDEXAMPLE", SECRET, region_name="us-east-1")


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, session: boto3.Session) -> None:
    """Credentials, one attempt, and nothing of the machine's own: no profile, no proxy, no metadata service."""
    for name in ("AWS_PROFILE", "AWS_REGION", "AWS_SESSION_TOKEN", *proxies.VARIABLES):
        monkeypatch.delenv(name, raising=False)
    for name, value in {
        "AWS_ACCESS_KEY_ID": "AKIDEXAMPLE",
        "AWS_SECRET_ACCESS_KEY": SECRET,
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_MAX_ATTEMPTS": "1",
        "AWS_CONFIG_FILE": str(tmp_path / "none"),
        "AWS_SHARED_CREDENTIALS_FILE": str(tmp_path / "none"),
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_METADATA_ENDPOINT": NOBODY_LISTENS,
    }.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", session)
    monkeypatch.setattr("weir.catalog.store._RETRIES", 0)


@pytest.fixture(params=["obstore get", "obstore list", "boto3 get", "boto3 list"])
def read(request: pytest.FixtureRequest) -> Read:
    """Read from a bucket of an endpoint, in each way that the functions and the command have."""
    library, _, verb = str(request.param).partition(" ")

    def read_it(endpoint: str) -> object:
        if library == "obstore":
            store = Store("s3://the-bucket/prefix", endpoint=endpoint)
            return store.get("a") if verb == "get" else store.keys("a/")
        writable = open_store("s3://the-bucket/prefix", endpoint)
        return writable.read("a") if verb == "get" else writable.keys("a/")

    return read_it


class _Answering(http.server.BaseHTTPRequestHandler):
    """A server that answers every request with one status and one S3 error code."""

    server: "_Server"

    def do_GET(self) -> None:
        code = self.server.code
        key = escape(unquote(self.path))
        body = f"<Error><Code>{code}</Code><Key>{key}</Key><Message>{SECRET}</Message></Error>" if code else ""
        self.send_response(self.server.status)
        self.send_header("Content-Length", str(len(body.encode())))
        self.end_headers()
        self.wfile.write(body.encode())

    def do_PUT(self) -> None:
        """Answer a write as a read."""
        self.rfile.read(int(self.headers["Content-Length"]))
        self.do_GET()

    def do_CONNECT(self) -> None:
        """Answer a client that takes this server for its proxy."""
        self.do_GET()

    def log_message(self, *_: object) -> None:
        """Print nothing."""


class _Server(http.server.ThreadingHTTPServer):
    status, code = 200, ""

    def handle_error(self, *_: object) -> None:
        """Print nothing of clients that hang up."""


@contextmanager
def _serving(status: int = 200, code: str = "", tls: ssl.SSLContext | None = None) -> Iterator[str]:
    """Serve, and yield the server's host and port."""
    server = _Server(("127.0.0.1", 0), _Answering)
    server.status, server.code = status, code
    if tls:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    with running(server) as address:
        yield address


def _message(read: Read, endpoint: str) -> str:
    with pytest.raises(StoreUnavailable) as raised:
        read(endpoint)
    message = str(raised.value)
    assert message.startswith("the store s3://the-bucket/prefix ")
    assert "GenericError" not in message
    assert SECRET not in message
    return message


@pytest.mark.parametrize(
    ("status", "code", "expected"),
    [
        (403, "AccessDenied", "refused the request: access denied (AccessDenied); reading takes s3:GetObject"),
        (403, "", "refused the request: access denied"),
        (404, "NoSuchBucket", "refused the request: there is no such bucket (NoSuchBucket); check its name"),
        (403, "InvalidAccessKeyId", "refused the request: the AWS credentials are wrong (InvalidAccessKeyId)"),
        (403, "SignatureDoesNotMatch", "refused the request: the AWS credentials are wrong (SignatureDoesNotMatch)"),
        (400, "ExpiredToken", "refused the request: the AWS credentials have expired (ExpiredToken); renew them"),
        (403, "RequestTimeTooSkewed", "refused the request: this machine's clock is wrong (RequestTimeTooSkewed)"),
        (301, "PermanentRedirect", "refused the request: the bucket is in another region"),
        (400, "AuthorizationHeaderMalformed", "refused the request: the bucket is in another region"),
        (503, "SlowDown", "refused the request: the server is overloaded or broken (SlowDown); try again"),
        (500, "", "refused the request: the server is overloaded or broken"),
        (400, "SomethingNew", "refused the request: SomethingNew"),
        (501, "NotImplemented", "refused the request: it lacks a part of S3 (NotImplemented); a store must take"),
        (501, "", "refused the request: it lacks a part of S3"),
        (418, "", "refused the request: "),
    ],
)
def test_what_s3_answers_is_explained(read: Read, status: int, code: str, expected: str) -> None:
    """Each refusal of S3 names its cause and its code, and repeats nothing else that the server sent."""
    with _serving(status, code) as server:
        assert expected in _message(read, f"http://{server}")


def test_a_bucket_that_does_not_exist_is_explained(read: Read, s3_endpoint: str) -> None:
    """A real S3 without the bucket says so, whatever is read."""
    assert "there is no such bucket (NoSuchBucket)" in _message(read, s3_endpoint)


def test_a_refused_connection_is_explained(read: Read) -> None:
    """A port on which nothing listens is not confused with anything else."""
    assert "did not answer: connection refused; check the host and port" in _message(read, NOBODY_LISTENS)


def test_an_unknown_host_is_explained(read: Read) -> None:
    """A typing error in a host name is not confused with a server that is down."""
    assert "did not answer: no host has this name" in _message(read, "http://no-such-host.invalid")


def test_missing_credentials_are_explained(read: Read, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without credentials the message says how to give them, and no lookup waits."""
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)
    message = _message(read, NOBODY_LISTENS)
    assert "can't be opened: there are no AWS credentials; set AWS_PROFILE, or AWS_ACCESS_KEY_ID and" in message


def test_half_of_the_credentials_is_explained(monkeypatch: pytest.MonkeyPatch) -> None:
    """An access key without its secret counts as no credentials."""
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    with pytest.raises(StoreUnavailable, match="there are no AWS credentials"):
        Store("s3://the-bucket", endpoint=NOBODY_LISTENS).get("a")


def test_https_on_a_server_without_tls_is_explained(read: Read) -> None:
    """An endpoint whose URL says https by mistake is named as such."""
    with _serving() as server:
        message = _message(read, f"https://{server}")
    assert "did not answer: its URL says https, and the server has no TLS" in message


def test_http_on_a_server_with_tls_is_explained(read: Read, certificate: ssl.SSLContext) -> None:
    """An endpoint whose URL says http by mistake makes the server hang up, and the message suggests why."""
    with _serving(tls=certificate) as server:
        assert "check whether its URL is http:// or https://" in _message(read, f"http://{server}")


def test_a_certificate_that_is_not_trusted_is_explained(read: Read, certificate: ssl.SSLContext) -> None:
    """A certificate of an unknown authority is named as the cause."""
    with _serving(tls=certificate) as server:
        assert "does not trust its TLS certificate" in _message(read, f"https://{server}")


def test_a_certificate_of_another_day_is_explained(read: Read, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A certificate that has expired, or a clock that is wrong, is not confused with an unknown authority."""
    for days in (-2, 2):
        context = _certificate(tmp_path, days=days)
        monkeypatch.setenv("AWS_CA_BUNDLE", str(tmp_path / "server.pem"))
        with _serving(tls=context) as server:
            assert "its TLS certificate is not valid today; check this machine's clock" in _message(
                read, f"https://{server}"
            )


def test_a_certificate_of_another_host_is_explained(
    read: Read, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A certificate of a trusted authority for another host is named as such."""
    context = _certificate(tmp_path, address="127.0.0.2")
    monkeypatch.setenv("AWS_CA_BUNDLE", str(tmp_path / "server.pem"))
    with _serving(tls=context) as server:
        assert "its TLS certificate is one of another host" in _message(read, f"https://{server}")


def test_the_authorities_of_a_bundle_are_trusted(read: Read, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Reading and writing trust the certificates that AWS_CA_BUNDLE names: the server is heard."""
    context = _certificate(tmp_path)
    monkeypatch.setenv("AWS_CA_BUNDLE", str(tmp_path / "server.pem"))
    with _serving(418, "Teapot", tls=context) as server:
        assert "refused the request: Teapot" in _message(read, f"https://{server}")


@pytest.mark.parametrize(("scheme", "status"), [("https", 407), ("https", 403), ("http", 407)])
def test_a_proxy_that_refuses_is_explained(
    read: Read, monkeypatch: pytest.MonkeyPatch, scheme: str, status: int
) -> None:
    """A proxy that lets nothing through is named, without its password."""
    with _serving(status) as proxy:
        for name in ("HTTPS_PROXY", "HTTP_PROXY", "http_proxy"):
            monkeypatch.setenv(name, f"http://somebody:{SECRET}@{proxy}")
        message = _message(read, f"{scheme}://s3.example.invalid")
    assert "did not answer: the proxy did not let the request through" in message
    assert "check HTTPS_PROXY" in message


def test_a_proxy_that_is_down_is_a_possible_cause(read: Read, monkeypatch: pytest.MonkeyPatch) -> None:
    """The variable that names the proxy is mentioned where a connection fails, and its value never is."""
    for name in ("HTTPS_PROXY", "HTTP_PROXY", "http_proxy"):
        monkeypatch.setenv(name, f"http://somebody:{SECRET}@127.0.0.1:9")
    assert "HTTPS_PROXY" in _message(read, "http://s3.example.invalid")


def test_a_server_that_never_answers_is_explained(monkeypatch: pytest.MonkeyPatch) -> None:
    """A read that times out says so."""
    monkeypatch.setattr("weir.catalog.store._TIMEOUT_S", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        endpoint = f"http://127.0.0.1:{silent.getsockname()[1]}"
        message = _message(Store("s3://the-bucket/prefix", endpoint=endpoint).keys, "a/")
    assert "did not answer: no answer in time" in message


def test_a_panic_of_obstore_is_explained(monkeypatch: pytest.MonkeyPatch) -> None:
    """What nobody checks may make obstore panic, which is no `Exception`, and yet one is raised."""

    class PanicException(BaseException):
        pass

    def panic(*_: object) -> None:
        raise PanicException("called `Result::unwrap()` on an `Err` value: IdnaError")

    monkeypatch.setattr("weir.catalog.store.obstore.get", panic)
    with pytest.raises(StoreUnavailable, match="the store s3://b can't be opened: its endpoint and region make no"):
        Store("s3://b").get("a")


def test_an_interrupt_is_no_failure_of_the_store(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only a panic is translated: Ctrl-C stays what it is."""

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("weir.catalog.store.obstore.get", interrupt)
    with pytest.raises(KeyboardInterrupt):
        Store("s3://b").get("a")


def test_a_region_that_is_none_is_named_by_boto3(monkeypatch: pytest.MonkeyPatch) -> None:
    """The commands repeat boto3's message, which names the region."""
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu west")
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)
    with pytest.raises(StoreUnavailable, match="the AWS profile default can't be used: Provided region_name 'eu west'"):
        open_store("s3://b")


def test_both_lines_of_botocores_message_are_kept() -> None:
    """What botocore refuses itself is named with its cause, which is on the second line of its message."""
    with pytest.raises(StoreUnavailable, match="failed: Parameter validation failed: Invalid length for parameter Key"):
        open_store("s3://b").read("")


def test_a_profile_that_does_not_exist_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """The message repeats boto3's own, which names the profile."""
    monkeypatch.setenv("AWS_PROFILE", "nobody")
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)
    with pytest.raises(StoreUnavailable, match=r"the AWS profile nobody can't be used: The config profile \(nobody\)"):
        open_store("s3://b")


def test_a_folder_that_cannot_be_written_is_explained(tmp_path: Path) -> None:
    """A folder store says what the system said, and of which file."""
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(StoreUnavailable, match=r"failed: Unable to open file .*/file/x.*: Not a directory"):
        Store(tmp_path.as_uri()).put("file/x", b"")
    with pytest.raises(StoreUnavailable, match=r"failed: \w+ \w+: .*/file"):
        open_store(tmp_path.as_uri()).put("file/x", b"")


def test_the_name_of_a_file_is_never_taken_for_a_cause(tmp_path: Path) -> None:
    """A folder whose name is a mark of some other failure changes nothing about the message."""
    folder = tmp_path / "AccessDenied Timeout"
    folder.mkdir()
    (folder / "file").write_bytes(b"")
    for put in (Store(folder.as_uri()).put, open_store(folder.as_uri()).put):
        with pytest.raises(StoreUnavailable, match=r"failed: (Unable to open file|File exists|Not a directory)"):
            put("file/x", b"")


@pytest.mark.parametrize(
    "key",
    [
        "batches/in/m/AccessDenied.csv",
        "batches/in/m/SlowDown (503).npy",
        "ProxyError",
        "latest/api/token",
        "x: AccessDenied",
        "<Code>ExpiredToken</Code>",
    ],
)
def test_a_key_or_prefix_is_never_taken_for_a_cause(key: str) -> None:
    """A key or prefix with the mark of some other failure changes nothing about the message, with either library."""
    for url, name in (("s3://the-bucket/prefix", key), (f"s3://the-bucket/{key}", "a")):
        with _serving(418, "Teapot") as server:
            for endpoint, expected in (
                (NOBODY_LISTENS, "did not answer: connection refused"),
                (f"http://{server}", "refused the request: Teapot"),
            ):
                functions, commands = Store(url, endpoint=endpoint), open_store(url, endpoint)
                for call in (functions.get, functions.keys, commands.read, commands.keys, _put(functions)):
                    with pytest.raises(StoreUnavailable) as raised:
                        call(name)
                    assert str(raised.value).startswith(f"the store {url} {expected}")


@pytest.mark.parametrize(
    ("status", "code", "expected"), [(403, "", "access denied;"), (404, "NoSuchBucket", "there is")]
)
def test_a_key_in_obstores_own_words_is_never_taken_for_a_cause(status: int, code: str, expected: str) -> None:
    """For some statuses obstore's message repeats the key outside of a URL, and that changes nothing either."""
    with _serving(status, code) as server:
        store = Store("s3://the-bucket/prefix", endpoint=f"http://{server}")
        for call in (store.get, _put(store)):
            with pytest.raises(StoreUnavailable, match=f"refused the request: {expected}"):
                call("batches/in/m/ExpiredToken <Code>InvalidToken</Code>.csv")


def _put(store: Store) -> Read:
    return lambda key: store.put(key, b"")


def test_an_unknown_failure_keeps_the_first_line_of_its_message() -> None:
    """What the table does not know is repeated without credentials; an error without a message is named."""
    unknown = ValueError(f"http://user:{SECRET}@host/a broke\nDebug source: {SECRET}")
    assert explain(unknown) == ("failed", "http://host/a broke")
    assert explain(ValueError()) == ("failed", "ValueError")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("at http://user:pw@host/a@b", "at http://host/a@b"),
        ("https://token@host", "https://host"),
        ("https://user:p@ss@host", "https://host"),
        ("s3://bucket/a@b", "s3://bucket/a@b"),
    ],
)
def test_credentials_are_removed_from_urls(text: str, expected: str) -> None:
    """User names and passwords go; an @ in a path stays."""
    assert without_credentials(text) == expected


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> ssl.SSLContext:
    """A server's certificate that nobody trusts."""
    return _certificate(tmp_path_factory.mktemp("tls"))


def _certificate(folder: Path, *, days: int = 0, address: str = "127.0.0.1") -> ssl.SSLContext:
    """Make a server's certificate for an address, signed by itself, and valid so many days from now."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, address)])
    now, day = dt.datetime.now(dt.UTC) + dt.timedelta(days), dt.timedelta(1)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number(), now - day, now + day)
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(address))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    path = folder / "server.pem"
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    path.write_bytes(private + made.public_bytes(Encoding.PEM))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path)
    return context
