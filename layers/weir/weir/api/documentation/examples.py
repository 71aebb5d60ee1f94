"""Requests that work: for the models that are in the store."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from weir.catalog.inputs import Input
from weir.errors import WeirError
from weir.runtime.registry import Registry

_MOST_MODELS, _MOST_TRIED, _MOST_VALUES = 5, 20, 10_000
"""shown; looked at; values of a row that somebody can read"""

_ZERO = {"BOOL": False, "FP16": 0.0, "FP32": 0.0, "FP64": 0.0}


@dataclass(frozen=True)
class Example:
    """One model, and a request with one row of zeros."""

    model: str
    infer: dict[str, Any]


def examples(registry: Registry) -> list[Example]:
    """Make an example for each of the first few models that the store serves; none when it does not answer."""
    found: list[Example] = []
    try:
        names = registry.names()
    except WeirError:
        return found
    for name in names[:_MOST_TRIED]:
        try:
            specs = registry.model(name)[1].manifest.inputs
        except WeirError:  # without an alias, or damaged: it answers nobody who names no version
            continue
        if sum(math.prod(spec.shape[1:]) for spec in specs) <= _MOST_VALUES:
            found.append(_example(name, specs))
        if len(found) == _MOST_MODELS:
            break
    return found


def _example(model: str, specs: Sequence[Input]) -> Example:
    inputs = [
        {
            "name": spec.name,
            "shape": [1, *spec.shape[1:]],
            "datatype": spec.datatype,
            "data": [_ZERO.get(spec.datatype, 0)] * math.prod(spec.shape[1:]),
        }
        for spec in specs
    ]
    return Example(model, {"inputs": inputs})
