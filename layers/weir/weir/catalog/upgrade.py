"""Read manifests of schema 1.x as documents of schema 2.0."""

from typing import Any

import msgspec

from weir.catalog.inputs import Datatype, could_be_picture

Document = dict[str, Any]

_LEVEL_KIND = "cascade"
"""of a level that names none: 1.0 knew no other"""


def upgraded(document: Document) -> Document:
    """Return a manifest of schema 1.x as one of 2.0.

    Raises:
        msgspec.ValidationError: the inputs are none.
    """
    return with_kinds(_with_null_thresholds(document))


def with_kinds(document: Document) -> Document:
    """Add the kind to each input, which lacks it until 1.3: `picture` where it can be one.

    Raises:
        msgspec.ValidationError: the inputs are none.
    """
    if "inputs" not in document:
        return document
    return {**document, "inputs": [_with_kind(one) for one in msgspec.convert(document["inputs"], list[Document])]}


def _with_null_thresholds(document: Document) -> Document:
    """Replace the threshold that no confidence reaches (2.0), which a level at which no row exits had until 1.3."""
    levels = document.get("levels")
    if not isinstance(levels, list) or not all(isinstance(level, dict) for level in levels):
        return document
    return {**document, "levels": [_level(level) for level in levels]}


def _level(level: Document) -> Document:
    upgraded_level = {"kind": _LEVEL_KIND, **level}
    threshold = level.get("threshold")
    if isinstance(threshold, int | float) and threshold > 1:
        upgraded_level["threshold"] = None
    return upgraded_level


class _Untagged(msgspec.Struct):
    """The fields of an input that decide its kind."""

    shape: tuple[int, ...]
    datatype: Datatype = "FP32"
    range: tuple[float, float] = (0.0, 255.0)


def _with_kind(one: Document) -> Document:
    old = msgspec.convert(one, _Untagged)
    is_picture = could_be_picture(old.shape, old.datatype, old.range)
    return {"kind": "picture" if is_picture else "tensor", **one}
