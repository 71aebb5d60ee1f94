"""Tiny real models that read a table, texts, and both: whether a customer stays or leaves."""

import json
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from tests.serving import artifact, make_manifest
from weir.catalog.columns import Category, Date, Number
from weir.catalog.inputs import Input, Table, Text
from weir.catalog.levels import Classifier
from weir.catalog.manifest import EndToEnd, Manifest
from weir.engine.confidence import softmax

TABLE = Table(
    name="row",
    columns=(
        Number(name="age", optional=True),
        Category(name="plan", vocabulary=("basic", "gold")),
        Date(name="since", optional=True),
    ),
    meaning="a customer",
)
TEXT = Text(name="text", most_bytes=16, meaning="what the customer wrote")

RECORDS: list[dict[str, Any]] = [
    {"age": 35, "plan": "gold", "since": "2026-01-31", "text": "fine"},
    {"age": None, "plan": "platinum", "since": None, "text": "never again!!!"},
    {"age": 61.5, "plan": "basic", "since": "1999-12-31T23:59", "text": "ça va, merci beaucoup"},
    {"age": 18, "plan": None, "since": "2026-11-26", "text": ""},
]


def _manifest(model: str, inputs: tuple[Input, ...], network: str, *levels: Classifier[Any]) -> Manifest:
    return msgspec.structs.replace(
        make_manifest(model),
        labels=("stays", "leaves"),
        prior=(0.5, 0.5),
        inputs=inputs,
        end_to_end=EndToEnd(artifact=artifact(network)),
        levels=(*levels, Classifier(name="last", network=artifact(network), threshold=0.0)),
    )


CUSTOMERS = _manifest("customers", (TABLE,), "customer")
MOODS = _manifest("moods", (TEXT,), "mood")
ORDERS = _manifest(
    "orders", (TABLE, TEXT), "order", Classifier(name="cheap", network=artifact("customer"), threshold=0.95)
)
"""its first level reads the table alone"""
KINDS = (CUSTOMERS, MOODS, ORDERS)


def names(manifest: Manifest) -> list[str]:
    """List the columns and texts that a model reads."""
    return [tensor.name for one in manifest.inputs for tensor in one.tensors]


def records(manifest: Manifest) -> list[dict[str, Any]]:
    """Return the rows as a model reads them."""
    return [{name: record[name] for name in names(manifest)} for record in RECORDS]


def tensors(manifest: Manifest) -> bytes:
    """Write the rows as a request of the Open Inference Protocol."""
    specs = [tensor for one in manifest.inputs for tensor in one.tensors]
    inputs = [
        {
            "name": one.name,
            "datatype": one.datatype,
            "shape": [len(RECORDS)],
            "data": [record[one.name] for record in RECORDS],
        }
        for one in specs
    ]
    return json.dumps({"inputs": inputs}).encode()


def expected(manifest: Manifest) -> NDArray[np.float32]:
    """Compute the probabilities of the rows, by the formulas of `tests/networks/make.py`."""
    leaves = np.zeros(len(RECORDS))
    if TABLE in manifest.inputs:
        ages = np.array([40 if record["age"] is None else record["age"] for record in RECORDS])
        leaves += (40 - ages) / 10 + [record["plan"] == "gold" for record in RECORDS]
    if TEXT in manifest.inputs:
        leaves += [record["text"].count("!") - 1 for record in RECORDS]
    return softmax(np.stack([-leaves, leaves], axis=1).astype(np.float32))
