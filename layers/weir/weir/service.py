"""Between HTTP and models: takes bytes and names, gives bytes and what to count."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec
import numpy as np

from weir import __version__
from weir.abstention import groups_given, labels_given
from weir.cascade import Answers, needed
from weir.errors import BadTensor, Unavailable
from weir.manifest import Manifest
from weir.model import OVERFLOW, LevelUse
from weir.paths import Signs, paths
from weir.promises import Quantile
from weir.protocol import (
    InferResponse,
    OutputTensor,
    decode_request,
    encode_response,
    rows,
    set_parameters,
    wanted,
)
from weir.registry import Registry
from weir.sets import sets
from weir.store import Store


@dataclass(frozen=True)
class Inference:
    """The answer to one inference request."""

    body: bytes
    model: str
    version: int
    rows: int
    uses: list[LevelUse]
    escalations: int
    """how often a row went on to a further level"""


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
        manifest = loaded.manifest
        known = _outputs(manifest, cascade=self.cascade)
        names = wanted(request, tuple(known))
        limits = set_parameters(request, manifest.sets) if manifest.sets and "set" in names else None
        batch = rows(request, manifest.inputs[0])
        answers, uses = loaded.answer(
            batch, cascade=self.cascade, traced="path" in names, whole=not _WHOLE.isdisjoint(names)
        )
        if not np.isfinite(answers.confidence).all():
            raise BadTensor(OVERFLOW, f"row {int(np.argmin(np.isfinite(answers.confidence)))}")
        told = _Told(answers, manifest, limits)
        outputs = [_tensor(known[name], told) for name in names]
        response = InferResponse(model_name=model, model_version=str(number), outputs=outputs, id=request.id)
        escalations = _escalations(answers, manifest) if self.cascade else 0
        return Inference(encode_response(response), model, number, len(batch), uses, escalations)

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
        """Tell whether a model can answer: its first level loads. Raises `BadName` and `ModelNotFound`."""
        try:
            loaded = self.registry.model(model, version)[1]
            loaded.preload(cascade=self.cascade, levels=1)
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
            {
                "name": level.name,
                "kind": level.kind,
                "fusion": level.fusion,
                "threshold": level.threshold,
                "metrics": level.metrics,
            }
            for level in manifest.levels
        ]
        told["certificate"] = manifest.certificate or manifest.certificate_absent_because
        optional = {"groups": manifest.groups, "abstention": manifest.abstention, "sets": manifest.sets}
        told.update({name: value for name, value in optional.items() if value})
    else:
        told["metrics"] = manifest.end_to_end.metrics
    return told


def _outputs(manifest: Manifest, *, cascade: bool) -> dict[str, TensorMetadata]:
    labels = len(manifest.labels)
    found = [
        TensorMetadata(name="probabilities", datatype="FP32", shape=(-1, labels)),
        TensorMetadata(name="label", datatype="BYTES", shape=(-1,)),
    ]
    if cascade:
        found.append(TensorMetadata(name="exit_level", datatype="INT32", shape=(-1,)))
        found.append(TensorMetadata(name="confidence", datatype="FP32", shape=(-1,)))
        found.append(TensorMetadata(name="path", datatype="BYTES", shape=(-1,)))
    if cascade and (manifest.groups or manifest.abstention):
        found.append(TensorMetadata(name="group", datatype="BYTES", shape=(-1,)))
    if cascade and manifest.sets:
        found.append(TensorMetadata(name="set", datatype="BOOL", shape=(-1, labels)))
    return {tensor.name: tensor for tensor in found}


_WHOLE = frozenset({"probabilities", "set"})
"""outputs that need more of the posterior than its largest probability"""


@dataclass(frozen=True)
class _Told:
    """What the values of an output are made from."""

    answers: Answers
    manifest: Manifest
    limits: tuple[Quantile, bool] | None
    """which prediction sets: the entry of an alpha, and whether it is per label"""

    def groups(self) -> list[str]:
        assert self.answers.given is not None, "a model with the output group says who abstains"
        return groups_given(self.answers.given, self.manifest.groups)

    def paths(self) -> list[str]:
        manifest = self.manifest
        signs = Signs(
            [level.name for level in manifest.levels],
            [level.threshold for level in manifest.levels],
            [level.fusion == "refine" for level in manifest.levels],
            tuple(manifest.groups),
            manifest.abstention,
        )
        return paths(self.answers, signs)

    def sets(self) -> list[bool]:
        assert self.limits is not None, "whoever asks for sets says which"
        quantile, per_label = self.limits
        found: list[bool] = sets(self.answers.probabilities, quantile, per_label=per_label).ravel().tolist()
        return found


def _tensor(spec: TensorMetadata, told: _Told) -> OutputTensor:
    shape = [len(told.answers.label), *spec.shape[1:]]
    return OutputTensor(name=spec.name, shape=shape, datatype=spec.datatype, data=_VALUES[spec.name](told))


def _escalations(answers: Answers, manifest: Manifest) -> int:
    run = needed([level.threshold for level in manifest.levels], [level.fusion for level in manifest.levels])
    return int(np.searchsorted(run, answers.exit_level).sum())


_VALUES: dict[str, Callable[[_Told], list[Any]]] = {
    "probabilities": lambda told: told.answers.probabilities.ravel().tolist(),
    "label": lambda told: labels_given(told.answers, told.manifest.labels),
    "exit_level": lambda told: told.answers.exit_level.tolist(),
    "confidence": lambda told: told.answers.confidence.tolist(),
    "path": _Told.paths,
    "group": _Told.groups,
    "set": _Told.sets,
}
