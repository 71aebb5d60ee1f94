"""training.certifying.model_certification, on the tiny networks of the tests."""

from dataclasses import replace

import msgspec
import numpy as np
import pytest

from tests.serving import fetch, layered_manifest, make_manifest
from tests.training.thirds import pictures
from training.certifying import model_certification
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


PLAIN = Promise(max_loss=0.05)


def test_attempts_on_the_same_rows_are_counted_in_the_certificate(data: PreparedData) -> None:
    """Each further promise spends half as much; the certificate has its number, what it spent, and the sum."""
    manifest, attempts, seen = make_manifest(), Attempts(), []
    for promise in (PLAIN, Promise(max_loss=0.1), Promise(max_loss=0.05, against="agreement")):
        certification = _certification(manifest, data, promise, attempts)
        attempts, certificate = certification.attempts, certification.promises.thresholds.certificate
        assert certificate
        seen.append((certificate.attempt, certificate.delta, certificate.delta_spent))
    assert seen == [(1, 0.05, 0.05), (2, 0.025, pytest.approx(0.075)), (3, 0.0125, pytest.approx(0.0875))]
    assert certificate
    assert certificate.summary.endswith("; attempt 3 on these rows, 8.75 % of delta spent in all)")


def test_the_same_certification_again_is_the_same_attempt(data: PreparedData, monkeypatch: pytest.MonkeyPatch) -> None:
    """Thresholds are those of the first time although the measured times, and with them the order, differ."""
    first = _certification(make_manifest(), data, PLAIN)
    monkeypatch.setattr(model_certification, "times", lambda *_: [50.0, 1.0, 60.0])
    again = _certification(first.promises.written_to(make_manifest()), data, PLAIN, first.attempts)
    other = _certification(make_manifest(), data, PLAIN)
    assert again.attempts == first.attempts
    assert again.promises.thresholds.chosen.values == first.promises.thresholds.chosen.values
    assert other.promises.thresholds.chosen.values != first.promises.thresholds.chosen.values


@pytest.mark.parametrize(
    "change",
    [
        {"levels": make_manifest().levels[1:]},
        {"end_to_end": msgspec.structs.replace(make_manifest().end_to_end, temperature=2.0)},
        {"groups": {"outer": ("left", "right"), "inner": ("middle",)}},
    ],
)
def test_another_model_on_the_same_rows_is_another_attempt(change: dict[str, object], data: PreparedData) -> None:
    """Whoever trains another and keeps the better one has tried twice."""
    first = _certification(make_manifest(), data, PLAIN)
    changed = msgspec.structs.replace(make_manifest(), **change)
    second = _certification(changed, data, PLAIN, first.attempts).promises.thresholds.certificate
    assert second
    assert second.attempt == 2


def test_rows_that_are_not_looked_at_spend_nothing(data: PreparedData) -> None:
    """With too few rows nothing is tested; a promise that the last level breaks was tested."""
    few = replace(data, certification=pictures(40, 2))
    assert _certification(make_manifest(), few, PLAIN).attempts == Attempts()
    wrong = replace(data, certification=Split(data.certification.inputs, (data.certification.labels + 1) % 3))
    broken = _certification(make_manifest(), wrong, Promise(max_loss=0.3, against="labels"))
    assert broken.promises.thresholds.uncertifiable
    assert len(broken.attempts.attempts) == 1


def test_a_limit_that_the_rows_cannot_carry_is_weakened(data: PreparedData) -> None:
    """300 rows carry 1 %, so a promise of 0.1 % becomes one of 1 %, and `auto` is 1 %."""
    for promise in (Promise(max_loss=0.001), Promise()):
        certified = _certification(make_manifest(), data, promise).promises
        assert certified.thresholds.certificate
        assert certified.thresholds.certificate.max_loss == certified.settled.promise.max_loss == 0.01
        assert certified.settled.weaker == (promise.max_loss == 0.001)


def test_fresh_rows_carry_the_thresholds(data: PreparedData) -> None:
    """Their attempts start anew; the certification rows of the training carry the other promises, all of them."""
    promise = Promise(max_loss=0.05, against="agreement", abstain_above=0.3, alphas=(0.2,))
    fresh = pictures(500, 9)
    unlabelled = Split(fresh.inputs, np.full(500, -1))
    before = _certification(make_manifest(), data, PLAIN).attempts
    certification = _certification(make_manifest(), data, promise, before, unlabelled)
    certificate = certification.promises.thresholds.certificate
    assert certificate
    assert (certificate.rows, certificate.attempt, certificate.delta) == (500, 1, 0.05)
    assert certificate.division == {"thresholds": 500, "abstention": 150, "sets": 150}
    assert certificate.data_digest != data.digest
    assert certification.promises.abstention
    assert certification.promises.abstention.delta == 0.025  # the second attempt on the rows of the training
    assert [one.delta for one in certification.attempts.attempts] == [0.05, 0.05, 0.025]
