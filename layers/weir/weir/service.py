"""Between HTTP and models: takes bytes and names, gives bytes and what to count."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec
import numpy as np

from weir import __version__
from weir.cascade import Answers, paths
from weir.errors import BadTensor, Unavailable
from weir.manifest import Manifest
from weir.model import OVERFLOW, LevelUse
from weir.protocol import InferResponse, OutputTensor, decode_request, encode_response, rows, wanted
from weir.registry import Registry
from weir.store import Store


@dataclass(frozen=True)
class Inference:
    """The answer to one inference request."""

    body: bytes
    model: str
    version: int
    rows: int
    uses: list[LevelUse]


class TensorMetadata(msgspec.Struct, frozen=True, kw_only=True):
    """Name, datatype and shape of an input or output."""

    name: str
    datatype: str
    shape: tuple[int, ...]


class ModelMetadata(msgspec.Struct, frozen=True, kw_only=True):
    """What the protocol tells of a model, and below `parameters` what Weir adds."""

    name: str
    versions: tuple[str, ...]
    platform: str = "weir_tflite"
    inputs: tuple[TensorMetadata, ...]
    outputs: tuple[TensorMetadata, ...]
    parameters: dict[str, object]


@dataclass(frozen=True)
class Service:
    """One mount of the API: the end-to-end model, or with `cascade` the levels."""

    registry: Registry
    cascade: bool

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
            registry.model(name.strip())[1].preload(cascade=cascade)
        return cls(registry, cascade)

    def infer(self, model: str, version: str, body: bytes) -> Inference:
        """Answer the rows of a request. Raises the errors of `weir.registry`, `weir.protocol` and `weir.model`."""
        number, loaded = self.registry.model(model, version)
        request = decode_request(body)
        names = wanted(request, tuple(_outputs(loaded.manifest, cascade=self.cascade)))
        batch = rows(request, loaded.manifest.inputs[0])
        answers, uses = loaded.answer(batch, cascade=self.cascade, traced="path" in names)
        if not np.isfinite(answers.confidence).all():
            raise BadTensor(OVERFLOW, f"row {int(np.argmin(np.isfinite(answers.confidence)))}")
        outputs = [_tensor(name, answers, loaded.manifest) for name in names]
        response = InferResponse(model_name=model, model_version=str(number), outputs=outputs, id=request.id)
        return Inference(encode_response(response), model, number, len(batch), uses)

    def metadata(self, model: str, version: str = "") -> ModelMetadata:
        """Describe a model. Raises the errors of `weir.registry`."""
        number, loaded = self.registry.model(model, version)
        manifest = loaded.manifest
        return ModelMetadata(
            name=model,
            versions=(str(number),),
            inputs=tuple(TensorMetadata(name=i.name, datatype=i.datatype, shape=i.shape) for i in manifest.inputs),
            outputs=tuple(_outputs(manifest, cascade=self.cascade).values()),
            parameters=_described(manifest, cascade=self.cascade),
        )

    def ready(self) -> bool:
        """Tell whether the store answers."""
        try:
            self.registry.store.check()
        except Unavailable:
            return False
        return True

    def model_ready(self, model: str, version: str = "") -> bool:
        """Tell whether a model can answer: its first network loads. Raises `BadName` and `ModelNotFound`."""
        try:
            loaded = self.registry.model(model, version)[1]
            first = loaded.manifest.levels[0] if self.cascade else loaded.manifest.end_to_end
            loaded.network(first.artifact)
        except Unavailable:
            return False
        return True


def server_metadata() -> dict[str, object]:
    """Describe this server, as the protocol asks."""
    return {"name": "weir", "version": __version__, "extensions": []}


def _described(manifest: Manifest, *, cascade: bool) -> dict[str, object]:
    told: dict[str, object] = {"labels": manifest.labels, "input_meaning": manifest.inputs[0].meaning}
    if cascade:
        told["levels"] = [
            {"name": level.name, "threshold": level.threshold, "metrics": level.metrics} for level in manifest.levels
        ]
        told["certificate"] = manifest.certificate or manifest.certificate_absent_because
    else:
        told["metrics"] = manifest.end_to_end.metrics
    return told


def _outputs(manifest: Manifest, *, cascade: bool) -> dict[str, TensorMetadata]:
    found = [
        TensorMetadata(name="probabilities", datatype="FP32", shape=(-1, len(manifest.labels))),
        TensorMetadata(name="label", datatype="BYTES", shape=(-1,)),
    ]
    if cascade:
        found.append(TensorMetadata(name="exit_level", datatype="INT32", shape=(-1,)))
        found.append(TensorMetadata(name="confidence", datatype="FP32", shape=(-1,)))
        found.append(TensorMetadata(name="path", datatype="BYTES", shape=(-1,)))
    return {tensor.name: tensor for tensor in found}


def _tensor(name: str, answers: Answers, manifest: Manifest) -> OutputTensor:
    values = _VALUES[name](answers, manifest)
    spec = _outputs(manifest, cascade=True)[name]
    return OutputTensor(name=name, shape=[len(answers.label), *spec.shape[1:]], datatype=spec.datatype, data=values)


def _paths(answers: Answers, manifest: Manifest) -> list[str]:
    assert answers.trace is not None, "whoever wants paths runs the cascade traced"
    levels = manifest.levels
    return paths(answers.trace, answers.exit_level, [v.name for v in levels], [v.threshold for v in levels])


_VALUES: dict[str, Callable[[Answers, Manifest], list[Any]]] = {
    "probabilities": lambda answers, _: answers.probabilities.ravel().tolist(),
    "label": lambda answers, manifest: [manifest.labels[i] for i in answers.label.tolist()],
    "exit_level": lambda answers, _: answers.exit_level.tolist(),
    "confidence": lambda answers, _: answers.confidence.tolist(),
    "path": _paths,
}
