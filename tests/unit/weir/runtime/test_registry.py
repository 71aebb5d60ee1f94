"""weir.runtime.registry, over a folder store and a clock that the test sets."""

import shutil
from pathlib import Path

import msgspec
import pytest

from tests.serving import artifact, make_manifest, store_version
from weir.catalog import keys
from weir.catalog.aliases import Alias
from weir.catalog.store import Store
from weir.errors import BadInput, ModelNotFound, ModelUnavailable, StoreUnavailable
from weir.runtime.registry import Registry
from weir.settings import Settings


class Clock:
    """Seconds that pass when a test sets them."""

    def __init__(self) -> None:
        """Begin at zero."""
        self.now = 0.0

    def __call__(self) -> float:
        """Return the time."""
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def registry(thirds: Path, clock: Clock) -> Registry:
    return Registry(Store(thirds.as_uri()), refresh_s=60, clock=clock)


def _point(store: Path, number: int, alias: str = "champion") -> None:
    (store / keys.alias("thirds", alias)).write_bytes(msgspec.json.encode(Alias(version=number)))


def test_an_alias_is_looked_up_again_when_it_is_old(thirds: Path, registry: Registry, clock: Clock) -> None:
    """A new champion is served after the refresh time, not before."""
    assert registry.model("thirds")[0] == 1
    store_version(thirds, make_manifest(), 2)
    clock.now = 59
    assert registry.model("thirds")[0] == 1
    clock.now = 60
    assert registry.model("thirds")[0] == 2


def test_versions_are_found_by_number_or_alias(thirds: Path, registry: Registry) -> None:
    """A number is that version, and a name is an alias."""
    store_version(thirds, make_manifest(), 2)
    _point(thirds, 1, "challenger")
    assert registry.model("thirds", "1")[0] == 1
    assert registry.model("thirds", "challenger")[0] == 1
    assert registry.model("thirds", "champion")[0] == 2


def test_a_loaded_model_is_kept(registry: Registry) -> None:
    """The same version is the same object."""
    assert registry.model("thirds")[1] is registry.model("thirds", "1")[1]


def test_the_least_recently_used_version_is_evicted(thirds: Path, registry: Registry) -> None:
    """Eight versions are kept, those that were used last."""
    for number in range(2, 10):
        store_version(thirds, make_manifest(), number)
    kept = {number: registry.model("thirds", str(number))[1] for number in range(1, 9)}
    assert registry.model("thirds", "1")[1] is kept[1]
    registry.model("thirds", "9")
    assert registry.model("thirds", "1")[1] is kept[1]
    assert registry.model("thirds", "3")[1] is kept[3]
    assert registry.model("thirds", "2")[1] is not kept[2]


def test_a_store_that_is_down_does_not_stop_what_is_loaded(
    thirds: Path, registry: Registry, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An old alias is better than none, and is looked up again after the next refresh time."""
    registry.model("thirds")
    clock.now = 1000

    def down(key: str) -> bytes:
        raise StoreUnavailable("the store did not answer", key)

    with monkeypatch.context() as outage:
        outage.setattr(registry.store, "get", down)
        assert registry.model("thirds")[0] == 1
        with pytest.raises(StoreUnavailable):
            registry.model("other")
    store_version(thirds, make_manifest(), 2)
    clock.now = 1059
    assert registry.model("thirds")[0] == 1
    clock.now = 1060
    assert registry.model("thirds")[0] == 2


@pytest.mark.parametrize(
    ("name", "version", "got"),
    [
        ("nothing", "", "alias champion. Got: nothing"),
        ("thirds", "7", "this version. Got: thirds 7"),
        ("thirds", "nobody", "alias nobody. Got: thirds"),
        ("Nope", "", "alias champion; model names are 1–64 of a-z, 0-9, '-', '_'. Got: Nope"),
        ("../thirds", "", ". Got: ../thirds"),
        ("thirds", "../1", ". Got: thirds"),
        ("thirds", "Champion", ". Got: thirds"),
        ("thirds", "0", ". Got: thirds 0"),
    ],
)
def test_unknown_and_impossible_names_are_not_found(registry: Registry, name: str, version: str, got: str) -> None:
    """A name that none can have is that of none, like any other that is unknown; the error has the rule."""
    with pytest.raises(ModelNotFound) as caught:
        registry.model(name, version)
    assert str(caught.value).endswith(got)


def test_a_damaged_manifest_makes_the_model_unavailable(thirds: Path, registry: Registry) -> None:
    """It is the publisher's fault, not the caller's."""
    (thirds / keys.manifest("thirds", 1)).write_bytes(b"{")
    with pytest.raises(ModelUnavailable, match=r"models/thirds/versions/1/manifest\.json can't be used"):
        registry.model("thirds")


@pytest.mark.parametrize("content", [b"{", b'{"version": 0}', b'{"version": 12345678901}'])
def test_a_damaged_alias_makes_the_model_unavailable(thirds: Path, registry: Registry, content: bytes) -> None:
    """It is the publisher's fault, not the caller's."""
    (thirds / keys.alias("thirds", "champion")).write_bytes(content)
    with pytest.raises(ModelUnavailable, match=r"models/thirds/aliases/champion\.json can't be used: an alias is"):
        registry.model("thirds")


def test_a_missing_artifact_makes_the_model_unavailable(thirds: Path, registry: Registry) -> None:
    """Its manifest is read, but its network can't be fetched."""
    (thirds / keys.artifact("thirds", 1, artifact("large").digest)).unlink()
    _, model = registry.model("thirds")
    with pytest.raises(
        ModelUnavailable, match="version 1 of thirds lacks an artifact: no key models/thirds/versions/1"
    ):
        model.end_to_end.preload()


def test_a_deleted_alias_is_not_found(thirds: Path, registry: Registry, clock: Clock) -> None:
    """A deletion is no outage of the store, so the old alias is not used; the version itself stays."""
    registry.model("thirds")
    (thirds / keys.alias("thirds", "champion")).unlink()
    clock.now = 60
    with pytest.raises(ModelNotFound, match=r"under the alias champion\. Got: thirds"):
        registry.model("thirds")
    assert registry.model("thirds", "1")[0] == 1


def test_a_version_without_manifest_does_not_exist(thirds: Path, registry: Registry) -> None:
    """A publication that was interrupted is not served."""
    shutil.copytree(thirds / "models/thirds/versions/1", thirds / "models/thirds/versions/2")
    (thirds / keys.manifest("thirds", 2)).unlink()
    with pytest.raises(ModelNotFound):
        registry.model("thirds", "2")


def test_published_versions_are_listed(thirds: Path, registry: Registry) -> None:
    """They are ordered by name and number; a version without a manifest is none."""
    for number in (2, 10):
        store_version(thirds, make_manifest(), number)
    store_version(thirds, make_manifest("again"))
    (thirds / keys.manifest("thirds", 2)).unlink()
    assert registry.published() == [("again", 1), ("thirds", 1), ("thirds", 10)]


@pytest.mark.parametrize("version", ["0", "00001", "1x", "1234567890"])
def test_a_version_that_begins_with_a_digit_is_a_number(thirds: Path, version: str) -> None:
    """The error is about numbers, not about aliases."""
    with pytest.raises(ModelNotFound, match=f"the model has this version; .+ Got: thirds {version}"):
        Registry(Store(thirds.as_uri())).model("thirds", version)


def test_settings_name_store_alias_and_refresh_time(thirds: Path) -> None:
    """A function's registry serves the alias of its settings from the store of its settings."""
    store_version(thirds, make_manifest(), 2)
    _point(thirds, 1, "challenger")
    registry = Registry.from_settings(Settings(store=thirds.as_uri(), alias="challenger", refresh_s=0.0))
    assert registry.model("thirds")[0] == 1
    _point(thirds, 2, "challenger")
    assert registry.model("thirds")[0] == 2


def test_a_folder_that_does_not_exist_is_refused_at_once(tmp_path: Path) -> None:
    """A function whose store is a missing folder does not start."""
    with pytest.raises(BadInput, match="the folder exists"):
        Registry.from_settings(Settings(store=(tmp_path / "none").as_uri()))


def test_an_alias_that_names_no_version_is_the_stores_fault(thirds: Path, registry: Registry) -> None:
    """The caller named no version: the model is unavailable, not unknown."""
    (thirds / keys.alias("thirds", "champion")).write_bytes(b'{"version": 9}')
    with pytest.raises(ModelUnavailable, match="the alias champion of thirds names no version: no key"):
        registry.model("thirds")
    with pytest.raises(ModelNotFound, match="the model has this version"):
        registry.model("thirds", "9")


def test_a_damaged_alias_does_not_stop_a_model_that_serves(
    thirds: Path, registry: Registry, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    """The version that is known serves on, and the log has the failure."""
    registry.model("thirds")
    (thirds / keys.alias("thirds", "champion")).write_bytes(b"{")
    clock.now = 60
    assert registry.model("thirds")[0] == 1
    assert "version 1 of thirds serves on: " in caplog.text
