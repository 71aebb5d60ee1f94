"""Triton's published client, with a table of FP64 and BYTES columns beside a text of BYTES."""

from collections.abc import Iterator

import numpy as np
import pytest
from tritonclient.http import InferenceServerClient, InferInput

from local.system import System
from tests import kinds
from tests.serving import store_version

EXITS = [0, 1, 0, 0]


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A system that serves the model of both: host and port."""
    store = tmp_path_factory.mktemp("triton") / "store"
    store_version(store, kinds.ORDERS)
    with System(store=store.as_uri()) as system:
        yield system.url.removeprefix("http://")


def _inputs(client: InferenceServerClient, *, binary: bool, column: bool) -> list[InferInput]:
    """Make the tensors that the model's metadata name; what is missing is NaN, or an empty text."""
    tensors = []
    for one in client.get_model_metadata("orders")["inputs"]:
        given = [record[one["name"]] for record in kinds.RECORDS]
        if one["datatype"] == "FP64":
            values = np.array(given, np.float64)  # None becomes NaN
        else:
            values = np.array(["" if value is None else value for value in given], np.object_)
        if column:
            values = values[:, None]
        tensor = InferInput(one["name"], list(values.shape), one["datatype"])
        tensor.set_data_from_numpy(values, binary_data=binary)
        tensors.append(tensor)
    return tensors


@pytest.mark.parametrize("column", [False, True], ids=["[n]", "[n, 1]"])
def test_rows_behind_the_json_have_the_models_predictions(address: str, *, column: bool) -> None:
    """FP64 and BYTES as the client sends them by default, end-to-end and through the cascade."""
    with InferenceServerClient(address) as client:
        answer = client.infer("orders", _inputs(client, binary=True, column=column))
        np.testing.assert_allclose(answer.as_numpy("probabilities"), kinds.expected(kinds.ORDERS), atol=1e-5)
        assert [one.decode() for one in answer.as_numpy("label")] == ["leaves", "leaves", "stays", "leaves"]
    with InferenceServerClient(f"{address}/cascade") as client:
        answer = client.infer("orders", _inputs(client, binary=True, column=column))
        assert answer.as_numpy("exit_level").tolist() == EXITS


def test_texts_in_the_json_are_the_same_rows(address: str) -> None:
    """The client writes BYTES into the JSON, too; a row without gaps, for its NaN would be no JSON."""
    with InferenceServerClient(address) as client:
        tensors = _inputs(client, binary=True, column=False)
        texts = [one for one in _inputs(client, binary=False, column=False) if one.datatype() == "BYTES"]
        answer = client.infer("orders", [tensors[0], *texts])
        np.testing.assert_allclose(answer.as_numpy("probabilities"), kinds.expected(kinds.ORDERS), atol=1e-5)
