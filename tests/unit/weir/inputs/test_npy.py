"""weir.inputs.npy: headers that claim anything, and values that must be what they claim."""

import io
import tracemalloc
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from weir.errors import BadBody
from weir.inputs.npy import read_npy


def _npy(array: NDArray[Any]) -> bytes:
    file = io.BytesIO()
    np.save(file, array)
    return file.getvalue()


def _claiming(shape: str, body: bytes = b"", descr: str = "'<f8'") -> bytes:
    """Write a `.npy` by hand: what its header claims need not be true."""
    header = f"{{'descr': {descr}, 'fortran_order': False, 'shape': {shape}}}\n".encode("latin-1")
    return b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header + body


@pytest.mark.parametrize("dtype", ["?", "i1", ">u4", "<f2", ">f8"])
@pytest.mark.parametrize("shape", [(), (0, 3), (5,), (2, 3, 4)])
@pytest.mark.parametrize("order", ["C", "F"])
def test_what_numpy_saves_is_read(dtype: str, shape: tuple[int, ...], order: str) -> None:
    """Values of any real datatype, shape and memory order are the same as those that NumPy loads."""
    array = np.asarray(np.arange(np.prod(shape)).reshape(shape) % 2, dtype, order=order)  # type: ignore[call-overload]
    values = read_npy(_npy(array)).values()
    assert (values.dtype, values.shape) == (array.dtype, array.shape)
    assert np.array_equal(values, np.load(io.BytesIO(_npy(array))))


@pytest.mark.parametrize(
    ("content", "rule"),
    [
        (b"", "a .npy is what numpy.save writes"),
        (b"\x93NUMPY\x03\x00" + b"\x00" * 90, "a .npy is what numpy.save writes"),
        (_claiming("(1,)", descr="'nothing'"), "a .npy is what numpy.save writes"),
        (_claiming("(1,)", b"0" * 8, descr="'|O'"), "a .npy holds real numbers"),
        (_claiming("(1,)", b"0" * 8, descr="'|S8'"), "a .npy holds real numbers"),
        (_claiming("(1,)", b"0" * 16, descr="'<c16'"), "a .npy holds real numbers"),
        (_claiming("(2,)", b"0" * 8), "is followed by exactly its values"),
        (_claiming("(99999999999999,)"), "is followed by exactly its values"),
        (_claiming("(-1, -1)", b"0" * 8), "is followed by exactly its values"),
        (_claiming(f"(0, {'9' * 30})"), "a .npy has a shape that NumPy knows"),
        (_claiming(f"({'1, ' * 40})", b"0" * 8), "a .npy has a shape that NumPy knows"),
    ],
)
def test_what_is_no_array_of_numbers_is_refused(content: bytes, rule: str) -> None:
    """Whatever the header claims, no memory is reserved for it."""
    tracemalloc.start()
    try:
        with pytest.raises(BadBody, match=rule):
            read_npy(content).values()
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 1_000_000
