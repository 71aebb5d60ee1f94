"""Examples for the documentation: requests that the models of the store answer."""

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any

from msgspec import Struct

from weir.catalog.inputs import Input
from weir.errors import WeirError
from weir.runtime.registry import Registry

_MAX_EXAMPLES = 5
_MAX_MODELS = 20
"""of the store, that are looked at"""

_MAX_VALUES = 10_000
"""of one row: a longer request is no example that somebody reads"""

_ZERO = {"BOOL": False, "FP16": 0.0, "FP32": 0.0, "FP64": 0.0}


class Example(Struct, frozen=True):
    """A model, and a request for it with one row of zeros."""

    model: str
    infer: dict[str, Any]


def examples(registry: Registry) -> list[Example]:
    """Make an example for each of the first few models that the store serves; none when it does not answer."""
    try:
        names = registry.names()
    except WeirError:
        return []
    return list(islice(_each(registry, names[:_MAX_MODELS]), _MAX_EXAMPLES))


def _each(registry: Registry, names: Sequence[str]) -> Iterator[Example]:
    for name in names:
        try:
            model = registry.model(name)[1]
        except WeirError:  # without an alias, or damaged: a request without a version is not answered
            continue
        if model.row_values <= _MAX_VALUES:
            yield _example(name, model.manifest.inputs)


def _example(model: str, specs: Sequence[Input]) -> Example:
    inputs = [
        {
            "name": spec.name,
            "shape": [1, *spec.row_shape],
            "datatype": spec.datatype,
            "data": [_ZERO.get(spec.datatype, 0)] * spec.row_values,
        }
        for spec in specs
    ]
    return Example(model, {"inputs": inputs})
