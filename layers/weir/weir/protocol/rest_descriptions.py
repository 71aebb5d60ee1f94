"""The V1 answers about models: one document for KServe's clients and for those of TensorFlow Serving.

https://www.tensorflow.org/tfx/serving/api_rest and
https://kserve.github.io/website/docs/concepts/architecture/data-plane/v1-protocol
"""

from collections.abc import Mapping, Sequence
from typing import Any

from msgspec import Struct

from weir.catalog.inputs import TensorMetadata

SIGNATURE = "serving_default"
"""the one signature of every model"""

_DTYPES = {"BOOL": "DT_BOOL", "FP16": "DT_HALF", "FP32": "DT_FLOAT", "FP64": "DT_DOUBLE", "BYTES": "DT_STRING"}
"""datatype of the protocol -> TensorFlow's; those of whole numbers have the same name"""


class Alive(Struct, frozen=True):
    """The answer to `GET /`: the server runs."""

    status: str = "alive"


class ModelNames(Struct, frozen=True):
    """The answer to `GET /v1/models`, as KServe's."""

    models: tuple[str, ...]


class StatusError(Struct, frozen=True):
    """Whether a version can be used, in the words of gRPC."""

    error_code: str = "OK"
    error_message: str = ""


class VersionStatus(Struct, frozen=True):
    """The state of one version, as TensorFlow Serving's."""

    version: str
    state: str = "AVAILABLE"
    status: StatusError = StatusError()


class ModelStatus(Struct, frozen=True):
    """The answer to `GET /v1/models/{model}`: `name` and `ready` are KServe's, the rest is TensorFlow Serving's."""

    name: str
    ready: bool
    model_version_status: tuple[VersionStatus, ...]


def status(model: str, versions: Sequence[int], *, ready: bool) -> ModelStatus:
    """Describe the versions of a model that are served; when it is not ready, the one that cannot be used."""
    if ready:
        return ModelStatus(model, ready, tuple(VersionStatus(str(number)) for number in versions))
    error = StatusError("UNAVAILABLE", "its first network cannot be loaded; trying again may work")
    return ModelStatus(model, ready, tuple(VersionStatus(str(number), "END", error) for number in versions))


def metadata(
    model: str, version: int, inputs: Sequence[TensorMetadata], outputs: Sequence[TensorMetadata]
) -> Mapping[str, Any]:
    """Describe the inputs and outputs of `:predict` as a SavedModel's signature, as TensorFlow Serving does."""
    signature = {
        "inputs": {tensor.name: _tensor(tensor) for tensor in inputs},
        "outputs": {tensor.name: _tensor(tensor) for tensor in outputs},
        "method_name": "tensorflow/serving/predict",
    }
    return {
        "model_spec": {"name": model, "signature_name": "", "version": str(version)},
        "metadata": {"signature_def": {"signature_def": {SIGNATURE: signature}}},
    }


def _tensor(tensor: TensorMetadata) -> Mapping[str, Any]:
    sizes = [{"size": str(size), "name": ""} for size in tensor.shape]
    return {
        "dtype": _DTYPES.get(tensor.datatype) or f"DT_{tensor.datatype}",
        "tensor_shape": {"dim": sizes, "unknown_rank": False},
        "name": tensor.name,
    }
