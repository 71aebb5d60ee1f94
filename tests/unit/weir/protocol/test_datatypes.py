"""weir.protocol.datatypes."""

import json
from collections.abc import Iterator
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from numpy.typing import NDArray

from tests.unit.weir.protocol.documents import FLOATS, INTEGERS
from weir.catalog.inputs import DTYPES
from weir.errors import BadTensor
from weir.protocol.datatypes import from_bytes, from_json, to_bytes
from weir.protocol.nesting import leaves

NESTED = st.recursive(
    st.lists(st.integers(-100, 100), max_size=5),
    lambda parts: st.lists(parts | st.integers(-100, 100), max_size=5),
)


class Counting(list[Any]):
    """A list that counts how often it is gone through."""

    times = 0

    def __iter__(self) -> Iterator[Any]:
        """Begin again."""
        self.times += 1
        return super().__iter__()


def _plainly(nested: list[Any]) -> Iterator[int]:
    for part in nested:
        if isinstance(part, list):
            yield from _plainly(part)
        else:
            yield part


def _values(datatype: str) -> NDArray[Any]:
    """Draw 24 values that the datatype has, its extremes among them."""
    random, dtype = np.random.default_rng(7), DTYPES[datatype]
    if dtype.kind == "b":
        return random.integers(0, 2, 24).astype(dtype)
    if dtype.kind == "f":
        limits = np.finfo(dtype)
        return np.array([limits.max, limits.min, limits.tiny, -0.0, *random.normal(0, 9, 20)]).astype(dtype)
    whole = np.iinfo(dtype)
    return np.array([whole.max, whole.min, *random.integers(whole.min, whole.max, 22, dtype, endpoint=True)], dtype)


def _json(values: object) -> msgspec.Raw:
    return msgspec.Raw(json.dumps(values).encode())


@pytest.mark.parametrize("datatype", DTYPES)
def test_values_are_numpys(datatype: str) -> None:
    """Values read from JSON of any nesting, and from bytes, are bit for bit those of NumPy."""
    values = _values(datatype)
    for shaped in (values, values.reshape(2, 12), values.reshape(2, 3, 4), values.reshape(24, 1)):
        found = from_json(_json(shaped.tolist()), datatype, 24)
        assert found.dtype == values.dtype
        assert found.tobytes() == values.tobytes()
    found = from_bytes(memoryview(values.tobytes()), datatype, 24)
    assert found.dtype == values.dtype
    assert found.tobytes() == values.tobytes()
    assert to_bytes(found) == values.tobytes()


@pytest.mark.parametrize("datatype", INTEGERS)
def test_whole_numbers_beyond_a_datatype_are_refused(datatype: str) -> None:
    """No integer wraps around; the error states the range of the datatype."""
    limits = np.iinfo(DTYPES[datatype])
    rule = f"values of {datatype} are {limits.min} to {limits.max}"
    for value in (limits.max + 1, limits.min - 1, 2**64, -(2**63) - 1, 10**400):
        with pytest.raises(BadTensor, match=rule):
            from_json(_json([0, value]), datatype, 2)
        with pytest.raises(BadTensor, match=rule):
            from_json(_json([[0], [value]]), datatype, 2)


@pytest.mark.parametrize("datatype", FLOATS)
@pytest.mark.parametrize("text", ["1e400", "-1e400", "1" + "0" * 400, "-1" + "0" * 400])
def test_numbers_beyond_a_datatype_are_refused(datatype: str, text: str) -> None:
    """No number beyond a datatype becomes an infinity."""
    for data in (f"[0, {text}]", f"[[0], [{text}]]"):
        with pytest.raises(BadTensor, match=f"values are finite in {datatype}|data is a list of numbers"):
            from_json(msgspec.Raw(data.encode()), datatype, 2)


def test_a_number_that_only_this_datatype_lacks_is_refused() -> None:
    """70,000 is beyond FP16, while 65,519 rounds to its largest value."""
    with pytest.raises(BadTensor, match=r"values are finite in FP16\. Got: 70000"):
        from_json(_json([1, 70000]), "FP16", 2)
    assert from_json(_json([65519]), "FP16", 1).tolist() == [65504]


@pytest.mark.parametrize(
    ("datatype", "value", "rule"),
    [
        *((datatype, 1.0, "a list of whole numbers") for datatype in INTEGERS),
        *((datatype, True, "a list of whole numbers") for datatype in INTEGERS),
        *((datatype, True, "a list of numbers") for datatype in FLOATS),
        *((datatype, value, "a list of ") for datatype in DTYPES for value in ("1", None, {"a": 1})),
        ("INT32", 1e3, "a list of whole numbers"),
        ("BOOL", 1, "a list of true and false"),
        ("BOOL", 0.0, "a list of true and false"),
    ],
)
def test_values_of_another_kind_are_refused(datatype: str, value: object, rule: str) -> None:
    """Values of another JSON type are refused, not converted."""
    for data in ([value], [[value]]):
        with pytest.raises(BadTensor, match=f"data is {rule}.*, at any nesting"):
            from_json(_json(data), datatype, 1)
    with pytest.raises(BadTensor, match=f"data is {rule}"):
        from_json(_json(value), datatype, 1)


@pytest.mark.parametrize("datatype", DTYPES)
def test_values_are_as_many_as_the_shape_says(datatype: str) -> None:
    """Fewer or more values than the shape has are refused, in JSON as in bytes."""
    some: object = True if datatype == "BOOL" else 1
    for count in (0, 1, 3, 1000):
        for data in ([some] * count, [[some] * count]):
            with pytest.raises(BadTensor, match=rf"data has 2 values\. Got: {count}$"):
                from_json(_json(data), datatype, 2)
    size = DTYPES[datatype].itemsize
    for wrong in (0, 2 * size - 1, 2 * size + 1, 3 * size):
        with pytest.raises(BadTensor, match=rf"2 values of {datatype} are {2 * size} bytes\. Got: {wrong}$"):
            from_bytes(memoryview(bytes(wrong)), datatype, 2)


@pytest.mark.parametrize("byte", [2, 127, 255])
def test_a_bool_is_a_byte_of_0_or_1(byte: int) -> None:
    """Other bytes are refused, though NumPy would take them for true."""
    assert from_bytes(memoryview(b"\0\1"), "BOOL", 2).tolist() == [False, True]
    with pytest.raises(BadTensor, match="a BOOL is a byte of 0 or 1"):
        from_bytes(memoryview(bytes([0, byte])), "BOOL", 2)


@pytest.mark.parametrize("datatype", FLOATS)
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_bytes_are_finite(datatype: str, value: float) -> None:
    """NaN and infinities are refused in bytes, as JSON has none either."""
    with pytest.raises(BadTensor, match=f"values are finite in {datatype}. Got: "):
        from_bytes(memoryview(np.array([0, value], DTYPES[datatype]).tobytes()), datatype, 2)


@pytest.mark.parametrize("datatype", DTYPES)
@pytest.mark.parametrize("before", range(9))
def test_bytes_may_begin_anywhere(datatype: str, before: int) -> None:
    """Values at any offset of the body are the same, and aligned in memory."""
    values = _values(datatype)
    found = from_bytes(memoryview(bytes(before) + values.tobytes())[before:], datatype, 24)
    assert found.flags.aligned
    assert found.tobytes() == values.tobytes()


def test_numbers_are_written_little_endian_and_row_major() -> None:
    """The bytes do not depend on the byte order and layout in memory."""
    values = np.arange(6, dtype=">i4").reshape(2, 3)
    assert to_bytes(values) == np.arange(6, dtype="<i4").tobytes()
    assert to_bytes(values.T) == np.array([0, 3, 1, 4, 2, 5], "<i4").tobytes()
    assert to_bytes(np.array([True, False])) == b"\1\0"


def test_texts_are_written_with_their_lengths() -> None:
    """Each text has its length in bytes, not in characters, before it."""
    assert to_bytes(["ab", "", "é"]) == b"\2\0\0\0ab\0\0\0\0\2\0\0\0\xc3\xa9"
    assert to_bytes([]) == b""


@given(NESTED)
def test_any_nesting_is_read_in_its_order(nested: list[Any]) -> None:
    """Values have the order in which a plain recursion meets them."""
    flat = list(_plainly(nested))
    assume(flat)
    for datatype in ("FP32", "INT8"):
        assert from_json(_json(nested), datatype, len(flat)).tolist() == flat


def test_one_deep_value_among_many_costs_one_pass() -> None:
    """Flattening visits every value once, however deep one of them is."""
    data: list[Any] = [0] * 100_000
    deepest = data
    for _ in range(900):
        deepest.append([])
        deepest = deepest[-1]
    visited = Counting(data)
    assert sum(1 for _ in leaves(visited, int)) == 100_000
    assert visited.times == 1
