"""weir.protocol: every encoding of a tensor gives the same rows, and incomplete ones are refused."""

import gzip
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, get_args

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from tests.unit.weir.protocol.documents import IMAGE, behind, document, read, tensor
from weir.catalog.inputs import DTYPES, Datatype, Tensor
from weir.errors import BadBody, BadTensor
from weir.protocol.compression import decompress

Encoded = tuple[bytes, int | None]


@dataclass(frozen=True)
class Sent:
    """Rows of an input, and the input."""

    described: Tensor
    values: NDArray[Any]

    @property
    def shape(self) -> list[int]:
        """As it stands in a request."""
        return list(self.values.shape)


@st.composite
def tensors(draw: st.DrawFn) -> Sent:
    """Draw 1 to 4 rows of 4x4 values of any bits that are finite, subnormal ones and -0.0 among them."""
    datatype: Datatype = draw(st.sampled_from(get_args(Datatype)))
    dtype, rows = DTYPES[datatype], draw(st.integers(1, 4))
    size = rows * 16 * dtype.itemsize
    content = draw(st.binary(min_size=size, max_size=size))
    if dtype.kind == "b":
        values = (np.frombuffer(content, np.uint8) & 1).astype(dtype)
    else:
        values = np.frombuffer(content, dtype)
        values = np.where(np.isfinite(values), values, dtype.type(1))
    return Sent(Tensor(name="image", shape=(-1, 4, 4), datatype=datatype), values.reshape(rows, 4, 4))


def _json(sent: Sent, data: list[Any]) -> Encoded:
    return document(tensor("image", sent.shape, sent.described.datatype, data=data)), None


def _binary(sent: Sent) -> Encoded:
    head = document(behind("image", sent.shape, sent.described.datatype, sent.values.nbytes))
    return head + sent.values.tobytes(), len(head)


FORMS: dict[str, Callable[[Sent], Encoded]] = {
    "nested": lambda sent: _json(sent, sent.values.tolist()),
    "rows": lambda sent: _json(sent, sent.values.reshape(len(sent.values), 16).tolist()),
    "flat": lambda sent: _json(sent, sent.values.ravel().tolist()),
    "binary": _binary,
    "raw": lambda sent: (sent.values.tobytes(), 0),
}
COMPRESSIONS: dict[str, Callable[[bytes], bytes]] = {"": bytes, "gzip": gzip.compress, "deflate": zlib.compress}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("compression", COMPRESSIONS)
@given(tensors())
def test_every_encoding_is_the_same_rows(form: str, compression: str, sent: Sent) -> None:
    """JSON and bytes, compressed or not, give the same rows bit for bit, whatever the datatype."""
    content, header_length = FORMS[form](sent)
    body = decompress(COMPRESSIONS[compression](content), compression, 100_000)
    rows = read(body, header_length, (sent.described,))
    assert rows.dtype == sent.values.dtype
    assert rows.shape == sent.values.shape
    assert rows.tobytes() == sent.values.tobytes()


@settings(max_examples=20)
@given(tensors(), st.binary(min_size=1, max_size=100))
def test_values_behind_json_are_all_or_none(sent: Sent, more: bytes) -> None:
    """A body that lacks any byte, or has one more, is refused."""
    content, header_length = _binary(sent)
    for wrong in (*(content[:length] for length in range(len(content))), content + more):
        with pytest.raises((BadBody, BadTensor)):
            read(wrong, header_length, (sent.described,))


@given(tensors(), st.integers(1, 10_000))
def test_json_that_was_cut_is_refused(sent: Sent, at: int) -> None:
    """JSON cut at any byte is refused."""
    for form in ("nested", "flat"):
        content, _ = FORMS[form](sent)
        with pytest.raises(BadBody):
            read(content[: at % len(content)], None, (sent.described,))


@given(st.integers(0, 2000) | st.integers(0, 1100).map(lambda rows: rows * 64) | st.integers(65_000, 66_000))
def test_bytes_alone_are_1_to_1024_whole_rows(size: int) -> None:
    """Bytes alone are read when they are 1 to 1,024 whole rows, and refused otherwise."""
    rows, more = divmod(size, 64)
    if not more and 1 <= rows <= 1024:
        assert read(bytes(size), 0).shape == (rows, 4, 4)
        return
    with pytest.raises(BadTensor):
        read(bytes(size), 0)


def test_the_first_rows_are_the_same_rows() -> None:
    """Of bytes alone that are cut between rows, the first rows stay the same."""
    values = np.arange(64, dtype="<f4").reshape(4, 4, 4)
    for rows in range(1, 5):
        assert np.array_equal(read(values.tobytes()[: rows * 64], 0, IMAGE), values[:rows])
