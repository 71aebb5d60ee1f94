"""weir.api.outputs."""

from dataclasses import replace

import msgspec
import numpy as np
import pytest

from tests.serving import layered_manifest, make_manifest
from weir.api.outputs import WHOLE, OutputContext, outputs
from weir.catalog.inputs import DTYPES
from weir.catalog.manifest import Manifest
from weir.catalog.promises import Quantile
from weir.engine.predictions import Abstentions, Predictions

PROBABILITIES = np.array([[0.6, 0.3, 0.1], [0.1, 0.2, 0.7]], np.float32)

ANSWERS = Predictions(
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
    ("manifest", "cascade", "names"),
    [
        (make_manifest(), False, "probabilities label"),
        (layered_manifest(), False, "probabilities label"),
        (make_manifest(), True, "probabilities label exit_level confidence path"),
        (layered_manifest(), True, "probabilities label exit_level confidence path group set"),
        (
            msgspec.structs.replace(layered_manifest(), sets=None),
            True,
            "probabilities label exit_level confidence path group",
        ),
        (
            msgspec.structs.replace(layered_manifest(), abstention=None),
            True,
            "probabilities label exit_level confidence path group set",
        ),
    ],
)
def test_outputs_are_what_a_mount_can_tell(manifest: Manifest, cascade: bool, names: str) -> None:
    """Levels only where they answer, groups and sets only where the version has them."""
    assert " ".join(outputs(manifest, cascade=cascade)) == names


def test_values_are_what_the_outputs_promise() -> None:
    """Each has the datatype and the shape that metadata tells of it, a row each."""
    manifest = layered_manifest()
    told = OutputContext(ANSWERS, manifest, (Quantile(alpha=0.1, least=0.3), False))
    for name, tensor in outputs(manifest, cascade=True).items():
        values = told.values(name)
        if tensor.datatype == "BYTES":
            assert len(values) == 2
            assert all(isinstance(text, str) for text in values)
            continue
        assert isinstance(values, np.ndarray)
        assert values.dtype == DTYPES[tensor.datatype], name
        assert values.shape == (2, *tensor.shape[1:])


def test_confidence_is_fp32_whatever_it_was() -> None:
    """Its bytes are those of its datatype."""
    double = replace(ANSWERS, confidence=ANSWERS.confidence.astype(np.float64))
    values = OutputContext(double, make_manifest()).values("confidence")
    assert isinstance(values, np.ndarray)
    assert values.dtype == np.float32


def test_texts_name_labels_and_groups() -> None:
    """The empty string where a row has none."""
    told = OutputContext(ANSWERS, layered_manifest())
    assert told.values("label") == ["left", ""]
    assert told.values("group") == ["outer", ""]
    assert told.values("path")[0] == "experts (outer) 0.6000 >= 0.8000"


@pytest.mark.parametrize(
    ("per_label", "expected"),
    [(False, [[True, True, False], [False, False, True]]), (True, [[True] * 3, [False, True, True]])],
)
def test_sets_are_of_the_quantile_that_was_asked_for(per_label: bool, expected: list[list[bool]]) -> None:
    """One limit for all labels, or each label's own."""
    quantile = Quantile(alpha=0.1, least=0.3, least_per_label=(0.5, 0.2, 0.1))
    values = OutputContext(ANSWERS, layered_manifest(), (quantile, per_label)).values("set")
    assert isinstance(values, np.ndarray)
    assert values.tolist() == expected


def test_outputs_that_need_the_whole_posterior_are_known() -> None:
    """All others are told from its largest probability, and from what the answers hold beside it."""
    partly = np.array(PROBABILITIES)
    partly[0, 1:], partly[1, :2] = np.nan, np.nan
    told, whole = (
        OutputContext(replace(ANSWERS, probabilities=partly), layered_manifest()),
        OutputContext(ANSWERS, layered_manifest()),
    )
    for name in outputs(layered_manifest(), cascade=True).keys() - WHOLE:
        assert np.array_equal(told.values(name), whole.values(name))
