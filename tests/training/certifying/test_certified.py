"""training.certifying.certified."""

from dataclasses import replace

import msgspec
import numpy as np
import pytest
from training.certifying.certified import promised

from tests.serving import layered_manifest, make_manifest
from tests.training.thirds import fetch, pictures
from training.data.cleaning import Cleaning
from training.data.preparation import PreparedData
from training.data.split import Split
from training.modalities.picture.reading import grey
from training.replay.recording import record
from training.replay.thresholds import evaluate
from training.task import Promise
from weir.catalog.manifest import Manifest
from weir.errors import BadInput
from weir.runtime.model import Model

LABELS = Promise(max_loss=0.3, against="labels", abstain_above=0.3, alphas=(0.2,))


@pytest.fixture(scope="module")
def data() -> PreparedData:
    """Thirds in four splits."""
    train, validation, certification, test = (pictures(rows, seed) for seed, rows in enumerate((10, 200, 300, 10)))
    labels = ("left", "middle", "right")
    return PreparedData(
        train, validation, certification, test, labels, grey(train.inputs), Cleaning(kept=520), digest="1" * 64
    )


def _levels(manifest: Manifest, count: int) -> Manifest:
    return msgspec.structs.replace(manifest, levels=manifest.levels[:count])


@pytest.mark.parametrize(
    ("manifest", "told"),
    [
        (_levels(make_manifest(), 2), "the last level is small, fusion replace"),
        (_levels(layered_manifest(), 2), "the last level is experts, fusion refine"),
        (layered_manifest(), "the last level is large, fusion pool"),
    ],
)
def test_only_levels_that_end_with_the_end_to_end_model_promise_against_it(
    manifest: Manifest, told: str, data: PreparedData
) -> None:
    """Its own word is the last, or escalating to the end could lose; against labels any levels may promise."""
    with pytest.raises(BadInput, match=f"levels that end with it; against labels any may be. Got: {told}"):
        promised(manifest, fetch, data, Promise())
    assert promised(manifest, fetch, data, LABELS).promises.certified.rows == 187


def test_a_ladder_promises_what_it_will_do(data: PreparedData) -> None:
    """Thresholds, temperature and all that was promised stand in the manifest; the loss is that of these rows."""
    draft = make_manifest()
    found = promised(draft, fetch, data, Promise(max_loss=0.05))
    manifest, certified = found.on(draft), found.promises.certified
    assert manifest.certificate is not None
    assert (manifest.certificate.rows, manifest.certificate.data_digest) == (300, "1" * 64)
    assert manifest.certificate.losses <= manifest.certificate.max_losses
    values = tuple(level.threshold for level in manifest.levels)
    assert evaluate(found.validation, found.times, values, "end-to-end") == certified.thresholds
    again = record(Model(draft, fetch), data.validation)
    np.testing.assert_allclose(found.validation.posteriors, again.posteriors, atol=1e-6)


def test_what_a_manifest_promised_before_counts_for_nothing(data: PreparedData) -> None:
    """Its thresholds, its temperature and its rules are made anew, from its networks alone."""
    draft = layered_manifest()
    careless = msgspec.structs.replace(
        draft,
        levels=tuple(msgspec.structs.replace(level, threshold=0.0) for level in draft.levels),
        fused_temperature=9.0,
    )
    sides = [promised(one, fetch, data, LABELS) for one in (draft, careless)]
    assert sides[0].promises.sets is not None
    np.testing.assert_array_equal(sides[0].validation.posteriors, sides[1].validation.posteriors)
    abstains = [side.on(draft).abstention for side in sides]
    assert all(rule is not None and rule.rows == 56 for rule in abstains)


def test_levels_that_disagree_on_labels_promise_nothing(data: PreparedData) -> None:
    """Nothing is certified of a ladder that is unsound."""
    other = Split(data.validation.inputs, (data.validation.labels + 1) % 3)
    with pytest.raises(BadInput, match="levels agree on the order of the labels; on validation rows tiny does not"):
        promised(make_manifest(), fetch, replace(data, validation=other), Promise())
