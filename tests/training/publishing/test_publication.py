"""training.publishing, over a folder store and over an S3 that is reached by HTTP."""

import json
import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import msgspec
import pytest

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
