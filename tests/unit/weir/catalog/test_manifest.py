"""weir.catalog.manifest."""

from typing import Any

import msgspec
import pytest

from tests.serving import NAMES, artifact, layered_manifest, make_manifest
from weir.catalog.inputs import Picture, Tensor
from weir.catalog.levels import Expert
from weir.catalog.manifest import Manifest, _check, decode, encode
from weir.errors import BadManifest


def _document(**changes: object) -> bytes:
    document: dict[str, Any] = msgspec.json.decode(encode(make_manifest()))
    return msgspec.json.encode({**document, **changes})


def test_what_is_written_is_read() -> None:
    """A manifest survives the store."""
    assert decode(encode(make_manifest())) == make_manifest()


def test_unknown_keys_are_ignored() -> None:
    """A reader takes documents of later minor versions."""
    assert decode(_document(schema_version="2.7", novelty={"a": 1})).model == "thirds"


def test_a_model_may_have_several_inputs() -> None:
    """Each has its own kind, shape and datatype; a picture without a range has pixels of 0 to 255."""
    inputs = [
        {"kind": "tensor", "name": "a", "shape": [-1, 2]},
        {"kind": "picture", "name": "b", "shape": [-1, 3, 3], "datatype": "INT8", "range": [-9, 9]},
        {"kind": "picture", "name": "c", "shape": [-1, 3, 3]},
    ]
    expected = (
        Tensor(name="a", shape=(-1, 2)),
        Picture(name="b", shape=(-1, 3, 3), datatype="INT8", range=(-9.0, 9.0)),
        Picture(name="c", shape=(-1, 3, 3), range=(0.0, 255.0)),
    )
    assert decode(_document(inputs=inputs)).inputs == expected
    without_kinds = [{key: value for key, value in one.items() if key != "kind"} for one in inputs]
    assert decode(_document(inputs=without_kinds, schema_version="1.3")).inputs == expected
    with pytest.raises(BadManifest, match="required field `kind`"):
        decode(_document(inputs=without_kinds))


def _inputs(*inputs: dict[str, object]) -> bytes:
    """Write a manifest with these inputs; they are tensors named `a` unless they state otherwise."""
    return _document(inputs=[{"kind": "tensor", "name": "a", **one} for one in inputs])


def _picture(**fields: object) -> bytes:
    return _inputs({"kind": "picture", "shape": [-1, 4, 4], **fields})


@pytest.mark.parametrize(
    ("data", "rule"),
    [
        (b"", "a manifest is the JSON document"),
        (b"[]", "a manifest is the JSON document"),
        (b"\xff", "a manifest is the JSON document"),
        (b'{"schema_version": "1.0"}', "a manifest is the JSON document"),
        (b"[" * 100_000, "a manifest is the JSON document"),
        (_document(extra=[])[:-3] + b"[" * 50_000 + b"]" * 50_000 + b"}", "a manifest is the JSON document"),
        (_document(schema_version=""), "schema version 1.x and 2.x"),
        (_document(schema_version=1), "a manifest is the JSON document"),
        (_document(schema_version="3.0"), "schema version 1.x and 2.x"),
        (_document(labels=["a"]), "at least two labels"),
        (_document(labels=["a", "a", "b"]), "at least two labels"),
        (_document(prior=[1.0]), "one share for each label"),
        (_document(levels=[]), "at least one level"),
        (_document(inputs=[]), "a model has inputs, all of different names"),
        (_inputs({"shape": [-1, 1]}, {"shape": [-1, 1]}), "a model has inputs, all of different names"),
        (_inputs({"shape": [-1]}), "an input has the shape"),
        (_inputs({"shape": [-1, 0]}), "an input has the shape"),
        (_inputs({"shape": [1, 4]}), "an input has the shape"),
        (_inputs({"shape": [-1, 4]}, {"name": "b", "shape": []}), "an input has the shape"),
        (_inputs({"shape": [-1, 4], "datatype": "BYTES"}), "the JSON document"),
        (_picture(range=[1, 1]), "black, then more for white"),
        (_picture(range=[255, 0]), "black, then more for white"),
        (_document(inputs=3), "the JSON document"),
        (_document(inputs=[3]), "the JSON document"),
        (_document(inputs=3, schema_version="1.3"), "the JSON document"),
        (_document(inputs=[3], schema_version="1.3"), "the JSON document"),
        (_inputs({"kind": "sound", "shape": [-1, 4]}), "the JSON document"),
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


def _layered(level: int | None = None, **changes: object) -> bytes:
    """Write the manifest that has groups, with changes to it or to one of its levels."""
    document: dict[str, Any] = msgspec.json.decode(encode(layered_manifest()))
    (document if level is None else document["levels"][level]).update(changes)
    return msgspec.json.encode(document)


@pytest.mark.parametrize(
    ("data", "rule"),
    [
        (_layered(groups={"outer": ["left", "right"]}), "every label is in one group"),
        (_layered(groups={"outer": ["left", "right"], "inner": ["middle", "left"]}), "every label is in one group"),
        (_layered(groups={"outer": ["left", "right"], "inner": ["center"]}), "every label is in one group"),
        (_layered(groups={}), "a model with a router has groups"),
        (_layered(0, artifact=None), "the JSON document"),
        (_layered(0, fusion="refine"), "the JSON document"),
        (_layered(0, fusion="pool"), "the first level has nothing to pool with"),
        (_layered(0, temperature=-1), "temperatures are above 0"),
        (_layered(1, experts={}), "a level of experts has an expert"),
        (_layered(1, fusion="pool"), "the JSON document"),
        (_layered(1, kind="cascade"), "the JSON document"),
        (_layered(fused_temperature=0), "temperatures are above 0"),
    ],
)
def test_levels_that_do_not_fit_together_are_refused(data: bytes, rule: str) -> None:
    """Groups, kinds and fusions are checked before anything is run."""
    with pytest.raises(BadManifest, match=rule):
        decode(data)


def _weighed(weight: float) -> Manifest:
    """Describe the layered model with a weight of the level before."""
    plain = layered_manifest()
    experts = {"outer": Expert(network=artifact("outer"), before_weight=weight)}
    levels = (plain.levels[0], msgspec.structs.replace(plain.levels[1], experts=experts), plain.levels[2])
    return msgspec.structs.replace(plain, levels=levels)


@pytest.mark.parametrize("weight", [-0.5, float("inf"), float("nan")])
def test_weights_of_the_level_before_are_finite_and_not_negative(weight: float) -> None:
    """JSON has no numbers that are not finite, but the check does not rely on that."""
    with pytest.raises(BadManifest, match=r"weights of the level before are finite and at least 0\. Got: "):
        _check(_weighed(weight))
    with pytest.raises(BadManifest):
        decode(encode(_weighed(weight)))


@pytest.mark.parametrize("manifest", [layered_manifest(), _weighed(0.5)])
def test_a_layered_manifest_survives_the_store(manifest: Manifest) -> None:
    """Groups, experts, abstention and sets are read as they were written."""
    assert decode(encode(manifest)) == manifest


def test_an_expert_of_an_earlier_schema_is_not_pooled() -> None:
    """It was published before experts were pooled with the level before them."""
    document: dict[str, Any] = msgspec.json.decode(encode(_weighed(0.5)))
    del document["levels"][1]["experts"]["outer"]["before_weight"]
    assert decode(msgspec.json.encode({**document, "schema_version": "1.1"})).levels == layered_manifest().levels


def test_a_version_of_the_first_schema_is_still_read() -> None:
    """It was published before levels had kinds and weights."""
    document: dict[str, Any] = msgspec.json.decode(encode(make_manifest()))
    for key in ("groups", "fused_temperature", "abstention", "sets"):
        del document[key]
    for level in document["levels"]:
        for key in ("kind", "weights"):
            del level[key]
    assert decode(msgspec.json.encode({**document, "schema_version": "1.0"})).levels == make_manifest().levels


def _published(schema: str, **of_level: object) -> bytes:
    """Write a manifest of an earlier schema, with changes to its first level."""
    document: dict[str, Any] = msgspec.json.decode(encode(layered_manifest()))
    document["levels"][0].update(of_level)
    return msgspec.json.encode({**document, "schema_version": schema})


@pytest.mark.parametrize("never", [2.0, 2, 1.5])
def test_a_threshold_that_no_confidence_reaches_becomes_none(never: float) -> None:
    """Until schema 1.3 such a threshold meant that no row exits at a level."""
    assert decode(_published("1.3", threshold=never)).levels[0].threshold is None
    assert decode(_published("1.3", threshold=1.0)).levels[0].threshold == 1.0


def test_a_level_of_an_earlier_schema_without_a_threshold_is_refused() -> None:
    """The upgrade does not invent what a damaged document lacks."""
    document: dict[str, Any] = msgspec.json.decode(_published("1.3"))
    del document["levels"][1]["threshold"]
    with pytest.raises(BadManifest, match="the JSON document"):
        decode(msgspec.json.encode(document))


@pytest.mark.parametrize("schema", ["1.0", "1.3", "2.0", "2.7"])
def test_what_is_written_again_has_the_schema_of_today(schema: str) -> None:
    """A manifest that is read and published again, or certified again, is not labelled with its old schema."""
    document = msgspec.json.decode(encode(decode(_published(schema, threshold=2.0 if schema[0] == "1" else None))))
    assert document["schema_version"] == "2.1"
    assert document["levels"][0]["threshold"] is None


def test_keys_of_other_kinds_of_level_are_ignored() -> None:
    """Until schema 1.3 every level had all of them."""
    old = _published("1.3", experts={}, weights=[1.0, 1.0], temperature=1.0)
    assert decode(old).levels == layered_manifest().levels


def test_a_level_where_nothing_exits_is_published_with_null() -> None:
    """No reader has to know a number that stands for never."""
    document = msgspec.json.decode(encode(make_manifest(thresholds=(None, 0.9))))
    assert [level["threshold"] for level in document["levels"]] == [None, 0.9, 0.0]
    assert document["schema_version"] == "2.1"


@pytest.mark.parametrize(
    "data", [b'{"schema_version": "1.3", "levels": 3}', b'{"schema_version": "1.3", "levels": [4]}']
)
def test_damaged_documents_of_earlier_schemas_are_refused(data: bytes) -> None:
    """The upgrade leaves to the check what it cannot read."""
    with pytest.raises(BadManifest, match="the JSON document"):
        decode(data)


def test_artifacts_are_listed_once() -> None:
    """The last level is the end-to-end artifact itself."""
    manifest = make_manifest()
    assert len(manifest.artifacts) == 3
    assert manifest.levels[-1].networks[0] == manifest.end_to_end.artifact


def test_every_artifact_has_the_outputs_of_its_place() -> None:
    """They are the groups for a router, the group's labels for an expert, and all labels for the others."""
    outputs = {NAMES[digest]: count for digest, count in layered_manifest().outputs.items()}
    assert outputs == {"large": 3, "router": 2, "outer": 2}
