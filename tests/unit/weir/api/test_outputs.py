"""weir.api.outputs."""

from dataclasses import replace

import msgspec
import numpy as np
import pytest

from tests.serving import layered_manifest, make_manifest
from weir.api.outputs import NEED_FULL_POSTERIOR, OutputContext, outputs
from weir.catalog.inputs import DTYPES
from weir.catalog.manifest import Manifest
from weir.catalog.mounts import CASCADE, END_TO_END, Mount
from weir.catalog.promises import Quantile
from weir.engine.cascade import cascade_of
from weir.engine.predictions import Abstentions, Predictions

PROBABILITIES = np.array([[0.6, 0.3, 0.1], [0.1, 0.2, 0.7]], np.float32)

PREDICTIONS = Predictions(
    probabilities=PROBABILITIES,
    label=np.array([0, 2]),
    confidence=PROBABILITIES.max(axis=1),
    exit_level=np.array([1, 2], np.int32),
    levels=3,
    trace=np.array([[np.nan, 0.6, np.nan], [np.nan, 0.65, 0.7]], np.float32),
    abstentions=Abstentions(
        abstains=np.array([False, True]),
        group=np.array([0, -1]),
        group_confidence=np.array([np.nan, 0.5], np.float32),
        best_group=np.array([0, 0]),
    ),
)


@pytest.mark.parametrize(
    ("manifest", "mount", "names"),
    [
        (make_manifest(), END_TO_END, "probabilities label"),
        (layered_manifest(), END_TO_END, "probabilities label"),
        (make_manifest(), CASCADE, "probabilities label exit_level confidence path"),
        (layered_manifest(), CASCADE, "probabilities label exit_level confidence path group set"),
        (
            msgspec.structs.replace(layered_manifest(), sets=None),
            CASCADE,
            "probabilities label exit_level confidence path group",
        ),
        (
            msgspec.structs.replace(layered_manifest(), abstention=None),
            CASCADE,
            "probabilities label exit_level confidence path group set",
        ),
    ],
)
def test_outputs_are_those_of_the_mount(manifest: Manifest, mount: Mount, names: str) -> None:
    """Only the cascade has outputs about levels, and only versions with groups or sets have those outputs."""
    assert " ".join(outputs(manifest, mount)) == names


def _context(
    predictions: Predictions, manifest: Manifest, limits: tuple[Quantile, bool] | None = None
) -> OutputContext:
    return OutputContext(predictions, manifest.labels, cascade_of(manifest), limits)


def test_values_fit_the_metadata_of_their_outputs() -> None:
    """Each has the datatype and the shape of its metadata, with one entry a row."""
    manifest = layered_manifest()
    context = _context(PREDICTIONS, manifest, (Quantile(alpha=0.1, least=0.3), False))
    for name, tensor in outputs(manifest, CASCADE).items():
        values = context.values(name)
        if tensor.datatype == "BYTES":
            assert len(values) == 2
            assert all(isinstance(text, str) for text in values)
            continue
        assert isinstance(values, np.ndarray)
        assert values.dtype == DTYPES[tensor.datatype], name
        assert values.shape == (2, *tensor.shape[1:])


def test_confidence_is_fp32() -> None:
    """It is converted from any other precision, so its bytes are those of its datatype."""
    double = replace(PREDICTIONS, confidence=PREDICTIONS.confidence.astype(np.float64))
    values = _context(double, make_manifest()).values("confidence")
    assert isinstance(values, np.ndarray)
    assert values.dtype == np.float32


def test_texts_name_labels_and_groups() -> None:
    """A row without a label or group has the empty string."""
    context = _context(PREDICTIONS, layered_manifest())
    assert context.values("label") == ["left", ""]
    assert context.values("group") == ["outer", ""]
    assert context.values("path")[0] == "experts (outer) 0.6000 >= 0.8000"


@pytest.mark.parametrize(
    ("per_label", "expected"),
    [(False, [[True, True, False], [False, False, True]]), (True, [[True] * 3, [False, True, True]])],
)
def test_sets_are_those_of_the_requested_quantile(per_label: bool, expected: list[list[bool]]) -> None:
    """There is one limit for all labels, or one for each."""
    quantile = Quantile(alpha=0.1, least=0.3, least_per_label=(0.5, 0.2, 0.1))
    values = _context(PREDICTIONS, layered_manifest(), (quantile, per_label)).values("set")
    assert isinstance(values, np.ndarray)
    assert values.tolist() == expected


def test_outputs_that_need_the_full_posterior_are_listed() -> None:
    """All others are the same when only the largest probability is known."""
    partly = np.array(PROBABILITIES)
    partly[0, 1:], partly[1, :2] = np.nan, np.nan
    partial, full = (
        _context(replace(PREDICTIONS, probabilities=partly), layered_manifest()),
        _context(PREDICTIONS, layered_manifest()),
    )
    for name in outputs(layered_manifest(), CASCADE).keys() - NEED_FULL_POSTERIOR:
        assert np.array_equal(partial.values(name), full.values(name))
