"""Pictures as files within requests: values of BYTES, decoded where a network reads them."""

import base64
import io
import json
from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from tests.unit.weir.protocol.documents import IMAGE, behind, document, read, tensor
from weir.catalog.inputs import Picture, Text
from weir.errors import BadInput
from weir.inputs.picture import PictureFile, PictureReader
from weir.inputs.rows import RowReader
from weir.inputs.tensor import InputRows
from weir.protocol.datatypes import to_bytes
from weir.protocol.rest_predict import decode

PHOTO = Picture(name="photo", shape=(-1, 4, 4, 3), background=(255, 255, 255))
BOTH = (PHOTO, Text(name="text", most_bytes=4))


def _png(colour: tuple[int, int, int], size: int = 9) -> bytes:
    stream = io.BytesIO()
    Image.new("RGB", (size, size), colour).save(stream, "PNG")
    return stream.getvalue()


FILES = [_png((255, 0, 0)), _png((0, 0, 255))]
TEXTS = [base64.b64encode(file).decode() for file in FILES]
GREYS = np.stack([np.full((4, 4), shade, np.float32) for shade in (76, 29)])
COLOURS = np.stack([np.full((4, 4, 3), shade, np.float32) for shade in ((255, 0, 0), (0, 0, 255))])


def _behind(name: str, files: list[bytes]) -> tuple[bytes, int]:
    content = b"".join(len(file).to_bytes(4, "little") + file for file in files)
    head = document(behind(name, [len(files)], "BYTES", len(content)))
    return head + content, len(head)


@pytest.mark.parametrize(
    "rows",
    [
        lambda: read(document(tensor("image", [2], "BYTES", data=TEXTS)), None, IMAGE),
        lambda: read(document(tensor("image", [2, 1], "BYTES", data=[[text] for text in TEXTS])), None, IMAGE),
        lambda: read(*_behind("image", FILES), IMAGE),
        lambda: decode(json.dumps({"instances": TEXTS}).encode(), RowReader(IMAGE))[0],
        lambda: decode(json.dumps({"instances": [{"b64": one} for one in TEXTS]}).encode(), RowReader(IMAGE))[0],
        lambda: decode(
            json.dumps({"instances": [{"image": {"b64": one}} for one in TEXTS]}).encode(), RowReader(IMAGE)
        )[0],
        lambda: decode(json.dumps({"inputs": {"image": TEXTS}}).encode(), RowReader(IMAGE))[0],
    ],
    ids=["JSON", "a list each", "binary", "instances", "b64", "named b64", "inputs"],
)
def test_files_are_rows(rows: Callable[[], InputRows]) -> None:
    """Each is decoded as a body of its own would be."""
    expected = np.concatenate([PictureReader(IMAGE[0]).from_content(file) for file in FILES])
    np.testing.assert_array_equal(rows(), expected)
    np.testing.assert_array_equal(rows(), GREYS)


def _mixed() -> InputRows:
    tensors = [tensor("photo", [2], "BYTES", data=TEXTS), tensor("text", [2], "BYTES", data=["a", "b"])]
    return read(document(*tensors), None, BOTH)


def test_files_beside_other_inputs_are_decoded_later(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each is checked at once, and decoded once when a network reads it."""
    decoded: list[bytes] = []
    from_content = PictureReader.from_content

    def watched(reader: PictureReader, content: bytes) -> NDArray[np.float32]:
        decoded.append(content)
        return from_content(reader, content)

    monkeypatch.setattr(PictureReader, "from_content", watched)
    rows = _mixed()
    assert rows["text"][:, 0].tolist() == [ord("a"), ord("b")]
    assert not decoded
    second = rows[np.array([False, True])]["photo"]
    np.testing.assert_array_equal(second[0].row, COLOURS[1:])
    np.testing.assert_array_equal(second[0].row, COLOURS[1:])
    assert decoded == FILES[1:]


def test_a_pixel_array_beside_other_inputs_is_one() -> None:
    """Nothing is decoded later."""
    tensors = [tensor("photo", [1, 4, 4, 3], data=[0] * 48), tensor("text", [1], "BYTES", data=["a"])]
    assert read(document(*tensors), None, BOTH)["photo"].shape == (1, 4, 4, 3)


@pytest.mark.parametrize(
    ("value", "error"),
    [
        ("no base64!", "photo: files are texts in base64"),
        (7, "photo: files are texts in base64"),
        (base64.b64encode(b"no picture").decode(), "a picture is a whole PNG or JPEG"),
        (base64.b64encode(FILES[0][:30]).decode(), "a picture is a whole PNG or JPEG"),
        (base64.b64encode(_png((1, 2, 3), 4_001)).decode(), "a picture has at most 16000000 pixels"),
    ],
)
def test_what_is_no_picture_is_refused_before_anything_is_decoded(value: object, error: str) -> None:
    """Although no network may ever need it."""
    tensors = [tensor("photo", [1], "BYTES", data=[value]), tensor("text", [1], "BYTES", data=["a"])]
    with pytest.raises(BadInput, match=error):
        read(document(*tensors), None, BOTH)


def test_texts_are_no_files() -> None:
    """A text behind its length is refused where a picture is wanted."""
    content = to_bytes(["hello"])
    head = document(behind("photo", [1], "BYTES", len(content)))
    with pytest.raises(BadInput, match="a picture is a whole PNG or JPEG"):
        read(head + content, len(head), (PHOTO,))


def test_a_file_is_checked_when_it_is_made() -> None:
    """Its row is decoded on demand."""
    file = PictureFile(PictureReader(PHOTO), FILES[0])
    np.testing.assert_array_equal(file.row, COLOURS[:1])
