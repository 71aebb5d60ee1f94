"""A model of colour pictures, from a photo on disk to its answer: `weir predict` reads what training read."""

import hashlib
import io
from pathlib import Path

import msgspec
import numpy as np
import pytest
from PIL import Image

from tests.serving import LABELS, make_manifest, store_version
from training.client.clients import StoreClient
from training.client.requests import requests
from training.data.columns.encoding import encoded_picture
from training.export.convert import convert
from training.modalities.picture.architectures import build
from training.modalities.picture.reading import colour
from weir.catalog import keys
from weir.catalog.levels import Classifier
from weir.catalog.manifest import EndToEnd
from weir.catalog.mounts import CASCADE, END_TO_END, Mount
from weir.engine.confidence import softmax
from weir.runtime.interpreter import Network

ONE = colour(np.zeros((1, 12, 16, 3)), background=(0, 90, 200))


@pytest.fixture(scope="module")
def network() -> bytes:
    """A small network in colour, with random weights."""
    rows = np.random.default_rng(0).uniform(0, 255, (4, *ONE.row_shape)).astype(np.float32)
    return convert(build("tiny", ONE, len(LABELS), 0), [ONE], "float32", rows)


@pytest.fixture
def store(tmp_path: Path, network: bytes, monkeypatch: pytest.MonkeyPatch) -> str:
    """A store with a model of that network."""
    plain = make_manifest("photos")
    artifact = msgspec.structs.replace(plain.end_to_end.artifact, digest=hashlib.sha256(network).hexdigest())
    manifest = msgspec.structs.replace(
        plain,
        inputs=(ONE,),
        end_to_end=EndToEnd(artifact=artifact),
        levels=(Classifier(name="only", network=artifact, threshold=0.0),),
    )
    monkeypatch.setattr("tests.serving.fetch", lambda _: network)
    store_version(tmp_path / "store", manifest)
    assert (tmp_path / "store" / keys.artifact("photos", 1, artifact.digest)).is_file()
    return (tmp_path / "store").as_uri()


def _photo(folder: Path, name: str) -> Path:
    """Write a sideways photo, or a picture that is transparent in part."""
    pixels = Image.fromarray(np.random.default_rng(1).integers(0, 256, (30, 20, 3), np.uint8))
    exif = Image.Exif()
    exif[0x0112] = 6
    if name.endswith(".png"):
        pixels.putalpha(Image.linear_gradient("L").resize(pixels.size))
    file = io.BytesIO()
    pixels.save(file, "PNG" if name.endswith(".png") else "JPEG", exif=exif)
    (folder / name).write_bytes(file.getvalue())
    return folder / name


@pytest.mark.parametrize("name", ["photo.jpg", "photo.JPEG", "icon.png"])
@pytest.mark.parametrize("mount", [END_TO_END, CASCADE])
def test_a_photo_is_answered_as_training_reads_it(
    name: str, mount: Mount, store: str, network: bytes, tmp_path: Path
) -> None:
    """Upright, in colour, at the model's size and on its background: the probabilities are those of the same row."""
    path = _photo(tmp_path, name)
    client = StoreClient(store, "", alias="champion", mount=mount)
    (body,) = requests(path, client.metadata("photos", ""))
    answer = client.infer("photos", "", body)
    probabilities = next(output["data"] for output in answer["outputs"] if output["name"] == "probabilities")
    row = encoded_picture(ONE, path.read_bytes(), path.suffix.lower())
    np.testing.assert_allclose(np.ravel(probabilities), softmax(Network(network).logits(row))[0], atol=1e-5)


def test_metadata_describe_the_colours(store: str) -> None:
    """Clients learn the shape, what the values are, and what lies behind transparent pixels."""
    described = StoreClient(store, "", alias="champion", mount=END_TO_END).metadata("photos", "")
    document = msgspec.json.decode(msgspec.json.encode(described))
    assert document["inputs"] == [{"name": "image", "datatype": "FP32", "shape": [-1, 12, 16, 3]}]
    assert document["parameters"]["input_meaning"] == "raw values of red, green and blue, 0 to 255"
    assert document["parameters"]["inputs"][0]["background"] == [0, 90, 200]
