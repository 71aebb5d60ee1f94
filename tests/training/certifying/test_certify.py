"""training.certifying.certify."""

from collections.abc import Sequence
from dataclasses import replace

import msgspec
import numpy as np
import pytest

from tests.serving import fetch, layered_manifest, make_manifest
from tests.training.certifying.counting import counted, counts
from tests.training.recordings import drawn, paired
from tests.training.thirds import pictures
from training.certifying.binomial import p_value
from training.certifying.certify import CertifiedPromises, certify, certify_model, divide
from training.certifying.final_posterior import FinalPredictions
from training.certifying.prediction_set_promise import certify_sets
from training.data.cleaning import Cleaning
from training.data.preparation import PreparedData
from training.data.split import Split
from training.fitting.calibration import fused_temperature
from training.modalities.picture.reading import grey
from training.replay.recording import Recording, record
from training.replay.thresholds import evaluate
from training.task import Promise
from weir.catalog.manifest import Manifest
from weir.engine.cascade import Threshold
from weir.errors import BadInput
from weir.runtime.model import Model

ALL = Promise(max_loss=0.05, abstain_above=0.1, alphas=(0.1, 0.3))
AGAINST_LABELS = Promise(max_loss=0.3, against="labels", abstain_above=0.3, alphas=(0.2,))


def _certified(promise: Promise = ALL) -> CertifiedPromises:
    """Certify a cheap and a good level over four labels."""
    validation, certification = (drawn(seed, (2.0, 3.0), rows) for seed, rows in ((1, 1000), (2, 1600)))
    return certify(validation, certification, (1.0, 10.0), promise, ("digest", 0))


def test_rows_are_divided_among_the_promises_that_are_made() -> None:
    """The shares are ten to three to three, every row is in one of them, and the seed decides in which."""
    parts = divide(8000, ALL, 0)
    assert {name: len(rows) for name, rows in parts.items()} == {"thresholds": 5000, "abstention": 1500, "sets": 1500}
    assert sorted(np.concatenate(list(parts.values())).tolist()) == list(range(8000))
    np.testing.assert_array_equal(parts["sets"], divide(8000, ALL, 0)["sets"])
    assert {name: len(rows) for name, rows in divide(750, Promise(), 0).items()} == {"thresholds": 750}


def test_every_promise_is_certified_on_rows_of_its_own() -> None:
    """The certificate states how the rows were divided among them."""
    promises = _certified()
    assert promises.thresholds.certificate is not None
    assert promises.thresholds.certificate.division == {"thresholds": 1000, "abstention": 300, "sets": 300}
    assert promises.thresholds.certificate.rows == 1000
    assert promises.abstention is not None
    assert (promises.abstention.rows, promises.abstention.max_error) == (300, 0.1)
    assert promises.abstention.p_value == p_value(promises.abstention.wrong, promises.abstention.answered, 0.1)
    assert promises.abstention.p_value <= 0.05
    assert promises.sets is not None
    assert [quantile.alpha for quantile in promises.sets.quantiles] == [0.1, 0.3]


def test_a_promise_that_the_task_does_not_make_takes_no_rows() -> None:
    """Without abstention and sets, the thresholds have all certification rows."""
    promises = _certified(Promise(max_loss=0.05))
    assert promises.abstention is None
    assert promises.sets is None
    assert promises.thresholds.certificate is not None
    assert promises.thresholds.certificate.division == {"thresholds": 1600}


def test_an_error_that_no_threshold_keeps_is_not_promised() -> None:
    """A warning names the error and the rows, and no row abstains."""
    promises = _certified(msgspec.structs.replace(ALL, abstain_above=0.0001))
    assert promises.abstention is None
    (warning,) = promises.warnings
    assert warning.startswith("no threshold keeps the error of labels below 0.01 % on 300 rows, so no row abstains; ")


def test_promises_are_written_into_a_manifest() -> None:
    """The manifest has the thresholds of the levels, the fused temperature, and each promise."""
    promises, plain = _certified(), make_manifest()
    manifest = promises.written_to(msgspec.structs.replace(plain, levels=plain.levels[1:]))
    certified = promises.thresholds
    assert tuple(level.threshold for level in manifest.levels) == certified.chosen.values
    assert manifest.fused_temperature == promises.fused_temperature
    assert manifest.certificate == certified.certificate
    assert (manifest.abstention, manifest.sets) == (promises.abstention, promises.sets)
    assert manifest.certificate_absent_because is None


def test_what_is_certified_is_what_serving_does() -> None:
    """Thresholds, then the temperature fitted on validation rows, then the rule; each on rows of its own."""
    validation, certification = paired(1, 1000), paired(2, 1600)
    promise = msgspec.structs.replace(ALL, max_loss=0.02)
    promises = certify(validation, certification, (1.0, 10.0), promise, ("digest", 7))
    parts = divide(1600, ALL, 7)
    values = promises.thresholds.chosen.values
    assert promises.fused_temperature == fused_temperature(
        validation.predictions(values), validation.labels, np.array([True, True])
    )

    def served(part: str) -> FinalPredictions:
        rows = certification.rows(parts[part])
        cascade = replace(rows.cascade, fused_temperature=promises.fused_temperature).with_thresholds(values)
        return FinalPredictions(cascade.answer(rows.numbers), rows.labels)

    assert promises.abstention is not None
    assert counts(promises.abstention) == counted(served("abstention"), promises.abstention)
    assert promises.sets == certify_sets(served("sets"), ALL.alphas)
    assert promises.thresholds.certificate is not None
    assert promises.thresholds.certificate.losses == _lost(certification.rows(parts["thresholds"]), values)


def _lost(rows: Recording, values: Sequence[Threshold]) -> int:
    return int(((rows.predictions(values).label != rows.labels) & rows.end_to_end_correct).sum())


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
    with pytest.raises(BadInput, match=f"takes levels that end with it; one against labels takes any. Got: {last}"):
        certify_model(manifest, fetch, data, Promise())
    assert certify_model(manifest, fetch, data, AGAINST_LABELS).promises.thresholds.rows == 187


def test_a_model_is_certified_on_what_its_networks_predict(data: PreparedData) -> None:
    """The manifest has the certified thresholds; their loss and time are those of the validation rows."""
    draft = make_manifest()
    certification = certify_model(draft, fetch, data, Promise(max_loss=0.05))
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
    of_draft, of_careless = (certify_model(one, fetch, data, AGAINST_LABELS) for one in (draft, careless))
    assert of_draft.promises.sets is not None
    np.testing.assert_array_equal(of_draft.validation.posteriors, of_careless.validation.posteriors)
    rules = [one.promises.written_to(draft).abstention for one in (of_draft, of_careless)]
    assert all(rule is not None and rule.rows == 56 for rule in rules)


def test_levels_that_disagree_on_the_order_of_labels_are_not_certified(data: PreparedData) -> None:
    """The sanity checks come before anything is certified."""
    other = Split(data.validation.inputs, (data.validation.labels + 1) % 3)
    with pytest.raises(BadInput, match="levels agree on the order of the labels; on validation rows tiny does not"):
        certify_model(make_manifest(), fetch, replace(data, validation=other), Promise())
