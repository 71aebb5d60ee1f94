"""weir.interpreter, with every TFLite runtime of this Python."""

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.serving import NETWORKS
from weir import interpreter
from weir.errors import ModelUnavailable
from weir.interpreter import Network

LARGE = (NETWORKS / "large.tflite").read_bytes()


def test_logits_are_those_of_the_formula(runtime: str, pictures: NDArray[np.float32]) -> None:
    """The linear network gives, row by row, the brightness of each third times its scale."""
    weights = np.tile(np.array([[1, 0, 0], [0.5, 0.5, 0], [0, 0.5, 0.5], [0, 0, 1]]) * 0.05, (4, 1))
    expected = pictures.reshape(4, 16) @ weights
    np.testing.assert_allclose(Network(LARGE, runtime).logits(pictures), expected, rtol=1e-3)


def test_shapes_are_known(runtime: str) -> None:
    """A network tells the shape of a row and its number of labels."""
    network = Network(LARGE, runtime)
    assert (network.input_shape, network.labels) == ((4, 4), 3)


def test_no_rows_give_no_logits(runtime: str) -> None:
    """An empty batch is no special case."""
    assert Network(LARGE, runtime).logits(np.zeros((0, 4, 4), np.float32)).shape == (0, 3)


@pytest.mark.parametrize("content", [b"", b"not a network", b"\x00" * 500])
def test_bytes_of_something_else_are_refused(runtime: str, content: bytes) -> None:
    """They never reach the runtime, which can crash the process."""
    with pytest.raises(ModelUnavailable, match="TFL3"):
        Network(content, runtime)


def test_what_the_runtime_raises_does_not_escape(runtime: str) -> None:
    """A network that the runtime refuses is a model that is unavailable."""
    with pytest.raises(ModelUnavailable, match=f"{runtime} .* takes this .tflite"):
        Network((NETWORKS / "custom.tflite").read_bytes(), runtime)


def test_an_unknown_runtime_is_refused() -> None:
    """The error lists those of this machine."""
    with pytest.raises(ModelUnavailable, match=r"ai-edge-litert.*Got: onnx"):
        Network(LARGE, "onnx")


def test_without_any_runtime_the_error_says_which(monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody who installed none learns what to install."""
    monkeypatch.setattr(interpreter, "find_spec", lambda _: None)
    with pytest.raises(ModelUnavailable, match=r"one of ai-edge-litert, tflite-runtime must be installed"):
        Network(LARGE)


def test_a_network_of_another_form_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """One float32 input of one row, one float32 output of logits: all else is no network of Weir's."""

    class Strange:
        def get_input_details(self) -> list[dict[str, object]]:
            return [{"shape": np.array([2, 4]), "dtype": np.float32, "index": 0}]

        def get_output_details(self) -> list[dict[str, object]]:
            return [{"shape": np.array([1, 3]), "dtype": np.uint8, "index": 1}]

    monkeypatch.setattr(interpreter, "_load", lambda _content, _runtime: Strange())
    with pytest.raises(ModelUnavailable, match="a network has one float32 input"):
        Network(LARGE)
