"""training.certifying.model_certification, on the tiny networks of the tests."""

from dataclasses import replace

import msgspec
import numpy as np
import pytest

from tests.serving import fetch, layered_manifest, make_manifest
from tests.training.thirds import pictures
from training.certifying.attempts import Attempts
from training.certifying.model_certification import CertificationRows, ModelCertification, certify_model
from training.data.cleaning import Cleaning
from training.data.preparation import PreparedData
from training.data.split import Split
from training.modalities.picture.reading import grey
from training.replay.recording import record
from training.replay.thresholds import evaluate
from training.task import Promise
from weir.catalog.manifest import Manifest
from weir.errors import BadInput
from weir.runtime.interpreter import DEPLOYED
from weir.runtime.model import Model

AGAINST_LABELS = Promise(max_loss=0.3, against="labels", abstain_above=0.3, alphas=(0.2,))


def _certification(
    manifest: Manifest,
    data: PreparedData,
    promise: Promise,
    attempts: Attempts = Attempts(),  # noqa: B008 (frozen)
    fresh: Split | None = None,
) -> ModelCertification:
    model = Model(manifest, fetch, DEPLOYED)
    return certify_model(CertificationRows(model, data, promise, attempts, fresh))


@pytest.fixture(scope="module")
def data() -> PreparedData:
    """Divide pictures of thirds in four splits."""
    train, validation, certification, test = (pictures(rows, seed) for seed, rows in enumerate((10, 200, 300, 10)))
    labels = ("left", "middle", "right")
    return PreparedData(
        train, validation, certification, test, labels, grey(train.inputs), Cleaning(kept=520), digest="1" * 64
    )


def _first_levels(manifest: Manifest, count: int) -> Manifest:
    return msgspec.structs.replace(manifest, levels=manifest.levels[:count])


@pytest.mark.parametrize(
    ("manifest", "last"),
    [
        (_first_levels(make_manifest(), 2), "the last level is small, fusion replace"),
        (_first_levels(layered_manifest(), 2), "the last level is experts, fusion refine"),
        (layered_manifest(), "the last level is large, fusion pool"),
    ],
)
def test_only_levels_that_end_with_the_end_to_end_model_promise_against_it(
    manifest: Manifest, last: str, data: PreparedData
) -> None:
    """With another last level, always escalating could lose; against labels any levels may promise."""
    with pytest.raises(BadInput, match=f"takes levels that end with it; labels and agreement take any. Got: {last}"):
        _certification(manifest, data, Promise())
    assert _certification(manifest, data, AGAINST_LABELS).promises.thresholds.rows == 187


def test_a_model_is_certified_on_what_its_networks_predict(data: PreparedData) -> None:
    """The manifest has the certified thresholds; their loss and time are those of the validation rows."""
    draft = make_manifest()
    certification = _certification(draft, data, Promise(max_loss=0.05))
    manifest, certified = certification.promises.written_to(draft), certification.promises.thresholds
    assert manifest.certificate is not None
    assert (manifest.certificate.rows, manifest.certificate.data_digest) == (300, "1" * 64)
    assert manifest.certificate.losses <= manifest.certificate.max_losses
    values = tuple(level.threshold for level in manifest.levels)
    assert evaluate(certification.validation, certification.times, values, "end-to-end") == certified.chosen
    again = record(Model(draft, fetch), data.validation)
    np.testing.assert_allclose(certification.validation.posteriors, again.posteriors, atol=1e-6)


def test_what_a_manifest_promised_before_does_not_matter(data: PreparedData) -> None:
    """Thresholds, fused temperature and rules are made again, of the networks alone."""
    draft = layered_manifest()
    careless = msgspec.structs.replace(
        draft,
        levels=tuple(msgspec.structs.replace(level, threshold=0.0) for level in draft.levels),
        fused_temperature=9.0,
    )
    of_draft, of_careless = (_certification(one, data, AGAINST_LABELS) for one in (draft, careless))
    assert of_draft.promises.sets is not None
    np.testing.assert_array_equal(of_draft.validation.posteriors, of_careless.validation.posteriors)
    rules = [one.promises.written_to(draft).abstention for one in (of_draft, of_careless)]
    assert all(rule is not None and rule.rows == 56 for rule in rules)


def test_levels_that_disagree_on_the_order_of_labels_are_not_certified(data: PreparedData) -> None:
    """The sanity checks come before anything is certified."""
    other = Split(data.validation.inputs, (data.validation.labels + 1) % 3)
    with pytest.raises(BadInput, match="levels agree on the order of the labels; on validation rows tiny does not"):
        _certification(make_manifest(), replace(data, validation=other), Promise())
