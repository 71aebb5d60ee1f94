"""Read manifests of schema 1.x as documents of schema 2.0."""

from typing import Any

Document = dict[str, Any]

_LEVEL_KIND = "cascade"
"""of a level that names none: 1.0 knew no other"""


def upgraded(document: Document) -> Document:
    """Return a manifest of schema 1.x as one of 2.0.

    Until 1.3 a level at which no row exits had a threshold that no confidence reaches (2.0); now it has null.
    """
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
