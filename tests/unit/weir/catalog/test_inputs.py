"""weir.catalog.inputs."""

import json
from pathlib import Path
from typing import Any, get_args

import msgspec
import numpy as np
import pytest

from tests.serving import ROOT
from weir.catalog.inputs import DTYPES, Datatype, Input, Picture, Tensor, check_inputs
from weir.catalog.upgrade import with_kinds
from weir.errors import BadManifest

RECORDED = sorted((ROOT / "tests/training/certifying/recorded").glob("*-manifest.json"))


def test_every_datatype_of_a_manifest_is_numpys() -> None:
    """It has the size that its name says, and is little-endian."""
    assert set(DTYPES) == set(get_args(Datatype))
    for name, dtype in DTYPES.items():
        bits = int(name.lstrip("UINTFP")) if name != "BOOL" else 8
        assert dtype.itemsize * 8 == bits
        assert dtype.kind == {"B": "b", "U": "u", "I": "i", "F": "f"}[name[0]]
        assert dtype.byteorder in "|=<"


@pytest.mark.parametrize(
    ("shape", "channels"), [((-1, 4, 5), 1), ((-1, 4, 5, 1), 1), ((-1, 4, 5, 3), 3)], ids=["flat", "grey", "colour"]
)
def test_a_picture_has_a_height_a_width_and_channels(shape: tuple[int, ...], channels: int) -> None:
    """They are read off its shape, with or without a dimension for the channels."""
    picture = Picture(name="x", shape=shape)
    assert (picture.height, picture.width, picture.channels) == (4, 5, channels)
    assert (picture.row_shape, picture.row_values) == (shape[1:], 20 * channels)


@pytest.mark.parametrize("one", [Picture(name="a", shape=(-1, 2, 2), range=(0, 1)), Tensor(name="a", shape=(-1, 3))])
def test_an_input_names_its_kind_in_json(one: Input) -> None:
    """The kind tells the reader which type to decode."""
    written = msgspec.json.encode(one)
    assert json.loads(written)["kind"] == type(one).__name__.lower()
    assert msgspec.json.decode(written, type=Input) == one


OLD: list[tuple[dict[str, Any], str]] = [
    ({"shape": [-1, 4, 5]}, "picture"),
    ({"shape": [-1, 4, 5, 1]}, "picture"),
    ({"shape": [-1, 4, 5, 3]}, "picture"),
    ({"shape": [-1, 4, 5], "datatype": "INT8", "range": [-9, 9]}, "picture"),
    ({"shape": [-1, 4, 5], "datatype": "BOOL", "range": [0, 1]}, "picture"),
    ({"shape": [-1, 20]}, "tensor"),
    ({"shape": [-1, 4, 5, 2]}, "tensor"),
    ({"shape": [-1, 2, 4, 5, 3]}, "tensor"),
    ({"shape": [-1, 4, 5], "datatype": "INT8"}, "tensor"),
    ({"shape": [-1, 4, 5], "datatype": "BOOL"}, "tensor"),
    ({"shape": [-1, 4, 5], "datatype": "UINT8", "range": [-1, 1]}, "tensor"),
    ({"shape": [-1, 4, 5], "datatype": "FP16", "range": [0, 1e5]}, "tensor"),
]


@pytest.mark.parametrize(("old", "kind"), OLD)
def test_an_input_of_schema_1_gets_its_kind(old: dict[str, Any], kind: str) -> None:
    """It is a picture where its shape and the range of its datatype allow one, else a tensor; all else stays."""
    document = {"model": "m", "inputs": [{"name": "x", **old}]}
    assert with_kinds(document) == {"model": "m", "inputs": [{"kind": kind, "name": "x", **old}]}
    assert "kind" not in document["inputs"][0]


def test_a_kind_that_is_there_stays() -> None:
    """A tensor may have the shape of a picture."""
    inputs = [{"kind": "tensor", "name": "x", "shape": [-1, 4, 5]}]
    assert with_kinds({"inputs": inputs}) == {"inputs": inputs}


@pytest.mark.parametrize("inputs", [3, None, [3], [{}], [{"shape": "x"}], [{"shape": [-1], "datatype": "BYTES"}]])
def test_inputs_that_are_none_are_left_to_the_decoder(inputs: object) -> None:
    """It refuses a document by its own error, whatever stands in it."""
    with pytest.raises(msgspec.ValidationError):
        with_kinds({"inputs": inputs})
    assert with_kinds({}) == {}


@pytest.mark.parametrize("path", RECORDED, ids=lambda path: path.stem)
def test_inputs_that_were_published_are_pictures(path: Path) -> None:
    """Manifests of schema 1.3, as trainings of that time wrote them."""
    document = with_kinds(json.loads(path.read_bytes()))
    (one,) = msgspec.convert(document["inputs"], tuple[Input, ...])
    assert isinstance(one, Picture)
    assert one.name == "image"
    assert one.dtype == np.float32


@pytest.mark.parametrize(
    ("inputs", "rule"),
    [
        ([], "a model has inputs, all of different names"),
        ([Tensor(name="a", shape=(-1, 1))] * 2, "a model has inputs, all of different names"),
        ([Tensor(name="a", shape=())], "an input has the shape"),
        ([Tensor(name="a", shape=(-1,))], "an input has the shape"),
        ([Tensor(name="a", shape=(1, 4))], "an input has the shape"),
        ([Tensor(name="a", shape=(-1, 0))], "an input has the shape"),
        ([Picture(name="a", shape=(-1, 4, 0))], "an input has the shape"),
        ([Picture(name="a", shape=(-1, 4))], "a picture has the shape"),
        ([Picture(name="a", shape=(-1, 4, 4, 2))], "a picture has the shape"),
        ([Picture(name="a", shape=(-1, 4, 4), range=(1, 1))], "black, then more for white, both FP32"),
        ([Picture(name="a", shape=(-1, 4, 4), range=(0, float("inf")))], "black, then more for white, both FP32"),
        ([Picture(name="a", shape=(-1, 4, 4), range=(float("nan"), 1))], "black, then more for white, both FP32"),
        ([Picture(name="a", shape=(-1, 4, 4), datatype="INT8")], "black, then more for white, both INT8"),
    ],
)
def test_inputs_that_no_network_reads_are_refused(inputs: list[Input], rule: str) -> None:
    """The error states the rule that an input breaks."""
    with pytest.raises(BadManifest, match=rule):
        check_inputs(inputs)


@pytest.mark.parametrize(
    ("background", "sound"),
    [((0, 128, 255), True), (None, True), ((0, 0, 256), False), ((0, -1, 0), False), ((0, 0), False), ("white", False)],
)
def test_a_background_is_red_green_and_blue(background: object, sound: bool) -> None:
    """Each is 0 to 255, or there is none, as in manifests that were published without."""
    described = {"kind": "picture", "name": "image", "shape": [-1, 4, 4, 3]}
    assert msgspec.convert(described, Picture).background is None
    if sound:
        assert msgspec.convert({**described, "background": background}, Picture).background == background
    else:
        with pytest.raises(msgspec.ValidationError):
            msgspec.convert({**described, "background": background}, Picture)
