"""Networks of the user's own for tables and texts."""

import sys
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.training.tables import TABLE, rows
from training.configured_keras import keras
from training.export.convert import convert
from training.learning.networks import logits
from training.modalities import modality_of
from training.task import NetworkSpec
from weir.catalog.inputs import Input, Text
from weir.errors import BadInput
from weir.runtime.interpreter import Network

TEXT = Text(name="text", most_bytes=8)
ROWS: dict[Input, NDArray[Any]] = {TABLE: np.nan_to_num(rows(6).inputs), TEXT: np.full((6, 8), 65, np.int32)}


@pytest.fixture
def module(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """A module with a function that builds a network, and one that builds no network of the labels."""

    def network(shape: tuple[int, ...], outputs: int, *, dtype: str = "float32") -> keras.Model:
        inputs = keras.Input(shape, dtype=dtype)
        return keras.Model(inputs, keras.layers.Dense(outputs)(keras.ops.cast(inputs, "float32")))

    made = ModuleType("own_networks")
    made.of_tables = network  # type: ignore[attr-defined]
    made.of_texts = lambda shape, outputs: network(shape, outputs, dtype="int32")  # type: ignore[attr-defined]
    made.wrong = lambda shape, outputs: network(shape, outputs + 1)  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "own_networks", made)
    return made


@pytest.mark.usefixtures("module")
@pytest.mark.parametrize(("one", "name"), [(TABLE, "of_tables"), (TEXT, "of_texts")], ids=["table", "text"])
def test_a_network_of_ones_own_is_trained_and_converted(one: Input, name: str) -> None:
    """It is built for the rows of the input, is trained as the task says, and its artifact gives its logits."""
    modality = modality_of([one])
    spec = NetworkSpec(name="n", architecture=f"own_networks:{name}")
    modality.check(spec)
    assert modality.recipe(spec).epochs is None
    model = modality.build(spec, 3, 0, rows(6))
    converted = Network(convert(model, [one], "float32", ROWS[one])).logits(ROWS[one])
    np.testing.assert_allclose(converted, logits(model, ROWS[one]), rtol=1e-4, atol=1e-3)


@pytest.mark.usefixtures("module")
@pytest.mark.parametrize("one", [TABLE, TEXT], ids=["table", "text"])
def test_a_network_that_does_not_fit_is_refused(one: Input) -> None:
    """Before anything is trained."""
    with pytest.raises(BadInput, match=r"own_networks:wrong returns logits of shape \(rows, 2\)"):
        modality_of([one]).check(NetworkSpec(name="n", architecture="own_networks:wrong"))
