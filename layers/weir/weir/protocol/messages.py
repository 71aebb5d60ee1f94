"""The messages of the Open Inference Protocol as types: they decode requests, and `/openapi.json` is made of them.

https://github.com/kserve/open-inference-protocol, with Triton's extensions `binary_tensor_data`, `classification`,
`model_configuration`, `model_repository` and `statistics`.
"""

from typing import Annotated, Any, Literal

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType, field

from weir.catalog.inputs import TensorMetadata
from weir.protocol.raw_json import is_null

Parameters = dict[str, Any]

_DATA = Meta(
    description="The values, row-major at any nesting; only their count must match the shape.",
    extra_json_schema={"type": "array", "items": {}},
)
_SIZE = Meta(ge=0, description="Bytes of this tensor behind the JSON; instead of data.")
_CONTENT_TYPE = Meta(
    description="MLServer's name of a codec; what the model reads decides which of np, pd, str and base64 are taken."
)
ContentType = Annotated[str | None, _CONTENT_TYPE]
_SHAPE = Meta(description="Rows first, 1 to 1,024.")
_SHARED_MEMORY = Meta(description="Triton's shared memory is refused: the values travel in the request.")
_REFUSED = Meta(description="Triton's; refused unless it is 0, because it cannot be honoured.")


class InputParameters(Struct, frozen=True, kw_only=True):
    """Parameters of an input; null means absent, and those that are not known are ignored."""

    binary_data_size: Annotated[int, _SIZE] | None = None
    content_type: ContentType = None
    shared_memory_region: Annotated[None, _SHARED_MEMORY] = None


class InputTensor(Struct, kw_only=True):
    """One input of a request, with its values in `data` or behind the JSON."""

    name: str
    shape: Annotated[list[int], _SHAPE]
    datatype: str
    data: Annotated[msgspec.Raw, _DATA] | UnsetType = UNSET
    parameters: InputParameters | None = None

    @property
    def binary_data_size(self) -> int | None:
        """Size of its values behind the JSON, when they stand there."""
        return self.parameters.binary_data_size if self.parameters else None

    @property
    def values(self) -> msgspec.Raw | None:
        """Its values in the JSON, when they stand there; null means that they do not."""
        return None if self.data is UNSET or is_null(self.data) else self.data


class OutputParameters(Struct, frozen=True, kw_only=True):
    """Parameters of a requested output; null means absent, and those that are not known are ignored."""

    binary_data: Annotated[bool, Meta(description="Send its values behind the JSON.")] | None = None
    classification: (
        Annotated[
            int,
            Meta(
                ge=1, description="Of probabilities: so many labels, the most probable first, as `value:index:label`."
            ),
        ]
        | None
    ) = None
    content_type: ContentType = None
    shared_memory_region: Annotated[None, _SHARED_MEMORY] = None


class RequestedOutput(Struct, kw_only=True):
    """One output that the caller requests."""

    name: str
    parameters: OutputParameters | None = None

    @property
    def classification(self) -> int | None:
        """How many of the most probable labels are requested, when not all probabilities are."""
        return self.parameters.classification if self.parameters else None

    @property
    def binary_data(self) -> bool | None:
        """Whether its values go behind the JSON, when the caller decides it for this output."""
        return self.parameters.binary_data if self.parameters else None


class RequestParameters(Struct, frozen=True, kw_only=True):
    """Parameters of a request; null means absent, and those that are not known are ignored."""

    binary_data_output: Annotated[bool, Meta(description="Send the values of outputs behind the JSON.")] | None = None
    alpha: Annotated[float, Meta(description="Which prediction sets the output `set` has.")] | None = None
    per_label: Annotated[bool, Meta(description="Sets that hold for each label by itself.")] | None = None
    content_type: ContentType = None
    sequence_id: Annotated[Literal[0, ""] | None, _REFUSED] = None
    priority: Annotated[Literal[0] | None, _REFUSED] = None
    timeout: Annotated[Literal[0] | None, _REFUSED] = None


_DEFAULTS = RequestParameters()


class InferRequest(Struct, kw_only=True):
    """The body of `POST …/infer`; null means absent."""

    inputs: list[InputTensor]
    outputs: Annotated[list[RequestedOutput] | None, Meta(description="All of the model's when there are none.")] = None
    id: str | None = None
    parameters: RequestParameters | None = None

    @property
    def settings(self) -> RequestParameters:
        """Its parameters, or the defaults."""
        return self.parameters or _DEFAULTS


class OutputTensor(Struct, kw_only=True):
    """One output of an answer, its values flat and row-major in `data` or behind the JSON."""

    name: str
    shape: list[int]
    datatype: str
    data: list[Any] | UnsetType = UNSET
    parameters: Parameters | UnsetType = UNSET


class InferResponse(Struct, kw_only=True, omit_defaults=True):
    """The answer to `POST …/infer`."""

    model_name: str
    model_version: str
    outputs: list[OutputTensor]
    id: str | UnsetType = UNSET
    """the request's own, when it has one"""


class ErrorMessage(Struct, frozen=True):
    """An error: the rule, then what came."""

    error: str


class ServerMetadata(Struct, frozen=True, kw_only=True):
    """Name and version of the server, and the extensions that it implements."""

    name: str
    version: str
    extensions: tuple[str, ...]


class Live(Struct, frozen=True):
    """Whether the server runs."""

    live: bool


class Ready(Struct, frozen=True):
    """Whether the store answers."""

    ready: bool


class ModelReady(Struct, frozen=True):
    """Whether the model's first network loads."""

    name: str
    ready: bool


class ModelMetadata(Struct, frozen=True, kw_only=True):
    """The protocol's description of a model; `parameters` holds what Weir adds."""

    name: str
    versions: tuple[str, ...]
    platform: str = "weir_tflite"
    inputs: tuple[TensorMetadata, ...]
    outputs: tuple[TensorMetadata, ...]
    parameters: Parameters


class Reshape(Struct, frozen=True):
    """The shape of one row of a tensor, where it differs from `dims`."""

    shape: tuple[int, ...] = ()


class TensorConfig(Struct, frozen=True, kw_only=True):
    """One tensor in a model's configuration; `dims` leaves the rows out, and is never empty."""

    name: str
    data_type: str
    dims: tuple[int, ...]
    reshape: Reshape | UnsetType = UNSET
    """where a row is one value without a dimension"""


class VersionPolicy(Struct, frozen=True, kw_only=True):
    """Which versions answer: all."""

    all: dict[str, str] = {}


class ModelConfig(Struct, frozen=True, kw_only=True):
    """A model's configuration, with the fields of Triton's that apply."""

    name: str
    platform: str = "weir_tflite"
    backend: str = "tflite"
    version_policy: VersionPolicy = VersionPolicy()
    max_batch_size: int
    input: tuple[TensorConfig, ...]
    output: tuple[TensorConfig, ...]


class Duration(Struct, kw_only=True):
    """A count of events, and the time that they took together."""

    count: int = 0
    ns: int = 0


class InferStatistics(Struct, kw_only=True):
    """Requests that were answered and that failed, and the time in the networks alone.

    The others are Triton's, and stay 0: Weir has no queue and no cache, and measures its inputs and outputs only as a
    part of `success`.
    """

    success: Duration
    fail: Duration
    queue: Duration = field(default_factory=Duration)
    compute_input: Duration = field(default_factory=Duration)
    compute_infer: Duration
    compute_output: Duration = field(default_factory=Duration)
    cache_hit: Duration = field(default_factory=Duration)
    cache_miss: Duration = field(default_factory=Duration)


class ModelStatistics(Struct, kw_only=True):
    """What one process has answered for one version since it started."""

    name: str
    version: str
    last_inference: int = 0
    """milliseconds since 1970"""
    inference_count: int = 0
    """rows answered"""
    execution_count: int = 0
    """requests answered"""
    inference_stats: InferStatistics
    response_stats: dict[str, Any] = {}
    """empty: a request has one response"""
    batch_stats: tuple[()] = ()
    """empty: requests are not batched together"""
    memory_usage: tuple[()] = ()
    """empty: it is not measured"""
    parameters: Parameters


class Statistics(Struct, frozen=True):
    """The answer to `…/stats`."""

    model_stats: tuple[ModelStatistics, ...]


class IndexRequest(Struct, kw_only=True):
    """The body of `POST …/repository/index`; it may be empty."""

    ready: bool | None = False


class IndexEntry(Struct, frozen=True, kw_only=True):
    """One version of one model in the store."""

    name: str
    version: str
    state: str = "READY"
    reason: str = ""
