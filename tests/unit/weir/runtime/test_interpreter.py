"""weir.runtime.interpreter, with every TFLite runtime of this Python."""

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.serving import NETWORKS
from tests.unit.weir.pairs import ROWS, pair_logits
from weir.errors import ModelUnavailable
from weir.runtime import interpreter
from weir.runtime.interpreter import Network

LARGE = (NETWORKS / "large.tflite").read_bytes()
PAIR = (NETWORKS / "pair.tflite").read_bytes()


def test_logits_are_those_of_the_formula(runtime: str, pictures: NDArray[np.float32]) -> None:
    """The linear network gives, row by row, the brightness of each third times its scale."""
    weights = np.tile(np.array([[1, 0, 0], [0.5, 0.5, 0], [0, 0.5, 0.5], [0, 0, 1]]) * 0.05, (4, 1))
    expected = pictures.reshape(4, 16) @ weights
    np.testing.assert_allclose(Network(LARGE, runtime).logits(pictures), expected, rtol=1e-3)


def test_shapes_are_known(runtime: str) -> None:
    """A network tells the shape of a row and its number of labels."""
    network = Network(LARGE, runtime)
    assert (network.inputs, network.labels) == ((((4, 4), np.dtype(np.float32)),), 3)


def test_no_rows_give_no_logits(runtime: str) -> None:
    """An empty batch is no special case."""
    assert Network(LARGE, runtime).logits(np.zeros((0, 4, 4), np.float32)).shape == (0, 3)


def test_several_inputs_are_told_by_their_names(runtime: str) -> None:
    """Each reads its own field, in whatever order the network or the caller has them."""
    for names in (["a", "b"], ["b", "a"]):
        network = Network(PAIR, runtime, names)
        known = {"a": ((2,), np.dtype(np.float32)), "b": ((3,), np.dtype(np.int32))}
        assert network.inputs == tuple(known[name] for name in names)
        np.testing.assert_allclose(network.logits(ROWS), pair_logits(), rtol=1e-6)
        np.testing.assert_allclose(network.logits(ROWS[[2, 0]]), pair_logits()[[2, 0]], rtol=1e-6)
        assert network.logits(ROWS[:0]).shape == (0, 3)


@pytest.mark.parametrize("names", [[], ["a"], ["a", "c"]])
def test_inputs_of_other_names_are_refused(runtime: str, names: list[str]) -> None:
    """A network is never fed what was meant for another input."""
    with pytest.raises(ModelUnavailable, match=r"the \.tflite can't be served: its inputs are a, b, not "):
        Network(PAIR, runtime, names)


@pytest.mark.parametrize("content", [b"", b"not a network", b"\x00" * 500])
def test_bytes_of_something_else_are_refused(runtime: str, content: bytes) -> None:
    """They never reach the runtime, which can crash the process."""
    with pytest.raises(ModelUnavailable, match="TFL3"):
        Network(content, runtime)


def test_what_the_runtime_raises_does_not_escape(runtime: str) -> None:
    """A network that the runtime refuses is a model that is unavailable."""
    with pytest.raises(ModelUnavailable, match=f"{runtime} .* refused the .tflite"):
        Network((NETWORKS / "custom.tflite").read_bytes(), runtime)


def test_an_unknown_runtime_is_refused() -> None:
    """The error lists those of this machine."""
    with pytest.raises(
        ModelUnavailable, match=r"the interpreter onnx is not installed: this machine has ai-edge-litert"
    ):
        Network(LARGE, "onnx")


def test_without_any_runtime_the_error_says_which(monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody who installed none learns what to install."""
    monkeypatch.setattr(interpreter, "find_spec", lambda _: None)
    with pytest.raises(
        ModelUnavailable, match=r"no interpreter is installed: one of ai-edge-litert, tflite-runtime must be"
    ):
        Network(LARGE)


@pytest.mark.parametrize(
    ("inputs", "output", "dtype"),
    [
        ([[2, 4]], [1, 3], np.float32),
        ([[1, 4], [4]], [1, 3], np.float32),
        ([[]], [1, 3], np.float32),
        ([[1, 4]], [1, 3], np.uint8),
        ([[1, 4]], [1, 3, 1], np.float32),
        ([[1, 4]], [2, 3], np.float32),
    ],
)
def test_a_network_of_another_form_is_refused(
    monkeypatch: pytest.MonkeyPatch, inputs: list[list[int]], output: list[int], dtype: type[np.generic]
) -> None:
    """Inputs of one row, one float32 output of one row's logits: all else is no network of Weir's."""

    class Strange:
        def get_input_details(self) -> list[dict[str, object]]:
            return [{"shape": np.array(shape), "dtype": np.float32, "index": 0} for shape in inputs]

        def get_output_details(self) -> list[dict[str, object]]:
            return [{"shape": np.array(output), "dtype": dtype, "index": 1}]

    monkeypatch.setattr(interpreter, "load", lambda _content, _runtime: Strange())
    with pytest.raises(ModelUnavailable, match=r"a network has inputs \[1, …\] and one float32 output"):
        Network(LARGE)
