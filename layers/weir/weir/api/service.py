"""Answer the operations of one mount of the API with a registry of models, and count what was answered."""

import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from msgspec import Struct, field

from weir.api import descriptions
from weir.api.inference import Inference, RequestBody, ServedModel
from weir.api.model_statistics import RequestCounts
from weir.catalog.mounts import Mount
from weir.errors import Unavailable, WeirError
from weir.observability import logger, metrics
from weir.protocol import requests, rest_descriptions
from weir.protocol.compression import decompress
from weir.protocol.messages import IndexEntry, ModelConfig, ModelMetadata, Statistics
from weir.protocol.rest_descriptions import ModelNames, ModelStatus
from weir.runtime.registry import Registry

_MAX_INDEX_BYTES = 1 << 20


class Service(Struct, frozen=True):
    """One mount of the API."""

    registry: Registry
    mount: Mount
    counter: RequestCounts = field(default_factory=RequestCounts)

    def preload(self, models: Iterable[str]) -> None:
        """Load models while the function starts; one that fails is logged, and loaded again when it is requested."""
        for name in models:
            try:
                self.registry.model(name)[1].predictor(self.mount).preload()
            except Exception as error:  # noqa: BLE001 (whatever it is, the function starts and serves the others)
                logger().error(f"preloading the model {name} failed: {error}", exc_info=error)

    def infer(self, model: str, version: str, body: RequestBody) -> Inference:
        """Answer the rows of a request. Raises the errors of `weir.errors`."""
        return self._counted(model, version, lambda target: target.infer(body))

    def predict(self, model: str, version: str, body: RequestBody) -> Inference:
        """Answer a request of TensorFlow Serving's REST API. Raises as `infer` does."""
        return self._counted(model, version, lambda target: target.predict(body))

    def metadata(self, model: str, version: str = "") -> ModelMetadata:
        """Describe a model. Raises the errors of `weir.runtime.registry`."""
        number, loaded = self.registry.model(model, version)
        versions = [number] if version else self.registry.versions(model)
        return descriptions.metadata(loaded.manifest, versions, self.mount)

    def names(self) -> ModelNames:
        """List the models that have a version in the store. Raises `StoreUnavailable`."""
        return ModelNames(tuple(sorted({name for name, _ in self.registry.published()})))

    def status(self, model: str, version: str = "") -> ModelStatus:
        """Describe whether a model can answer, and its versions. Raises the errors of `weir.runtime.registry`."""
        ready = self.model_ready(model, version)
        served = [self.registry.model(model, version)[0]] if version or not ready else self.registry.versions(model)
        return rest_descriptions.status(model, served, ready=ready)

    def signature(self, model: str, version: str = "") -> Mapping[str, Any]:
        """Describe a model as TensorFlow Serving does. Raises the errors of `weir.runtime.registry`."""
        number, loaded = self.registry.model(model, version)
        described = descriptions.metadata(loaded.manifest, (), self.mount)
        outputs = [output for output in described.outputs if output.name == "probabilities"]
        return rest_descriptions.metadata(model, number, described.inputs, outputs)

    def config(self, model: str, version: str = "") -> ModelConfig:
        """Describe a model as Triton's configuration does. Raises the errors of `weir.runtime.registry`."""
        return descriptions.config(self.registry.model(model, version)[1].manifest, self.mount)

    def statistics(self, model: str, version: str = "") -> Statistics:
        """Return what this process has answered for a model. Raises the errors of `weir.runtime.registry`."""
        return Statistics((self.counter.of(model, self.registry.model(model, version)[0]),))

    def index(self, body: RequestBody) -> list[IndexEntry]:
        """List every version in the store; each is loaded when it is requested.

        Raises:
            BadInput: the body is neither empty nor a request for the index.
            StoreUnavailable: the store did not answer.
        """
        requests.decode_index(decompress(body.content, body.encoding, _MAX_INDEX_BYTES))
        return [IndexEntry(name=name, version=str(number)) for name, number in self.registry.published()]

    def ready(self) -> bool:
        """Check whether the store answers."""
        try:
            self.registry.store.check()
        except Unavailable as error:
            logger().error(f"the store is not ready: {error}", exc_info=error)
            return False
        return True

    def model_ready(self, model: str, version: str = "") -> bool:
        """Check whether a model can answer: the first level that runs loads. Raises `ModelNotFound`."""
        try:
            loaded = self.registry.model(model, version)[1]
            loaded.predictor(self.mount).preload(levels=1)
        except Unavailable as error:
            logger().error(f"the model {model} is not ready: {error}", exc_info=error)
            return False
        return True

    def _counted(self, model: str, version: str, answer: Callable[[ServedModel], Inference]) -> Inference:
        start = time.perf_counter_ns()
        number, loaded = self.registry.model(model, version)
        metrics.set_model(model, number)
        try:
            inference = answer(ServedModel(model, number, loaded, self.mount))
        except WeirError:
            self.counter.failed(model, number, taken_ns=time.perf_counter_ns() - start)
            raise
        compute_ns = int(1000 * sum(use.time_us for use in inference.uses))
        taken_ns = time.perf_counter_ns() - start
        self.counter.answered(model, number, rows=inference.rows, taken_ns=taken_ns, compute_ns=compute_ns)
        return inference
