"""Run one `.tflite` file: the only file that names a TFLite runtime."""

from importlib import import_module, metadata
from importlib.util import find_spec
from typing import Any

import numpy as np
from numpy.typing import NDArray

from weir.errors import ModelUnavailable

RUNTIMES = ("ai-edge-litert", "tflite-runtime")
"""distributions that bring an `Interpreter`; the first is the one that is deployed"""

_IDENTIFIER = b"TFL3"


def installed() -> tuple[str, ...]:
    """List the runtimes of this machine, the deployed one first."""
    return tuple(runtime for runtime in RUNTIMES if find_spec(runtime.replace("-", "_")))


def version(runtime: str) -> str:
    """Tell which version of a runtime is installed."""
    return metadata.version(runtime)


class Network:
    """One loaded network: float32 rows in, float32 logits out, one thread.

    It is not thread-safe: a Lambda answers one request at a time.
    """

    def __init__(self, content: bytes, runtime: str | None = None) -> None:
        """Load the bytes of a `.tflite` whose batch dimension is 1.

        Bytes that were cut or changed can crash the process, whatever the runtime: check their digest before.

        Raises:
            ModelUnavailable: no such runtime, or it refuses the bytes, or they are no rows -> logits network.
        """
        self.runtime = runtime or _first_installed()
        self._interpreter = _load(content, self.runtime)
        inputs, outputs = self._interpreter.get_input_details(), self._interpreter.get_output_details()
        shapes = [tuple(int(size) for size in tensor["shape"]) for tensor in (*inputs, *outputs)]
        floats = all(tensor["dtype"] is np.float32 for tensor in (*inputs, *outputs))
        if len(shapes) != 2 or not floats or shapes[0][0] != 1 or len(shapes[1]) != 2:  # noqa: PLR2004 (one in, one out)
            raise ModelUnavailable("a network has one float32 input [1, …] and one float32 output [1, labels]", shapes)
        self.input_shape: tuple[int, ...] = shapes[0][1:]
        """sizes of one row, without the batch dimension"""
        self.labels: int = shapes[1][1]
        self._input, self._output = inputs[0]["index"], outputs[0]["index"]

    def logits(self, rows: NDArray[np.float32]) -> NDArray[np.float32]:
        """Map rows `(n, *input_shape)` to logits `(n, labels)`.

        One call a row: a batch in one call gains nothing for convolutions, and resizing rebuilds the delegate.
        """
        out = np.empty((len(rows), self.labels), np.float32)
        interpreter = self._interpreter
        for i in range(len(rows)):
            interpreter.set_tensor(self._input, rows[i : i + 1])
            interpreter.invoke()
            out[i] = interpreter.get_tensor(self._output)[0]
        return out


def _first_installed() -> str:
    found = installed()
    if not found:
        raise ModelUnavailable(f"one of {', '.join(RUNTIMES)} must be installed", "none")
    return found[0]


def _load(content: bytes, runtime: str) -> Any:  # noqa: ANN401 (the runtimes have no types)
    if runtime not in installed():
        raise ModelUnavailable(f"interpreters of this machine are {', '.join(installed()) or 'none'}", runtime)
    if content[4:8] != _IDENTIFIER:
        raise ModelUnavailable("a .tflite has TFL3 in its bytes 4 to 7", content[:8])
    module = import_module(runtime.replace("-", "_") + ".interpreter")
    try:
        interpreter = module.Interpreter(model_content=content, num_threads=1)
        interpreter.allocate_tensors()
    except (ValueError, RuntimeError) as exc:
        raise ModelUnavailable(f"{runtime} {version(runtime)} takes this .tflite", exc) from exc
    return interpreter
