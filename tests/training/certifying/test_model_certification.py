"""training.certifying.model_certification."""

from collections.abc import Callable, Sequence
from dataclasses import replace

import msgspec
import numpy as np
import pytest

from tests.serving import fetch, layered_manifest, make_manifest
from tests.training.thirds import pictures, steady_times
from training.certifying import model_certification
from training.certifying.attempts import Attempts, digests_of
from training.certifying.binomial import max_losses
from training.certifying.model_certification import CertificationRows, ModelCertification, certify_model
from training.data.cleaning import Cleaning
from training.data.preparation import PreparedData
from training.data.splits.split import Split
from training.modalities.picture.reading import grey
from training.replay.recording import LevelTimes, record
from training.replay.thresholds import evaluate, lost
from training.task import Promise
from weir.catalog.levels import Classifier
from weir.catalog.manifest import Manifest
from weir.catalog.promises import Certificate
from weir.errors import BadInput
from weir.runtime.model import Model

NONE = Attempts()
AGAINST_LABELS = Promise(max_loss=0.3, against="labels", abstain_above=0.3, alphas=(0.2,))
FRESH = pictures(400, 9)


@pytest.fixture(scope="module")
def data() -> PreparedData:
    """Divide pictures of thirds in four splits."""
    train, validation, certification, test = (pictures(rows, seed) for seed, rows in enumerate((10, 200, 300, 10)))
    labels = ("left", "middle", "right")
    return PreparedData(
        train, validation, certification, test, labels, (grey(train.inputs),), Cleaning(kept=520), digest="1" * 64
    )


@pytest.fixture(autouse=True)
def _steady(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(model_certification, "times", steady_times)


def _rows(
    manifest: Manifest, data: PreparedData, promise: Promise, attempts: Attempts = NONE, fresh: Split | None = None
) -> CertificationRows:
    return CertificationRows(Model(manifest, fetch), data, promise, attempts, fresh)


def _certified(
    data: PreparedData, promise: Promise, attempts: Attempts = NONE, fresh: Split | None = None
) -> ModelCertification:
    """Certify the plain cascade."""
    return certify_model(_rows(make_manifest(), data, promise, attempts, fresh))


def _certificate(certification: ModelCertification) -> Certificate:
    certificate = certification.promises.thresholds.certificate
    assert certificate is not None
    return certificate


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
    """With another last level, always escalating could lose; against labels any may promise, and any may agree."""
    with pytest.raises(BadInput, match=f"takes levels that end with it; labels and agreement take any. Got: {last}"):
        certify_model(_rows(manifest, data, Promise()))
    assert certify_model(_rows(manifest, data, AGAINST_LABELS)).promises.thresholds.rows == 187
    agreement = _certificate(certify_model(_rows(manifest, data, Promise(against="agreement"))))
    assert (agreement.against, agreement.max_loss) == ("agreement", 0.01)


def test_a_model_is_certified_on_what_its_networks_predict(data: PreparedData) -> None:
    """The manifest has the certified thresholds; their loss and time are those of the validation rows."""
    draft, certification = make_manifest(), _certified(data, Promise(max_loss=0.05))
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
    of_draft, of_careless = (certify_model(_rows(one, data, AGAINST_LABELS)) for one in (draft, careless))
    assert of_draft.promises.sets is not None
    np.testing.assert_array_equal(of_draft.validation.posteriors, of_careless.validation.posteriors)
    rules = [one.promises.written_to(draft).abstention for one in (of_draft, of_careless)]
    assert all(rule is not None and rule.rows == 56 for rule in rules)


def test_levels_that_disagree_on_the_order_of_labels_are_not_certified(data: PreparedData) -> None:
    """The sanity checks come before anything is certified."""
    other = Split(data.validation.inputs, (data.validation.labels + 1) % 3)
    with pytest.raises(BadInput, match="levels agree on the order of the labels; on validation rows tiny does not"):
        certify_model(_rows(make_manifest(), replace(data, validation=other), Promise()))


def _tempered(manifest: Manifest, number: int, temperature: float) -> Manifest:
    level = manifest.levels[number]
    assert isinstance(level, Classifier)
    levels = list(manifest.levels)
    levels[number] = msgspec.structs.replace(level, temperature=temperature)
    return msgspec.structs.replace(manifest, levels=tuple(levels))


def _test(manifest: Manifest, data: PreparedData, promise: Promise, fresh: Split | None = None) -> str:
    """Return the digest of a test; the networks need not run for it."""
    return _rows(manifest, data, promise, fresh=fresh).recorded([]).attempts[0].test


MANIFEST = make_manifest()


@pytest.mark.parametrize(
    ("manifest", "promise"),
    [
        (_first_levels(MANIFEST, 2), Promise()),
        (msgspec.structs.replace(MANIFEST, levels=MANIFEST.levels[1:]), Promise()),
        (_tempered(MANIFEST, 0, 1.5), Promise()),
        (
            msgspec.structs.replace(MANIFEST, end_to_end=msgspec.structs.replace(MANIFEST.end_to_end, temperature=1.5)),
            Promise(),
        ),
        (msgspec.structs.replace(MANIFEST, groups={"outer": ("left", "right"), "inner": ("middle",)}), Promise()),
        (MANIFEST, Promise(max_loss=0.02)),
        (MANIFEST, Promise(delta=0.1)),
        (MANIFEST, Promise(against="agreement")),
        (MANIFEST, Promise(abstain_above=0.1)),
        (MANIFEST, Promise(alphas=(0.1,))),
    ],
)
def test_what_is_tested_makes_another_test(manifest: Manifest, promise: Promise, data: PreparedData) -> None:
    """Other levels, temperatures, groups or promises are another attempt on the same rows."""
    assert _test(manifest, data, promise) != _test(MANIFEST, data, Promise())


def test_other_data_make_another_test(data: PreparedData) -> None:
    """Other validation rows fix another order; fresh rows that carry the thresholds test other thresholds."""
    tests = {
        _test(MANIFEST, data, Promise()),
        _test(MANIFEST, replace(data, digest="2" * 64), Promise()),
        _test(MANIFEST, data, Promise(), FRESH),
    }
    assert len(tests) == 3


def test_what_was_promised_or_measured_makes_no_other_test(data: PreparedData) -> None:
    """Thresholds, metrics and the promises of before say nothing of what is tested now."""
    measured = layered_manifest()
    levels = [msgspec.structs.replace(level, threshold=0.3) for level in MANIFEST.levels]
    other = msgspec.structs.replace(
        MANIFEST,
        levels=tuple(levels),
        fused_temperature=2.0,
        abstention=measured.abstention,
        sets=measured.sets,
        certificate_absent_because="too few rows",
        model="another",
    )
    assert _test(other, data, Promise()) == _test(MANIFEST, data, Promise())


def _with_times(monkeypatch: pytest.MonkeyPatch, times_us: LevelTimes) -> None:
    measured: Callable[..., LevelTimes] = lambda *_: times_us  # noqa: E731
    monkeypatch.setattr(model_certification, "times", measured)


def test_the_same_test_again_gives_the_same_thresholds(data: PreparedData, monkeypatch: pytest.MonkeyPatch) -> None:
    """Times differ from run to run, and with them the order; a repeated test keeps that of the first."""
    promise = Promise(max_loss=0.05)
    _with_times(monkeypatch, [1.0, 2.0, 100.0])
    first = _certified(data, promise)
    _with_times(monkeypatch, [1.0, 90.0, 100.0])
    again, afresh = _certified(data, promise, first.attempts), _certified(data, promise)
    assert afresh.attempts.attempts[0].order != first.attempts.attempts[0].order
    assert again.promises.thresholds.chosen.values == first.promises.thresholds.chosen.values
    assert again.attempts == first.attempts
    fields = [msgspec.structs.asdict(_certificate(one)) for one in (first, again)]
    for one in fields:
        one.pop("certified_at")
    assert fields[0] == fields[1]
    assert again.times != first.times


def test_another_promise_on_the_same_rows_is_another_attempt(data: PreparedData) -> None:
    """It spends half, its limit is what the rows carry with that, and the certificate and its line say so."""
    first = _certified(data, Promise())
    second = _certified(data, Promise(against="agreement"), first.attempts)
    one, other = _certificate(first), _certificate(second)
    assert (one.attempt, one.delta, one.delta_spent, one.max_loss) == (1, 0.05, 0.05, 0.01)
    assert (other.attempt, other.delta, other.max_loss) == (2, 0.025, 0.02)
    assert other.delta_spent == pytest.approx(0.075)
    assert other.max_losses == max_losses(300, 0.02, 0.025)
    assert one.summary.endswith("on at most 1 % of rows (0 of 300 certification rows, 0 allowed)")
    assert other.summary == (
        "with 97.5 % confidence, the cascade's label is another than the last level's on at most 2 % of rows "
        f"({other.losses} of 300 certification rows, {other.max_losses} allowed; attempt 2 on these rows: the "
        "deltas of all attempts add up to 7.5 %)"
    )
    third = _certified(data, Promise(), second.attempts)  # the first test again
    assert (_certificate(third).attempt, _certificate(third).delta) == (1, 0.05)
    assert third.attempts == second.attempts
    assert len(second.attempts.rows) == 1


def test_the_limit_is_known_before_a_network_runs(data: PreparedData) -> None:
    """So a limit that the rows cannot carry can be refused before anything is tested on them."""
    unfetched: dict[str, bytes] = {}
    without_networks = CertificationRows(Model(make_manifest(), unfetched.__getitem__), data, Promise(), NONE)
    assert without_networks.settled.promise.max_loss == 0.01
    assert _certified(data, Promise()).promises.settled == without_networks.settled
    beside_others = _rows(make_manifest(), data, Promise(alphas=(0.1,)))
    assert certify_model(beside_others).promises.settled == beside_others.settled
    assert beside_others.settled.promise.max_loss == 0.02  # 230 of 300 rows
    assert _rows(make_manifest(), data, Promise(), fresh=FRESH).settled.why.startswith("400 certification rows carry")


def _fewer(data: PreparedData, count: int) -> PreparedData:
    some = Split(data.certification.inputs[:count], data.certification.labels[:count])
    return replace(data, certification=some)


def test_too_few_rows_are_no_attempt(data: PreparedData) -> None:
    """They are not looked at, so all of delta is left for rows to come."""
    certification = _certified(_fewer(data, 50), Promise())
    assert certification.promises.thresholds.certificate is None
    assert certification.attempts == NONE


def test_abstention_is_an_attempt_where_rows_are_too_few_for_thresholds(data: PreparedData) -> None:
    """It has looked at its own rows."""
    certification = _certified(_fewer(data, 50), Promise(abstain_above=0.3))
    assert certification.promises.thresholds.certificate is None
    assert len(certification.attempts.attempts) == 1


def test_a_promise_that_cannot_be_certified_is_an_attempt(data: PreparedData) -> None:
    """The rows were looked at, and told something: the last level alone breaks the promise."""
    certification = _certified(data, Promise(max_loss=0.01, against="labels"))
    assert certification.promises.thresholds.uncertifiable
    (attempt,) = certification.attempts.attempts
    assert (attempt.delta, attempt.rows) == (0.05, digests_of(data.certification.inputs).name)


def test_fresh_rows_carry_the_thresholds(data: PreparedData) -> None:
    """They start anew, whatever was tested on the certification rows, and the certificate names them."""
    before = _certified(data, Promise()).attempts
    certification = _certified(data, Promise(against="agreement"), before, FRESH)
    certificate, name = _certificate(certification), digests_of(FRESH.inputs).name
    assert (certificate.rows, certificate.division, certificate.data_digest) == (400, {"thresholds": 400}, name)
    assert (certificate.attempt, certificate.delta, certificate.delta_spent) == (1, 0.05, 0.05)
    assert [one.rows for one in certification.attempts.attempts[1:]] == [name]
    rows = record(Model(make_manifest(), fetch), FRESH)
    values = certification.promises.thresholds.chosen.values
    assert certificate.losses == int(lost(rows, values, "agreement").sum())


def test_unlabelled_rows_carry_an_agreement_as_labelled_ones_do(data: PreparedData) -> None:
    """Labels play no part in it."""
    unlabelled = Split(FRESH.inputs, np.full(400, -1))
    promise = Promise(against="agreement", abstain_above=0.6, alphas=(0.2,))
    one, other = (_certified(data, promise, fresh=rows).promises for rows in (FRESH, unlabelled))
    assert one.thresholds.chosen.values == other.thresholds.chosen.values
    assert one.thresholds.certificate is not None
    assert other.thresholds.certificate is not None
    assert one.thresholds.certificate.losses == other.thresholds.certificate.losses
    assert (one.abstention, one.sets) == (other.abstention, other.sets)


def test_abstention_and_sets_stay_on_the_rows_of_the_training(data: PreparedData) -> None:
    """They need labels, and share all certification rows; only abstention spends delta on them."""
    promise = Promise(abstain_above=0.6, alphas=(0.2,))
    certification = _certified(data, promise, fresh=FRESH)
    promises = certification.promises
    assert _certificate(certification).division == {"thresholds": 400, "abstention": 150, "sets": 150}
    assert promises.abstention is not None
    assert promises.sets is not None
    assert (promises.abstention.rows, promises.sets.rows) == (150, 150)
    own, fresh = (digests_of(split.inputs).name for split in (data.certification, FRESH))
    assert [one.rows for one in certification.attempts.attempts] == [fresh, own]
    sets_alone = _certified(data, Promise(alphas=(0.2,)), fresh=FRESH)
    assert [one.rows for one in sets_alone.attempts.attempts] == [fresh]


def test_thresholds_on_the_training_s_rows_are_new_after_abstention_on_them(data: PreparedData) -> None:
    """Only abstention was tested there, beside fresh rows; the same promise without them is a second attempt."""
    promise = Promise(max_loss=0.05, abstain_above=0.5)
    beside_fresh = _certified(data, promise, fresh=FRESH)
    certification = _certified(data, promise, beside_fresh.attempts)
    assert (_certificate(certification).attempt, _certificate(certification).delta) == (2, 0.025)
    assert certification.promises.abstention is not None
    assert certification.promises.abstention.delta == 0.025
    again = _certified(data, promise, certification.attempts, FRESH)
    assert _certificate(again).attempt == 1
    assert again.promises.abstention is not None
    assert again.promises.abstention.delta == 0.05
    assert again.attempts == certification.attempts


def test_fresh_rows_that_were_used_count_as_used(data: PreparedData) -> None:
    """One certification row among them makes it a further attempt."""
    before: Attempts = _certified(data, Promise()).attempts
    inputs = np.concatenate([FRESH.inputs, data.certification.inputs[:1]])
    mixed = Split(inputs, np.append(FRESH.labels, data.certification.labels[0]))
    assert _certificate(_certified(data, Promise(), before, mixed)).attempt == 2


def test_warnings_name_useless_levels(data: PreparedData, monkeypatch: pytest.MonkeyPatch) -> None:
    """They come with the certification, by the times that it measured."""
    _with_times(monkeypatch, [1.0, 200.0, 100.0])
    warnings: Sequence[str] = _certified(data, Promise()).warnings
    assert "level large takes no more time than small before it: an exit before it saves nothing" in warnings
