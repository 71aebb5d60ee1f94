"""weir.protocol.nesting: what nesting costs, and what is refused before it costs anything."""

import json
import time
import tracemalloc
from typing import Any

import msgspec
import pytest

from weir.errors import BadTensor
from weir.protocol.nesting import flat

COUNT = 1_024 * 16


def _raw(nested: object) -> msgspec.Raw:
    return msgspec.Raw(json.dumps(nested).encode())


def _deep(depth: int) -> str:
    return "[" * depth + "]" * depth


@pytest.mark.parametrize("depth", range(1, 9))
def test_regular_nestings_of_any_depth_are_read(depth: int) -> None:
    """Nestings decoded by their type, and deeper ones, give the same values."""
    nested: Any = list(range(8))
    for _ in range(depth - 1):
        nested = [nested[:4], nested[4:]] if len(nested) == 8 and depth < 4 else [nested]
    assert flat(_raw(nested), float, 8) == list(range(8))
    assert flat(_raw(nested), int, 8) == list(range(8))


def test_each_value_in_a_list_of_its_own_is_read() -> None:
    """Rows of one channel, each value in a list, are read."""
    assert flat(_raw([[[float(i)]] for i in range(COUNT)]), float, COUNT) == [float(i) for i in range(COUNT)]


@pytest.mark.parametrize(
    "data",
    [
        pytest.param("[" + ",".join([_deep(450)] * 4_000) + "]", id="deep lists"),
        pytest.param("[" + ",".join([_deep(3)] * 400_000) + "]", id="shallow lists"),
        pytest.param("[1," + ",".join([_deep(450)] * 4_000) + "]", id="a value before them"),
        pytest.param("[" + ",".join(['{"":' * 450 + "1" + "}" * 450] * 3_000) + "]", id="objects"),
        pytest.param("[" + ",".join(['"x"'] * 900_000) + "]", id="texts"),
    ],
)
def test_more_lists_than_values_are_refused_before_they_cost_anything(data: str) -> None:
    """They cost no memory beyond the text itself, and next to no time."""
    raw = msgspec.Raw(data.encode())
    tracemalloc.start()
    start = time.perf_counter()
    with pytest.raises(BadTensor):
        flat(raw, float, COUNT)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 4 * len(data) + 1_000_000
    assert time.perf_counter() - start < 2


def test_an_irregular_nesting_has_few_lists() -> None:
    """An irregular nesting, which is read value by value, may have fewer lists."""
    irregular: list[Any] = [[1.0], 2.0] * (COUNT // 2)
    with pytest.raises(BadTensor, match="an irregular nesting has few lists"):
        flat(_raw(irregular), float, COUNT)
    assert len(flat(_raw([[1.0], 2.0] * 500), float, 1_000)) == 1_000
