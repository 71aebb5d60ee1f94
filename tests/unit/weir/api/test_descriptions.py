"""weir.api.descriptions."""

import msgspec
import pytest

from tests.serving import layered_manifest, make_manifest
from tests.unit.weir.pairs import pair_manifest
from weir import __version__
from weir.api import descriptions
from weir.api.outputs import outputs
from weir.catalog.levels import MeasuredMetrics
from weir.catalog.manifest import Manifest
from weir.catalog.mounts import CASCADE, END_TO_END, MOUNTS, Mount
from weir.protocol.messages import Reshape, TensorConfig


def test_the_server_describes_itself() -> None:
    """Its metadata are its name, its version and the extensions that it supports."""
    assert msgspec.to_builtins(descriptions.server()) == {
        "name": "weir",
        "version": __version__,
        "extensions": descriptions.EXTENSIONS,
    }
    assert descriptions.EXTENSIONS == (
        "binary_tensor_data",
        "classification",
        "model_configuration",
        "model_repository",
        "statistics",
    )


@pytest.mark.parametrize("mount", MOUNTS, ids=lambda mount: mount.name)
@pytest.mark.parametrize("manifest", [make_manifest(), layered_manifest(), pair_manifest()])
def test_metadata_lists_every_input_and_output(manifest: Manifest, mount: Mount) -> None:
    """Each has its datatype, and its shape with -1 for the rows."""
    metadata = descriptions.metadata(manifest, [7], mount)
    assert (metadata.name, metadata.versions, metadata.platform) == (manifest.model, ("7",), "weir_tflite")
    assert metadata.inputs == tuple(tensor for one in manifest.inputs for tensor in one.tensors)
    assert metadata.parameters["inputs"] == manifest.inputs
    assert metadata.outputs == tuple(outputs(manifest, mount).values())
    assert metadata.parameters["labels"] == ("left", "middle", "right")


def test_metadata_of_a_cascade_describe_its_levels_and_promises() -> None:
    """Those of the end-to-end model have its metrics instead; parameters that a version lacks are left out."""
    layered = layered_manifest()
    parameters = descriptions.metadata(layered, [1], CASCADE).parameters
    assert [level["name"] for level in parameters["levels"]] == ["router", "experts", "large"]
    assert (parameters["groups"], parameters["abstention"], parameters["sets"]) == (
        layered.groups,
        layered.abstention,
        layered.sets,
    )
    assert "groups" not in descriptions.metadata(make_manifest(), [1], CASCADE).parameters
    metrics = MeasuredMetrics(accuracy=0.9, latency_us=5.0)
    measured = msgspec.structs.replace(
        layered,
        end_to_end=msgspec.structs.replace(layered.end_to_end, metrics=metrics),
        cascade_metrics=msgspec.structs.replace(metrics, balanced_accuracy=0.7),
        certificate_absent_because="few rows",
    )
    plain = descriptions.metadata(measured, [1], END_TO_END).parameters
    assert plain["metrics"] == metrics
    assert "levels" not in plain
    cascade = descriptions.metadata(measured, [1], CASCADE).parameters
    assert cascade["certificate"] == "few rows"
    assert cascade["metrics"].balanced_accuracy == 0.7


def test_a_configuration_is_one_of_tritons() -> None:
    """Types have their prefix, texts are strings, rows are left out, and one value a row is a dimension of 1."""
    config = descriptions.config(pair_manifest(), CASCADE)
    assert (config.name, config.max_batch_size, config.backend) == ("pair", 1024, "tflite")
    assert config.input == (
        TensorConfig(name="a", data_type="TYPE_FP32", dims=(2,)),
        TensorConfig(name="b", data_type="TYPE_INT32", dims=(3,)),
    )
    assert config.output[:3] == (
        TensorConfig(name="probabilities", data_type="TYPE_FP32", dims=(3,)),
        TensorConfig(name="label", data_type="TYPE_STRING", dims=(1,), reshape=Reshape()),
        TensorConfig(name="exit_level", data_type="TYPE_INT32", dims=(1,), reshape=Reshape()),
    )


def test_a_configuration_serves_all_versions() -> None:
    """Its version policy is Triton's `all`."""
    encoded = msgspec.json.decode(msgspec.json.encode(descriptions.config(make_manifest(), END_TO_END)))
    assert encoded["version_policy"] == {"all": {}}
