"""What the protocol tells of models without running them: metadata, configuration, index."""

from collections.abc import Sequence

from msgspec import UNSET

from weir import __version__
from weir.api.outputs import outputs
from weir.catalog.manifest import Manifest
from weir.protocol.messages import (
    ModelConfig,
    ModelMetadata,
    Parameters,
    Reshape,
    ServerMetadata,
    TensorConfig,
    TensorMetadata,
)
from weir.protocol.requests import MAX_ROWS

EXTENSIONS = ("binary_tensor_data", "classification", "model_configuration", "model_repository", "statistics")


def server() -> ServerMetadata:
    """Describe this server."""
    return ServerMetadata(name="weir", version=__version__, extensions=EXTENSIONS)


def metadata(manifest: Manifest, versions: Sequence[int], *, cascade: bool) -> ModelMetadata:
    """Describe a model by the manifest of one of its versions, and say which can be asked for."""
    return ModelMetadata(
        name=manifest.model,
        versions=tuple(map(str, versions)),
        inputs=tuple(TensorMetadata(name=i.name, datatype=i.datatype, shape=i.shape) for i in manifest.inputs),
        outputs=tuple(outputs(manifest, cascade=cascade).values()),
        parameters=_parameters(manifest, cascade=cascade),
    )


def config(manifest: Manifest, *, cascade: bool) -> ModelConfig:
    """Describe one version in the words of Triton's model configuration."""
    described = metadata(manifest, (), cascade=cascade)
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


def _parameters(manifest: Manifest, *, cascade: bool) -> Parameters:
    told: Parameters = {"labels": manifest.labels, "input_meaning": manifest.inputs[0].meaning}
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
