"""Describe server and models without running them: metadata, and Triton's model configuration."""

from collections.abc import Sequence

from msgspec import UNSET

from weir import __version__
from weir.api.outputs import outputs
from weir.catalog.inputs import TensorMetadata
from weir.catalog.manifest import Manifest
from weir.catalog.mounts import CASCADE, Mount
from weir.protocol.messages import (
    ModelConfig,
    ModelMetadata,
    Parameters,
    Reshape,
    ServerMetadata,
    TensorConfig,
)
from weir.protocol.requests import MAX_ROWS

EXTENSIONS = ("binary_tensor_data", "classification", "model_configuration", "model_repository", "statistics")


def server() -> ServerMetadata:
    """Describe this server."""
    return ServerMetadata(name="weir", version=__version__, extensions=EXTENSIONS)


def metadata(manifest: Manifest, versions: Sequence[int], mount: Mount) -> ModelMetadata:
    """Describe a model by the manifest of one of its versions, and list the versions that are served."""
    return ModelMetadata(
        name=manifest.model,
        versions=tuple(map(str, versions)),
        inputs=tuple(tensor for one in manifest.inputs for tensor in one.tensors),
        outputs=tuple(outputs(manifest, mount).values()),
        parameters=_cascade(manifest) if mount == CASCADE else _end_to_end(manifest),
    )


def config(manifest: Manifest, mount: Mount) -> ModelConfig:
    """Describe one version as Triton's model configuration does."""
    described = metadata(manifest, (), mount)
    return ModelConfig(
        name=manifest.model,
        max_batch_size=MAX_ROWS,
        input=tuple(_config(tensor) for tensor in described.inputs),
        output=tuple(_config(tensor) for tensor in described.outputs),
    )


def _config(tensor: TensorMetadata) -> TensorConfig:
    datatype = "STRING" if tensor.datatype == "BYTES" else tensor.datatype
    sizes = tensor.shape[1:]
    reshape = UNSET if sizes else Reshape()
    return TensorConfig(name=tensor.name, data_type=f"TYPE_{datatype}", dims=sizes or (1,), reshape=reshape)


def _end_to_end(manifest: Manifest) -> Parameters:
    return {**_shared(manifest), "metrics": manifest.end_to_end.metrics}


def _cascade(manifest: Manifest) -> Parameters:
    levels = [
        {
            "name": level.name,
            "kind": level.kind,
            "fusion": level.fusion,
            "threshold": level.threshold,
            "metrics": level.metrics,
        }
        for level in manifest.levels
    ]
    certificate = manifest.certificate or manifest.certificate_absent_because
    optional = {
        "metrics": manifest.cascade_metrics,
        "groups": manifest.groups,
        "abstention": manifest.abstention,
        "sets": manifest.sets,
    }
    promised = {name: value for name, value in optional.items() if value}
    return {**_shared(manifest), "levels": levels, "certificate": certificate, **promised}


def _shared(manifest: Manifest) -> Parameters:
    return {"labels": manifest.labels, "input_meaning": manifest.inputs[0].meaning, "inputs": manifest.inputs}
