"""JSON values at any nesting -> one flat list, row-major."""

import math
from collections.abc import Iterator
from itertools import chain
from typing import Any

import msgspec

from weir.errors import BadTensor

Kind = type[float | int | bool]

_DEPTHS = 6
"""nestings that are decoded by their type: rows of up to four sizes, with each value in a list of its own"""

_LISTS, _LISTS_MORE = 2, 1_000
"""lists that data may have: for each value, and besides"""
_SPARSE = 8
"""of an odd nesting, which is gone through value by value, so many times fewer"""

_CALLED = {float: "numbers", int: "whole numbers", bool: "true and false"}
_LEAVES: dict[Kind, tuple[type, ...]] = {float: (float, int), int: (int,), bool: (bool,)}


def _decoder(kind: Any, depth: int) -> msgspec.json.Decoder[list[Any]]:  # noqa: ANN401 (a type that is made here)
    for _ in range(depth):
        kind = list[kind]
    return msgspec.json.Decoder(kind)


_DECODERS: dict[Kind, list[msgspec.json.Decoder[list[Any]]]] = {
    kind: [_decoder(kind, depth) for depth in range(1, _DEPTHS + 1)] for kind in (float, int, bool)
}
_any = msgspec.json.Decoder(float_hook=float)


def flat(data: msgspec.Raw, kind: Kind, count: int) -> list[Any]:
    """Read a list of values, of which `count` are expected.

    Raises:
        BadTensor: it is no list of such values, or has many more lists than values.
    """
    try:
        return _DECODERS[kind][0].decode(data)  # flat already
    except msgspec.ValidationError:
        return _flattened(data, kind, count)
    except (msgspec.DecodeError, UnicodeDecodeError) as exc:
        raise BadTensor(_rule(kind), exc) from exc


def _flattened(data: msgspec.Raw, kind: Kind, count: int) -> list[Any]:
    text = bytes(data)
    if not text.startswith(b"[") or b"{" in text or b'"' in text:
        raise BadTensor(_rule(kind), text[:200].decode(errors="replace"))
    lists = text.count(b"[")
    if lists > count * _LISTS + _LISTS_MORE:  # before memory is spent on them
        raise BadTensor(f"data of {count} values has at most {count * _LISTS + _LISTS_MORE} lists", lists)
    try:
        for depth in range(2, _DEPTHS + 1):
            if (found := _regular(data, kind, depth)) is not None:
                return found
        if lists > count * _LISTS // _SPARSE + _LISTS_MORE:
            raise BadTensor(f"{_rule(kind)}; of an odd nesting with few lists", lists)
        return list(leaves(_any.decode(data), kind))
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError) as exc:
        raise BadTensor(_rule(kind), exc) from exc


def _regular(data: msgspec.Raw, kind: Kind, depth: int) -> list[Any] | None:
    """Read lists in lists, `depth` of them everywhere; None where they are not."""
    try:
        found = _DECODERS[kind][depth - 1].decode(data)
    except msgspec.ValidationError:
        return None
    for _ in range(depth - 1):
        found = list(chain.from_iterable(found))
    return found


def leaves(nested: list[Any], kind: Kind) -> Iterator[Any]:
    """Flatten row-major, in one pass whatever the nesting, and without recursion.

    Raises:
        BadTensor: something is neither a list nor a value.
    """
    kinds, lists = _LEAVES[kind], [iter(nested)]
    while lists:
        for part in lists[-1]:
            if isinstance(part, list):
                lists.append(iter(part))
                break
            if not isinstance(part, kinds) or isinstance(part, bool) != (kind is bool):
                raise BadTensor(_rule(kind), part)
            yield _float(part) if kind is float else part  # type: ignore[arg-type]
        else:
            lists.pop()


def _rule(kind: Kind) -> str:
    return f"data is a list of {_CALLED[kind]}, at any nesting"


def _float(value: float) -> float:
    try:
        return float(value)
    except OverflowError:  # an integer beyond any float
        return math.inf
