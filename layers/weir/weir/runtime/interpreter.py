"""Run one `.tflite` file: the only file that names a TFLite runtime."""

from collections.abc import Sequence
from importlib import import_module
from importlib.util import find_spec
from typing import Any

import numpy as np
from numpy.typing import NDArray

from weir.errors import ModelUnavailable

DEPLOYED = "ai-edge-litert"
"""the distribution whose `Interpreter` functions run"""

RUNTIMES = (DEPLOYED, "tflite-runtime")
"""distributions that bring an `Interpreter`, the deployed one first"""

_IDENTIFIER = b"TFL3"


def installed() -> tuple[str, ...]:
    """List the runtimes of this machine, the deployed one first."""
    return tuple(runtime for runtime in RUNTIMES if find_spec(runtime.replace("-", "_")))


def version(runtime: str) -> str:
    """Return which version of a runtime is installed."""
    from importlib import metadata  # noqa: PLC0415 (25 ms of a cold start; only errors and training need a version)

    return metadata.version(runtime)


class Network:
    """One loaded network: rows in, float32 logits out, one thread.

    It is not thread-safe: a Lambda answers one request at a time.
    """

    def __init__(self, content: bytes, runtime: str | None = None, inputs: Sequence[str] = ()) -> None:
        """Load the bytes of a `.tflite` whose batch dimension is 1.

        Bytes that were cut or changed can crash the process, whatever the runtime: check their digest before.

        Args:
            content: of the file.
            runtime: the interpreter; default the first installed.
            inputs: names of the model's inputs, of which the network may read some.

        Raises:
            ModelUnavailable: no such runtime, or it refuses the bytes, or the network does not map rows to logits.
        """
        self.runtime = runtime or _first_installed()
        self._interpreter = load(content, self.runtime)
        details, outputs = self._interpreter.get_input_details(), self._interpreter.get_output_details()
        shapes = [_shape(tensor) for tensor in (*details, *outputs)]
        servable = len(outputs) == 1 and outputs[0]["dtype"] is np.float32 and len(shapes[-1]) == 2  # noqa: PLR2004
        if not servable or any(shape[:1] != (1,) for shape in shapes):
            form = "a network has inputs [1, …] and one float32 output [1, labels]"
            raise ModelUnavailable("the .tflite can't be served", f"{form}, and this one has {shapes}")
        ordered = _by_name(details, inputs)
        self.inputs: tuple[tuple[tuple[int, ...], np.dtype[Any]], ...] = tuple(
            (_shape(tensor)[1:], np.dtype(tensor["dtype"])) for tensor in ordered.values()
        )
        """sizes of one row, without the batch dimension, and datatype of each input"""
        self.names = tuple(ordered)
        """of the inputs that it reads; a network may read some of a model's"""
        self.labels: int = shapes[-1][1]
        self._indices = [tensor["index"] for tensor in ordered.values()]
        self._output = outputs[0]["index"]

    def logits(self, rows: NDArray[Any]) -> NDArray[np.float32]:
        """Map rows `(n, …)` to logits `(n, labels)`; rows of several inputs are `(n,)` with a field for each.

        One call a row: a batch in one call gains nothing for convolutions, and resizing rebuilds the delegate. Raises
        `ModelUnavailable` when the interpreter fails.
        """
        out = np.empty((len(rows), self.labels), np.float32)
        interpreter = self._interpreter
        columns = [(self._indices[0], rows)] if rows.dtype.names is None else self._columns(rows)
        for i in range(len(rows)):
            for index, column in columns:
                interpreter.set_tensor(index, column[i : i + 1])
            self._invoke()
            out[i] = interpreter.get_tensor(self._output)[0]
        return out

    def _invoke(self) -> None:
        try:
            self._interpreter.invoke()
        except (ValueError, RuntimeError) as exc:
            raise ModelUnavailable(f"{self.runtime} can't run the .tflite", exc) from exc

    def _columns(self, rows: NDArray[Any]) -> list[tuple[int, NDArray[Any]]]:
        return [(index, _decoded(rows[name])) for index, name in zip(self._indices, self.names, strict=True)]


def _decoded(column: NDArray[Any]) -> NDArray[Any]:
    """Decode what was left for when a network reads it (`weir.inputs.picture.PictureFile`)."""
    if column.dtype != object:
        return column
    return np.concatenate([one.row for one in column]) if len(column) else column


def _shape(tensor: dict[str, Any]) -> tuple[int, ...]:
    return tuple(int(size) for size in tensor["shape"])


def _by_name(details: list[dict[str, Any]], inputs: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Name a network's inputs, in the order of the model's; the converter calls the input `a` `serving_default_a:0`.

    The only input of a network has any name in the artifact where the model has one input, too.
    """
    if len(details) == 1 and len(inputs) <= 1:
        return dict.fromkeys(inputs or ("",), details[0])
    by_name = {tensor["name"].removeprefix("serving_default_").removesuffix(":0"): tensor for tensor in details}
    if not by_name.keys() <= set(inputs):
        names = ", ".join(sorted(by_name))
        raise ModelUnavailable("the .tflite can't be served", f"its inputs are {names}, not {', '.join(inputs)}")
    return {name: by_name[name] for name in inputs if name in by_name}


def _first_installed() -> str:
    runtimes = installed()
    if not runtimes:
        raise ModelUnavailable("no interpreter is installed", f"one of {', '.join(RUNTIMES)} must be")
    return runtimes[0]


def load(content: bytes, runtime: str) -> Any:  # noqa: ANN401 (the runtimes have no types)
    """Load a `.tflite` into an interpreter of a runtime, on one thread. Raises `ModelUnavailable`."""
    if runtime not in installed():
        have = ", ".join(installed()) or "none"
        raise ModelUnavailable(f"the interpreter {runtime} is not installed", f"this machine has {have}")
    if content[4:8] != _IDENTIFIER:
        start = repr(content[:8])
        raise ModelUnavailable("the .tflite can't be read", f"its bytes 4 to 7 are not TFL3; it begins with {start}")
    module = import_module(runtime.replace("-", "_") + ".interpreter")
    try:
        interpreter = module.Interpreter(model_content=content, num_threads=1)
        interpreter.allocate_tensors()
    except (ValueError, RuntimeError) as exc:
        raise ModelUnavailable(f"{runtime} {version(runtime)} refused the .tflite", exc) from exc
    return interpreter
