"""Outputs -> the body of an answer."""

from collections.abc import Sequence
from typing import Any

import msgspec
import numpy as np
from msgspec import UNSET, Struct
from msgspec.structs import replace
from numpy.typing import NDArray

from weir.catalog.inputs import TensorMetadata
from weir.protocol.datatypes import to_bytes
from weir.protocol.messages import InferResponse, OutputTensor

Values = NDArray[Any] | list[str]


class Output(Struct, frozen=True):
    """One output of an answer: its description, and its values `(rows, …)`."""

    name: str
    datatype: str
    shape: list[int]
    values: Values
    binary: bool = False
    """whether its values go behind the JSON"""

    @classmethod
    def of(cls, spec: TensorMetadata, values: Values) -> "Output":
        """Make an output of a model from its values."""
        return cls(spec.name, spec.datatype, [len(values), *spec.shape[1:]], values)

    def sent_binary(self) -> "Output":
        """Return the same output with its values behind the JSON."""
        return replace(self, binary=True)


def classified(output: Output, labels: Sequence[str], count: int) -> Output:
    """Replace probabilities by the `count` best labels of each row as texts `value:index:label`; ties go by index.

    https://github.com/triton-inference-server/server/blob/main/docs/protocol/extension_classification.md
    """
    probabilities = np.asarray(output.values)
    best = np.argsort(-probabilities, axis=1, kind="stable")[:, :count]
    texts = [
        f"{row[index]:f}:{index}:{labels[index]}"
        for row, indices in zip(probabilities.tolist(), best.tolist(), strict=True)
        for index in indices
    ]
    return replace(output, datatype="BYTES", shape=list(best.shape), values=texts)


def encode(model: str, version: str, outputs: Sequence[Output], request_id: str | None) -> tuple[bytes, int | None]:
    """Write an answer: its bytes, and the length of the JSON when tensors stand behind it; None is no id."""
    behind = [to_bytes(output.values) if output.binary else None for output in outputs]
    tensors = [_tensor(output, data) for output, data in zip(outputs, behind, strict=True)]
    own_id = UNSET if request_id is None else request_id
    message = InferResponse(model_name=model, model_version=version, outputs=tensors, id=own_id)
    head = msgspec.json.encode(message)
    binary = [data for data in behind if data is not None]
    return (head + b"".join(binary), len(head)) if binary else (head, None)


def _tensor(output: Output, binary: bytes | None) -> OutputTensor:
    values = output.values
    return OutputTensor(
        name=output.name,
        shape=output.shape,
        datatype=output.datatype,
        data=UNSET if binary is not None else values.ravel().tolist() if isinstance(values, np.ndarray) else values,
        parameters=UNSET if binary is None else {"binary_data_size": len(binary)},
    )
