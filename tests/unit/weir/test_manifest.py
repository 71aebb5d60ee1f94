"""weir.manifest."""

from typing import Any

import msgspec
import pytest

from tests.serving import make_manifest
from weir.errors import BadManifest
from weir.manifest import Alias, decode, decode_alias, encode


def _document(**changes: object) -> bytes:
    document: dict[str, Any] = msgspec.json.decode(encode(make_manifest()))
    return msgspec.json.encode({**document, **changes})


def test_what_is_written_is_read() -> None:
    """A manifest survives the store."""
    assert decode(encode(make_manifest())) == make_manifest()


def test_unknown_keys_are_ignored() -> None:
    """A reader takes documents of later minor versions."""
    assert decode(_document(schema_version="1.7", novelty={"a": 1})).model == "thirds"


@pytest.mark.parametrize(
    ("data", "rule"),
    [
        (b"", "a manifest is the JSON document"),
        (b"[]", "a manifest is the JSON document"),
        (b"\xff", "a manifest is the JSON document"),
        (b'{"schema_version": "1.0"}', "a manifest is the JSON document"),
        (b"[" * 100_000, "a manifest is the JSON document"),
        (_document(extra=[])[:-3] + b"[" * 50_000 + b"]" * 50_000 + b"}", "a manifest is the JSON document"),
        (_document(schema_version=""), "schema version 1"),
        (_document(schema_version=1), "a manifest is the JSON document"),
        (_document(schema_version="2.0"), "schema version 1"),
        (_document(labels=["a"]), "at least two labels"),
        (_document(labels=["a", "a", "b"]), "at least two labels"),
        (_document(prior=[1.0]), "one share for each label"),
        (_document(levels=[]), "at least one level"),
        (_document(inputs=[]), "one input"),
        (_document(inputs=[{"name": "image", "shape": [-1]}]), "one input"),
        (_document(inputs=[{"name": "image", "shape": [-1, 0]}]), "one input"),
        (_document(end_to_end={"artifact": make_manifest().end_to_end.artifact, "temperature": 0}), "above 0"),
        (
            _document(
                end_to_end={"artifact": msgspec.structs.replace(make_manifest().end_to_end.artifact, digest="..")}
            ),
            "named by the sha256",
        ),
    ],
)
def test_what_cannot_be_used_is_refused(data: bytes, rule: str) -> None:
    """The error states the rule that the document breaks."""
    with pytest.raises(BadManifest, match=rule):
        decode(data)


def test_artifacts_are_listed_once() -> None:
    """The last level is the end-to-end artifact itself."""
    manifest = make_manifest()
    assert len(manifest.artifacts) == 3
    assert manifest.levels[-1].artifact.digest == manifest.end_to_end.artifact.digest


def test_aliases_are_read() -> None:
    """An alias names a version and those it named before."""
    assert decode_alias(b'{"version": 3, "history": [2, 1], "canary": null}') == Alias(version=3, history=(2, 1))


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"3",
        b'{"version": "3"}',
        b'{"version": 0}',
        b'{"version": -1}',
        b'{"version": 1000000000}',
        b'{"version": 2, "history": [0]}',
        b'{"version": 2, "canary": {"version": 0, "weight": 5}}',
        b"[" * 100_000,
        b"\xff",
    ],
)
def test_damaged_aliases_are_refused(data: bytes) -> None:
    """Nothing is guessed."""
    with pytest.raises(BadManifest, match="an alias is"):
        decode_alias(data)
