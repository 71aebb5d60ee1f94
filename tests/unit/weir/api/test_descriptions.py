"""weir.api.descriptions."""

import msgspec
import pytest

from tests.serving import layered_manifest, make_manifest
from tests.unit.weir.pairs import pair_manifest
from weir import __version__
from weir.api import descriptions
from weir.api.outputs import outputs
from weir.catalog.manifest import Manifest, MeasuredMetrics
from weir.protocol.messages import Reshape, TensorConfig, TensorMetadata


def test_the_server_tells_its_version() -> None:
    """As the protocol asks, with the extensions it has."""
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


@pytest.mark.parametrize("cascade", [False, True])
@pytest.mark.parametrize("manifest", [make_manifest(), layered_manifest(), pair_manifest()])
def test_metadata_lists_every_input_and_output(manifest: Manifest, cascade: bool) -> None:
    """Each with its datatype, and -1 for the rows."""
    told = descriptions.metadata(manifest, [7], cascade=cascade)
    assert (told.name, told.versions, told.platform) == (manifest.model, ("7",), "weir_tflite")
    assert told.inputs == tuple(
        TensorMetadata(name=spec.name, datatype=spec.datatype, shape=spec.shape) for spec in manifest.inputs
    )
    assert told.outputs == tuple(outputs(manifest, cascade=cascade).values())
    assert told.parameters["labels"] == ("left", "middle", "right")


def test_a_cascade_tells_its_levels_and_promises() -> None:
    """And the end-to-end model its own metrics; what a version lacks is not told."""
    layered = layered_manifest()
    told = descriptions.metadata(layered, [1], cascade=True).parameters
    assert [level["name"] for level in told["levels"]] == ["router", "experts", "large"]
    assert (told["groups"], told["abstention"], told["sets"]) == (layered.groups, layered.abstention, layered.sets)
    assert "groups" not in descriptions.metadata(make_manifest(), [1], cascade=True).parameters
    metrics = MeasuredMetrics(accuracy=0.9, latency_us=5.0)
    measured = msgspec.structs.replace(
        layered,
        end_to_end=msgspec.structs.replace(layered.end_to_end, metrics=metrics),
        certificate_absent_because="few rows",
    )
    plain = descriptions.metadata(measured, [1], cascade=False).parameters
    assert plain["metrics"] == metrics
    assert "levels" not in plain
    assert descriptions.metadata(measured, [1], cascade=True).parameters["certificate"] == "few rows"


def test_a_configuration_is_in_tritons_words() -> None:
    """Types have their prefix, texts are strings, rows are left out, and one value a row is a dimension of 1."""
    found = descriptions.config(pair_manifest(), cascade=True)
    assert (found.name, found.max_batch_size, found.backend) == ("pair", 1024, "tflite")
    assert found.input == (
        TensorConfig(name="a", data_type="TYPE_FP32", dims=(2,)),
        TensorConfig(name="b", data_type="TYPE_INT32", dims=(3,)),
    )
    assert found.output[:3] == (
        TensorConfig(name="probabilities", data_type="TYPE_FP32", dims=(3,)),
        TensorConfig(name="label", data_type="TYPE_STRING", dims=(1,), reshape=Reshape()),
        TensorConfig(name="exit_level", data_type="TYPE_INT32", dims=(1,), reshape=Reshape()),
    )


def test_a_configuration_says_that_all_versions_are_served() -> None:
    """As Triton's policy of that name does."""
    encoded = msgspec.json.decode(msgspec.json.encode(descriptions.config(make_manifest(), cascade=False)))
    assert encoded["version_policy"] == {"all": {}}
