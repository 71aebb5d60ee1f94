"""training.publishing, over a folder store and over an S3 that is reached by HTTP."""

import errno
import fcntl
import http.server
import io
import json
import os
import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import msgspec
import pytest
import requests

from tests.http_servers import running
from tests.serving import artifact, make_manifest, version_files
from training.publishing.publication import publish
from training.publishing.stores import WritableStore, open_store
from weir.catalog import keys
from weir.catalog.manifest import FILE, Manifest, decode, encode
from weir.catalog.store import Store
from weir.errors import BadInput, Conflict, ModelUnavailable, StoreUnavailable
from weir.runtime.registry import Registry


def lay_out(folder: Path, manifest: Manifest) -> Path:
    """Write a training folder with the tiny networks."""
    folder.mkdir(parents=True, exist_ok=True)
    for key, content in version_files(manifest).items():
        if key.endswith(".tflite"):
            (folder / Path(key).name).write_bytes(content)
    (folder / FILE).write_bytes(encode(manifest))
    return folder


@pytest.fixture
def trained(tmp_path: Path) -> Path:
    return lay_out(tmp_path / "trained", make_manifest())


@pytest.fixture(params=["file", "s3"])
def store(request: pytest.FixtureRequest, tmp_path: Path, bucket: str, s3_endpoint: str) -> WritableStore:
    """An empty store of each kind."""
    if request.param == "file":
        return open_store((tmp_path / "new" / "store").as_uri())
    return open_store(f"s3://{bucket}/prefix", s3_endpoint)


def _alias(store: WritableStore) -> dict[str, Any]:
    stored = store.read(keys.alias("thirds", "champion"))
    assert stored
    document: dict[str, Any] = json.loads(stored[0])
    return document


def test_a_publication_is_what_the_registry_serves(trained: Path, store: WritableStore, s3_endpoint: str) -> None:
    """The registry, which reads with obstore, serves what publication wrote with boto3."""
    published = publish(trained, store, "champion")
    assert (published.model, published.version, published.alias) == ("thirds", 1, "champion")
    endpoint = s3_endpoint if store.url.startswith("s3") else ""
    number, model = Registry(Store(store.url, endpoint=endpoint)).model("thirds")
    assert number == 1
    model.cascade.preload()


def test_versions_count_up_and_aliases_remember(trained: Path, store: WritableStore) -> None:
    """The version that the alias served before joins its history, newest first."""
    for number in (1, 2, 3):
        assert publish(trained, store, "champion").version == number
    assert _alias(store) == {"version": 3, "history": [2, 1], "canary": None}


def test_publishing_twice_gives_the_same_manifest(trained: Path, store: WritableStore) -> None:
    """Two publications of one folder differ in the facts of the publication only."""
    manifests = []
    for number in (1, 2):
        publish(trained, store, "champion")
        stored = store.read(keys.manifest("thirds", number))
        assert stored
        manifest = decode(stored[0])
        assert manifest.publication
        assert manifest.publication.version == number
        manifests.append(encode(msgspec.structs.replace(manifest, publication=None)))
    assert manifests[0] == manifests[1] == (trained / FILE).read_bytes()


def test_publishers_at_once_never_share_a_version(trained: Path, store: WritableStore) -> None:
    """Each of several publishers gets a version of its own, and the alias remembers all of them."""
    with ThreadPoolExecutor(6) as pool:
        numbers = list(pool.map(lambda _: publish(trained, store, "champion").version, range(6)))
    assert sorted(numbers) == [1, 2, 3, 4, 5, 6]
    alias = _alias(store)
    assert sorted([alias["version"], *alias["history"]]) == [1, 2, 3, 4, 5, 6]


@pytest.mark.parametrize("last", ["claim.json", ".tflite", "manifest.json"])
def test_a_publication_that_is_cut_off_serves_nobody(
    trained: Path, store: WritableStore, last: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Wherever a publication stops, its version is not served, and the alias stays where it was."""
    publish(trained, store, "champion")
    for name in ("put", "create"):
        whole = getattr(type(store), name)

        def cut(self: object, key: str, data: bytes, whole: Any = whole) -> object:  # noqa: ANN401
            if key.endswith("manifest.json") and last != "manifest.json":
                raise KeyboardInterrupt
            done = whole(self, key, data)
            if key.endswith(last):
                raise KeyboardInterrupt
            return done

        monkeypatch.setattr(type(store), name, cut)
    with pytest.raises(KeyboardInterrupt):
        publish(trained, store, "champion")
    monkeypatch.undo()
    assert _alias(store)["version"] == 1
    assert (store.read(keys.manifest("thirds", 2)) is None) == (last != "manifest.json")


def test_an_abandoned_number_is_never_used_again(trained: Path, store: WritableStore) -> None:
    """A claim without a manifest keeps its number from later publications."""
    store.create(keys.claim("thirds", 4), b"{}")
    assert publish(trained, store, "champion").version == 5


def test_a_damaged_artifact_is_never_published(trained: Path, store: WritableStore) -> None:
    """An artifact whose bytes have changed stops the publication before anything is written."""
    (trained / f"{artifact('tiny').digest}.tflite").write_bytes(b"damaged")
    with pytest.raises(ModelUnavailable, match="an artifact was changed"):
        publish(trained, store, "champion")
    assert store.keys("models/") == []


def test_an_artifact_that_an_interpreter_refuses_is_never_published(tmp_path: Path, store: WritableStore) -> None:
    """An artifact runs in every interpreter that its manifest claims, or nothing is written."""
    claimed = msgspec.structs.replace(artifact("large"), interpreters={"onnx": "1"})
    manifest = make_manifest()
    end_to_end = msgspec.structs.replace(manifest.end_to_end, artifact=claimed)
    levels = (*manifest.levels[:-1], msgspec.structs.replace(manifest.levels[-1], network=claimed))
    folder = lay_out(tmp_path / "t", msgspec.structs.replace(manifest, end_to_end=end_to_end, levels=levels))
    with pytest.raises(ModelUnavailable, match="onnx"):
        publish(folder, store, "champion")
    assert store.keys("models/") == []


@pytest.mark.parametrize("alias", ["", "Champion", "1", "../x"])
def test_a_bad_alias_is_refused_before_anything_is_written(trained: Path, store: WritableStore, alias: str) -> None:
    """An alias that breaks the rule stops the publication before a version is claimed."""
    with pytest.raises(BadInput, match="aliases are"):
        publish(trained, store, alias)
    assert store.keys("models/") == []


def test_a_folder_that_is_no_training_is_refused(tmp_path: Path, store: WritableStore) -> None:
    """A folder without a complete training is bad input; for a stopped training the error says how to go on."""
    (tmp_path / "stopped" / ".work").mkdir(parents=True)
    for name, message in (("none", "completed"), ("stopped", "run it again to go on")):
        with pytest.raises(BadInput, match=message):
            publish(tmp_path / name, store, "champion")


@pytest.mark.parametrize("lost", ["create", "swap"])
def test_a_publisher_that_always_loses_the_race_gives_up(
    trained: Path, store: WritableStore, lost: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After fifty lost races the publication ends with a `Conflict`."""
    publish(trained, store, "champion")
    monkeypatch.setattr(type(store), lost, lambda *_: False)
    with pytest.raises(Conflict, match="attempts"):
        publish(trained, store, "champion")


def test_conditions_hold(store: WritableStore) -> None:
    """An object is created once, swapped only by its tag, and deleted whether it is there or not."""
    assert store.read("a/b") is None
    assert store.create("a/b", b"1")
    assert not store.create("a/b", b"2")
    stored = store.read("a/b")
    assert stored
    assert stored[0] == b"1"
    assert store.swap("a/b", b"3", stored[1])
    assert not store.swap("a/b", b"4", stored[1])
    assert store.keys("a/") == ["a/b"]
    store.delete("a/b")
    store.delete("a/b")
    assert store.read("a/b") is None
    assert not store.swap("a/b", b"5", stored[1]) if store.url.startswith("file") else True


class _Forgetful(http.server.BaseHTTPRequestHandler):
    """An S3 that passes requests on, without the conditions that `server.ignored` names."""

    server: "_ForgetfulServer"

    def do_GET(self) -> None:
        """Pass on what reads."""
        content = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        headers = {name: value for name, value in self.headers.items() if name not in self.server.ignored}
        answer = requests.request(
            self.command, self.server.endpoint + self.path, data=content, headers=headers, timeout=60
        )
        self.send_response(answer.status_code)
        for name, value in answer.headers.items():
            if name in {"ETag", "Content-Type"}:
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(answer.content)))
        self.end_headers()
        self.wfile.write(answer.content)

    def do_PUT(self) -> None:
        """Pass on what writes."""
        self.do_GET()

    def log_message(self, *_: object) -> None:
        """Print nothing."""


class _ForgetfulServer(http.server.ThreadingHTTPServer):
    endpoint = ""
    ignored: tuple[str, ...] = ()


@pytest.fixture
def forgetful(s3_endpoint: str) -> Iterator[_ForgetfulServer]:
    server = _ForgetfulServer(("127.0.0.1", 0), _Forgetful)
    server.endpoint = s3_endpoint
    with running(server):
        yield server


@pytest.mark.parametrize(
    ("ignored", "named"),
    [(("If-None-Match",), "If-None-Match"), (("If-Match",), "If-Match"), (("If-None-Match", "If-Match"), "If-None-M")],
)
def test_an_s3_that_ignores_conditions_is_refused(
    trained: Path, bucket: str, forgetful: _ForgetfulServer, ignored: tuple[str, ...], named: str
) -> None:
    """None of two publishers at once gets a version of a store that can't keep them apart, nor moves an alias."""
    forgetful.ignored = ignored
    store = open_store(f"s3://{bucket}/prefix", f"http://127.0.0.1:{forgetful.server_port}")

    def refused(_: int) -> None:
        with pytest.raises(StoreUnavailable, match=f"^nothing can be published to s3://.*: it ignores {named}.*must"):
            publish(trained, store, "champion")

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(refused, range(2)))
    assert {key.rpartition("/")[2] for key in store.keys("models/")} == {"claim.json"}


def test_an_s3_that_keeps_conditions_is_published_to(trained: Path, bucket: str, forgetful: _ForgetfulServer) -> None:
    """The same S3 is published to when it forgets nothing, so the refusals are those of the conditions."""
    store = open_store(f"s3://{bucket}", f"http://127.0.0.1:{forgetful.server_port}")
    assert publish(trained, store, "champion").version == 1


@pytest.mark.parametrize("code", [errno.EPERM, errno.ENOTSUP, errno.ENOSYS])
def test_a_folder_without_hard_links_is_published_to(
    trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    """On a file system without links or modes, publishers at once still get versions of their own."""

    def refuse(*_: object, **__: object) -> None:
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(os, "link", refuse)
    monkeypatch.setattr(os, "chmod", refuse if code == errno.EPERM else os.chmod)
    store = open_store((tmp_path / "store").as_uri())
    assert store.create("a/b", b"1")
    assert not store.create("a/b", b"2")
    assert store.read("a/b") == (b"1", store.read("a/b")[1])  # type: ignore[index]
    with ThreadPoolExecutor(6) as pool:
        numbers = list(pool.map(lambda _: publish(trained, store, "champion").version, range(6)))
    assert sorted(numbers) == [1, 2, 3, 4, 5, 6]
    alias = _alias(store)
    assert sorted([alias["version"], *alias["history"]]) == [1, 2, 3, 4, 5, 6]
    assert not list((tmp_path / "store").rglob("*.part"))


def test_a_folder_without_links_and_locks_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where nothing keeps two publishers apart, the message says what the file system lacks."""

    def refuse(*_: object) -> None:
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    def refuse_link(*_: object) -> None:
        raise PermissionError(errno.EPERM, os.strerror(errno.EPERM))

    monkeypatch.setattr(os, "link", refuse_link)
    monkeypatch.setattr(fcntl, "flock", refuse)
    store = open_store(tmp_path.as_uri())
    with pytest.raises(StoreUnavailable, match=r"^nothing can be published to file:.*can't lock a file \(No locks"):
        store.create("a", b"1")
    assert store.keys("") == [".lock"]


def test_a_full_disk_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A write that finds no space is explained, and its temporary file goes."""
    store = open_store(tmp_path.as_uri())

    def full(*_: object, **__: object) -> object:
        class Full(io.BytesIO):
            name = str(tmp_path / ".x.part")

            def write(self, _: object) -> int:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

        (tmp_path / ".x.part").write_bytes(b"")
        return Full()

    monkeypatch.setattr("training.publishing.stores.folder.tempfile.NamedTemporaryFile", full)
    with pytest.raises(StoreUnavailable, match="failed: No space left on device"):
        store.put("a", b"1")
    assert list(tmp_path.iterdir()) == []


def test_stores_that_do_not_answer_are_unavailable(tmp_path: Path, bucket: str, s3_endpoint: str) -> None:
    """A missing bucket or a file in place of the folder is `StoreUnavailable`; no error of a library escapes."""
    with pytest.raises(StoreUnavailable, match="NoSuchBucket"):
        open_store("s3://nowhere", s3_endpoint).keys("models/")
    with pytest.raises(StoreUnavailable, match="NoSuchBucket"):
        open_store("s3://nowhere", s3_endpoint).create("a", b"")
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(StoreUnavailable):
        open_store((tmp_path / "file").as_uri())


@pytest.mark.parametrize("url", ["", "bucket", "http://x", "s3://", "file://host/x", "file:x"])
def test_urls_that_name_no_store_are_refused(url: str) -> None:
    """The error states both forms of a store's URL."""
    with pytest.raises(BadInput, match="a store is s3://"):
        open_store(url)


def test_a_killed_writer_leaves_no_half_object(tmp_path: Path) -> None:
    """A temporary file that a killed writer left is no object of the store."""
    store = open_store(tmp_path.as_uri())
    store.put("a", b"1")
    shutil.copy(tmp_path / "a", tmp_path / ".leftover.part")
    assert store.read("a") == (b"1", store.read("a")[1])  # type: ignore[index]
