"""Examples for the documentation: requests that the models of the store answer."""

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any

from msgspec import Struct

from weir.catalog.columns import Category, Column, Date, Number
from weir.catalog.inputs import Input, Picture, Table, Tensor, TensorMetadata, Text
from weir.errors import WeirError
from weir.runtime.registry import Registry

_MAX_EXAMPLES = 5
_MAX_MODELS = 20
"""of the store, that are looked at"""

_MAX_VALUES = 10_000
"""of one row: a longer request is no example that somebody reads"""

_ZERO = {"BOOL": False, "FP16": 0.0, "FP32": 0.0, "FP64": 0.0}
_DATE = "2026-01-31"
_TEXT = "A sentence."


class Example(Struct, frozen=True):
    """A model, and a request for it with one row: of zeros, where they are numbers."""

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
        inputs = [_tensor(tensor, values) for one in model.reader.inputs for tensor, values in _row(one)]
        if sum(len(tensor["data"]) for tensor in inputs) <= _MAX_VALUES:
            yield Example(name, {"inputs": inputs})


def _tensor(tensor: TensorMetadata, values: list[Any]) -> dict[str, Any]:
    return {"name": tensor.name, "shape": [1, *tensor.shape[1:]], "datatype": tensor.datatype, "data": values}


def _row(one: Input) -> Iterator[tuple[TensorMetadata, list[Any]]]:
    """Make up the values of one row, for each tensor of an input."""
    match one:
        case Picture() | Tensor():
            yield one.tensors[0], [_ZERO.get(one.datatype, 0)] * one.row_values
        case Table():
            yield from zip(one.tensors, ([_cell(column)] for column in one.columns), strict=True)
        case Text():
            yield one.tensors[0], [_TEXT]


def _cell(column: Column) -> object:
    match column:
        case Number():
            return _ZERO.get(column.datatype, 0)
        case Category():
            return next(iter(column.vocabulary), "")
        case Date():
            return _DATE
