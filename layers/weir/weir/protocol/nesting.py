"""Flatten JSON values of any nesting into one list, row-major."""

import math
from collections.abc import Iterator
from itertools import chain
from typing import Any

import msgspec

from weir.errors import BadTensor

JsonType = type[float | int | bool]
"""what each value of a list is: a number, a whole number, or true or false"""

_MAX_TYPED_DEPTH = 6
"""deepest nesting that msgspec decodes by its type: rows, four dimensions, and a list around each value"""

_LISTS_PER_VALUE = 2
"""lists that data may have for each value"""
_FURTHER_LISTS = 1_000
"""lists that data may have besides, whatever the number of values"""
_IRREGULAR_LISTS_PER_VALUE = 1 / 4
"""the same as `_LISTS_PER_VALUE` for an irregular nesting, which is read value by value, in Python"""

_NAMES = {float: "numbers", int: "whole numbers", bool: "true and false"}
_LEAVES: dict[JsonType, tuple[type, ...]] = {float: (float, int), int: (int,), bool: (bool,)}


def _decoder(nested: Any, depth: int) -> msgspec.json.Decoder[list[Any]]:  # noqa: ANN401 (a type that is made here)
    for _ in range(depth):
        nested = list[nested]
    return msgspec.json.Decoder(nested)


_DECODERS: dict[JsonType, list[msgspec.json.Decoder[list[Any]]]] = {
    leaf: [_decoder(leaf, depth) for depth in range(1, _MAX_TYPED_DEPTH + 1)] for leaf in (float, int, bool)
}
_any = msgspec.json.Decoder(float_hook=float)


def flat(data: msgspec.Raw, json_type: JsonType, count: int) -> list[Any]:
    """Read a list of values, of which `count` are expected.

    Raises:
        BadTensor: it is no list of such values, or has many more lists than values.
    """
    try:
        return _DECODERS[json_type][0].decode(data)  # flat already
    except msgspec.ValidationError:
        return _flattened(data, json_type, count)
    except (msgspec.DecodeError, UnicodeDecodeError) as exc:
        raise BadTensor(_rule(json_type), exc) from exc


def _flattened(data: msgspec.Raw, json_type: JsonType, count: int) -> list[Any]:
    text = bytes(data)
    if not text.startswith(b"[") or b"{" in text or b'"' in text:
        raise BadTensor(_rule(json_type), text[:200].decode(errors="replace"))
    lists = text.count(b"[")
    if lists > (limit := count * _LISTS_PER_VALUE + _FURTHER_LISTS):  # before memory is spent on them
        raise BadTensor(f"data of {count} values has at most {limit} lists", lists)
    try:
        for depth in range(2, _MAX_TYPED_DEPTH + 1):
            if (values := _regular(data, json_type, depth)) is not None:
                return values
        if lists > count * _IRREGULAR_LISTS_PER_VALUE + _FURTHER_LISTS:
            raise BadTensor(f"{_rule(json_type)}; an irregular nesting has few lists", lists)
        return list(leaves(_any.decode(data), json_type))
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError) as exc:
        raise BadTensor(_rule(json_type), exc) from exc


def _regular(data: msgspec.Raw, json_type: JsonType, depth: int) -> list[Any] | None:
    """Read lists in lists, `depth` of them everywhere; None where they are not."""
    try:
        nested = _DECODERS[json_type][depth - 1].decode(data)
    except msgspec.ValidationError:
        return None
    for _ in range(depth - 1):
        nested = list(chain.from_iterable(nested))
    return nested


def leaves(nested: list[Any], json_type: JsonType) -> Iterator[Any]:
    """Flatten row-major, in one pass whatever the nesting, and without recursion.

    Raises:
        BadTensor: something is neither a list nor a value.
    """
    types, lists = _LEAVES[json_type], [iter(nested)]
    while lists:
        for part in lists[-1]:
            if isinstance(part, list):
                lists.append(iter(part))
                break
            if not isinstance(part, types) or isinstance(part, bool) != (json_type is bool):
                raise BadTensor(_rule(json_type), part)
            yield _float(part) if json_type is float else part  # type: ignore[arg-type]
        else:
            lists.pop()


def _rule(json_type: JsonType) -> str:
    return f"data is a list of {_NAMES[json_type]}, at any nesting"


def _float(value: float) -> float:
    try:
        return float(value)
    except OverflowError:  # an integer beyond any float
        return math.inf
