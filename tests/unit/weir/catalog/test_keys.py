"""weir.catalog.keys."""

from collections.abc import Callable

import pytest

from weir.catalog import keys
from weir.catalog.mounts import CASCADE, END_TO_END
from weir.errors import BadName

HOSTILE = ["", "A", "a b", "a/b", "..", ".", "a.b", "ä", "a\n", "a" * 65, "%2e", "a\x00", "models/../x", "٣"]


@pytest.mark.parametrize("name", ["a", "0", "-", "_", "mnist-sample", "a" * 64])
def test_model_names_are_taken(name: str) -> None:
    """Names that keep the rule are returned unchanged."""
    assert keys.model_name(name) == name


@pytest.mark.parametrize("make", [keys.model_name, keys.versions, lambda n: keys.alias(n, "champion")])
@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_model_names_never_become_keys(make: Callable[[str], str], name: str) -> None:
    """A name that breaks the rule is a `BadName`, and no key is built from it."""
    with pytest.raises(BadName, match="model names are"):
        make(name)


@pytest.mark.parametrize("alias", [*HOSTILE, "1", "3champion", "-a"])
def test_hostile_aliases_never_become_keys(alias: str) -> None:
    """An alias begins with a letter, so no alias can be mistaken for a version."""
    with pytest.raises(BadName, match="aliases are"):
        keys.alias("m", alias)


@pytest.mark.parametrize("text", ["0", "01", "-1", "1.0", "", "1000000000", "१", "champion"])
def test_only_whole_numbers_from_one_are_versions(text: str) -> None:
    """Anything but a whole number from 1 is a `BadName`, digits of other scripts included."""
    assert not keys.is_version(text)
    with pytest.raises(BadName, match="versions are"):
        keys.version_number(text)


def test_keys_are_the_documented_ones() -> None:
    """The keys are those that the documents and older versions have."""
    assert keys.claim("m", 3) == "models/m/versions/3/claim.json"
    assert keys.manifest("m", 3) == "models/m/versions/3/manifest.json"
    assert keys.artifact("m", 3, "0" * 64) == f"models/m/versions/3/{'0' * 64}.tflite"
    assert keys.alias("m", "champion") == "models/m/aliases/champion.json"
    assert keys.is_version("3")


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        ("models/m/versions/3/manifest.json", ("m", 3)),
        ("models/m/versions/3/claim.json", None),
        ("models/m/versions/03/manifest.json", None),
        ("models/M/versions/3/manifest.json", None),
        ("models/m/aliases/manifest.json", None),
        ("x/models/m/versions/3/manifest.json", None),
        ("models/m/versions/3/manifest.json\n", None),
    ],
)
def test_a_manifests_key_names_its_version(key: str, expected: tuple[str, int] | None) -> None:
    """Model and version are read from the key of a manifest; any other key gives none."""
    assert keys.parse_manifest(key) == expected


@pytest.mark.parametrize("digest", ["", "x" * 64, "0" * 63, "../" + "0" * 61, "A" * 64])
def test_artifacts_are_named_by_digest_only(digest: str) -> None:
    """Only a sha256 becomes the key of an artifact, so a manifest can't name any other key."""
    with pytest.raises(BadName, match="digests are"):
        keys.artifact("m", 1, digest)


@pytest.mark.parametrize(
    ("key", "model", "cascade", "file"),
    [
        ("batches/in/m/a.npy", "m", False, "a.npy"),
        ("batches/in/m/cascade/a.csv", "m", True, "a.csv"),
        ("batches/in/m/day=1/a b.npy", "m", False, "day=1/a b.npy"),
        ("batches/in/m/a.parquet", "m", False, "a.parquet"),
    ],
)
def test_batch_keys_are_read(key: str, model: str, cascade: bool, file: str) -> None:
    """The file is what follows the model; `cascade/` selects the cascade; outputs have the same path under out/."""
    batch = keys.parse_batch_key(key)
    assert (batch.model, batch.mount == CASCADE, batch.file) == (model, cascade, file)
    assert batch.source == key
    assert batch.predictions == key.replace("/in/", "/out/") + "/predictions.jsonl"
    assert batch.summary == key.replace("/in/", "/out/") + "/summary.json"


@pytest.mark.parametrize(
    "key",
    [
        "",
        "batches/in/",
        "batches/in/m",
        "batches/in/m/",
        "batches/in/M/a.npy",
        "models/m/a.npy",
        "x/batches/in/m/a.npy",
        "batches/in/m/../a.npy",
        "batches/in/m/a//b.npy",
        "batches/in/m/cascade",
        "batches/in/m/cascade/",
        "batches/in/m/cascade/cascade/../a.npy",
        "batches/in/m/a\n.npy",
        f"batches/in/m/{'a' * 801}",
    ],
)
def test_keys_that_name_no_file_are_refused(key: str) -> None:
    """A key from which no output key could be made is a `BadName`."""
    with pytest.raises(BadName):
        keys.parse_batch_key(key)


def test_a_file_of_the_model_is_never_taken_for_one_of_its_cascade() -> None:
    """A file whose name begins with cascade/ is refused, so its rows never go to the other mount."""
    with pytest.raises(BadName, match="cascade"):
        keys.batch_key("m", "cascade/a.npy", END_TO_END)
