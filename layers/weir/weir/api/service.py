"""Between HTTP and models: takes bytes and names, gives bytes and what to count."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from weir.api import descriptions
from weir.api.inference import Call, Inference, Target
from weir.api.model_statistics import Counter
from weir.catalog.store import Store
from weir.errors import Unavailable, WeirError
from weir.protocol import requests
from weir.protocol.compression import decompress
from weir.protocol.messages import IndexEntry, ModelConfig, ModelMetadata, Statistics
from weir.runtime.registry import Registry

_MOST_INDEX_BYTES = 65_536


@dataclass(frozen=True)
class Service:
    """One mount of the API: the end-to-end model, or with `cascade` the levels."""

    registry: Registry
    cascade: bool
    counter: Counter = field(default_factory=Counter)

    @classmethod
    def from_environment(cls, environment: Mapping[str, str], *, cascade: bool) -> "Service":
        """Build the service a function's variables describe; reads no store unless MODELS_PRELOAD names models."""
        store = Store(environment["MODEL_STORE"], endpoint=environment.get("MODEL_STORE_ENDPOINT", ""))
        registry = Registry(
            store,
            alias=environment.get("MODEL_ALIAS") or "champion",
            refresh_s=float(environment.get("MODEL_REFRESH_S") or 60),
        )
        for name in filter(None, environment.get("MODELS_PRELOAD", "").split(",")):
            loaded = registry.model(name.strip())[1]
            (loaded.cascade if cascade else loaded.end_to_end).preload()
        return cls(registry, cascade)

    def infer(self, model: str, version: str, call: Call) -> Inference:
        """Answer the rows of a request. Raises the errors of `weir.errors`."""
        return self._counted(model, version, lambda target: target.infer(call))

    def predict(self, model: str, version: str, call: Call) -> Inference:
        """Answer a request of TensorFlow Serving's REST API. Raises as `infer` does."""
        return self._counted(model, version, lambda target: target.predict(call))

    def metadata(self, model: str, version: str = "") -> ModelMetadata:
        """Describe a model. Raises the errors of `weir.runtime.registry`."""
        number, loaded = self.registry.model(model, version)
        versions = [number] if version else self.registry.versions(model)
        return descriptions.metadata(loaded.manifest, versions, cascade=self.cascade)

    def config(self, model: str, version: str = "") -> ModelConfig:
        """Describe a model in the words of Triton's configuration. Raises the errors of `weir.runtime.registry`."""
        return descriptions.config(self.registry.model(model, version)[1].manifest, cascade=self.cascade)

    def statistics(self, model: str, version: str = "") -> Statistics:
        """Tell what this process has done for a model. Raises the errors of `weir.runtime.registry`."""
        return Statistics((self.counter.of(model, self.registry.model(model, version)[0]),))

    def index(self, call: Call) -> list[IndexEntry]:
        """List every version in the store: each is answered when it is asked.

        Raises:
            BadInput: the body is neither empty nor a request of the index.
            StoreUnavailable: the store did not answer.
        """
        requests.decode_index(decompress(call.content, call.encoding, _MOST_INDEX_BYTES))
        return [IndexEntry(name=name, version=str(number)) for name, number in self.registry.published()]

    def ready(self) -> bool:
        """Tell whether the store answers."""
        try:
            self.registry.store.check()
        except Unavailable:
            return False
        return True

    def model_ready(self, model: str, version: str = "") -> bool:
        """Tell whether a model can answer: its first level loads. Raises `BadName` and `ModelNotFound`."""
        try:
            loaded = self.registry.model(model, version)[1]
            (loaded.cascade if self.cascade else loaded.end_to_end).preload(levels=1)
        except Unavailable:
            return False
        return True

    def _counted(self, model: str, version: str, answer: Callable[[Target], Inference]) -> Inference:
        start = time.perf_counter_ns()
        number, loaded = self.registry.model(model, version)
        try:
            inference = answer(Target(model, number, loaded, self.cascade))
        except WeirError:
            self.counter.refused(model, number, taken_ns=time.perf_counter_ns() - start)
            raise
        compute_ns = int(1000 * sum(use.time_us for use in inference.uses))
        taken_ns = time.perf_counter_ns() - start
        self.counter.answered(model, number, rows=inference.rows, taken_ns=taken_ns, compute_ns=compute_ns)
        return inference
