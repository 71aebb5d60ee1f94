"""training.certifying.promises, training.certifying.abstention and training.certifying.prediction_sets."""

from collections.abc import Sequence
from dataclasses import replace

import msgspec
import numpy as np
import pytest
from numpy.typing import NDArray

from tests.serving import make_manifest
from tests.training.recordings import drawn, of_words
from training.certifying import abstention as selective
from training.certifying.abstention import Answered, abstention, order, rules, walk
from training.certifying.certification import p_value
from training.certifying.prediction_sets import prediction_sets
from training.certifying.promises import Promises, divide, make
from training.fitting.calibration import fused_temperature
from training.replay.recording import Recording
from training.task import Promise
from weir.catalog.promises import Abstention
from weir.engine.abstention import give
from weir.engine.cascade import ALWAYS_ESCALATE, Predictions, tempered
from weir.engine.confidence import softmax
from weir.engine.hierarchy import Hierarchy
from weir.engine.sets import sets

Floats = NDArray[np.float32]

ALL = Promise(max_loss=0.05, abstain_above=0.1, alphas=(0.1, 0.3))
ROWS = 4000
PAIRS = Hierarchy(("low", "high"), ((0, 1), (2, 3)), (0.25,) * 4)
BLANK = Abstention(max_error=0.05, delta=0.05, threshold=0, rows=0, answered=0, wrong=0, p_value=1)


def _drawn(seed: int = 0, rows: int = ROWS) -> Recording:
    """Draw a cheap and a good level over four labels."""
    return drawn(seed, (2.0, 3.0), rows)


def _paired(seed: int, rows: int = ROWS, *, of_group: float = 1.0) -> Recording:
    """Draw a cheap and a good level that tell pairs of labels apart better than the labels of a pair."""
    random = np.random.default_rng(seed)
    labels = random.integers(0, 4, rows)

    def word(skill: float) -> Floats:
        logits = random.normal(size=(rows, 4)).astype(np.float32)
        logits[np.arange(rows), labels] += skill
        logits[PAIRS.group_of[labels][:, None] == PAIRS.group_of] += of_group
        return softmax(logits)

    return of_words([word(1.0), word(2.0)], labels, PAIRS)


def _made(promise: Promise = ALL) -> Promises:
    return make(_drawn(1, 1000), _drawn(2, 1600), (1.0, 10.0), promise, ("digest", 0))


def test_rows_are_divided_among_the_promises_asked_for() -> None:
    """Ten to three to three, every row once, the same for the same seed."""
    parts = divide(8000, ALL, 0)
    assert {name: len(rows) for name, rows in parts.items()} == {"thresholds": 5000, "abstention": 1500, "sets": 1500}
    assert sorted(np.concatenate(list(parts.values())).tolist()) == list(range(8000))
    np.testing.assert_array_equal(parts["sets"], divide(8000, ALL, 0)["sets"])
    assert {name: len(rows) for name, rows in divide(750, Promise(), 0).items()} == {"thresholds": 750}


def test_every_promise_is_recorded() -> None:
    """With the division, on the certificate."""
    made = _made()
    assert made.certified.certificate is not None
    assert made.certified.certificate.division == {"thresholds": 1000, "abstention": 300, "sets": 300}
    assert made.certified.certificate.rows == 1000
    assert made.abstention is not None
    assert (made.abstention.rows, made.abstention.max_error) == (300, 0.1)
    assert made.abstention.p_value == p_value(made.abstention.wrong, made.abstention.answered, 0.1)
    assert made.abstention.p_value <= 0.05
    assert made.sets is not None
    assert [one.alpha for one in made.sets.quantiles] == [0.1, 0.3]


def test_what_is_not_asked_for_is_not_promised() -> None:
    """And takes no rows."""
    made = _made(Promise(max_loss=0.05))
    assert made.abstention is None
    assert made.sets is None
    assert made.certified.certificate is not None
    assert made.certified.certificate.division == {"thresholds": 1600}


def test_an_error_that_nothing_keeps_is_not_promised() -> None:
    """A warning says so."""
    made = _made(msgspec.structs.replace(ALL, abstain_above=0.0001))
    assert made.abstention is None
    (warning,) = made.warnings
    assert warning.startswith("no threshold keeps the error of labels below 0.01 % on 300 rows, so no row abstains; ")


def test_promises_are_written_into_a_manifest() -> None:
    """With the thresholds of the levels, and the temperature of what they say."""
    made, plain = _made(), make_manifest()
    found = made.on(msgspec.structs.replace(plain, levels=plain.levels[1:]))
    assert tuple(level.threshold for level in found.levels) == made.certified.thresholds.values
    assert found.fused_temperature == made.fused_temperature
    assert (found.certificate, found.abstention, found.sets) == (made.certified.certificate, made.abstention, made.sets)
    assert found.certificate_absent_because is None


def test_what_is_promised_is_what_serving_does() -> None:
    """Thresholds, then the temperature of validation rows, then the rule; each on rows of its own."""
    validation, certification = _paired(1, 1000), _paired(2, 1600)
    made = make(validation, certification, (1.0, 10.0), msgspec.structs.replace(ALL, max_loss=0.02), ("digest", 7))
    parts = divide(1600, ALL, 7)
    values = made.certified.thresholds.values
    assert made.fused_temperature == fused_temperature(
        validation.answers(values), validation.labels, ["replace", "replace"]
    )

    def served(part: str) -> tuple[Predictions, NDArray[np.int64]]:
        rows = certification.rows(parts[part])
        return tempered(rows.answers(values), made.fused_temperature, ["replace", "replace"]), rows.labels

    assert made.abstention is not None
    answers, labels = served("abstention")
    assert _counted(answers, labels, made.abstention) == _counts(made.abstention)
    answers, labels = served("sets")
    assert made.sets == prediction_sets(answers.probabilities, labels, ALL.alphas)
    assert made.certified.certificate is not None
    assert made.certified.certificate.losses == _lost(certification.rows(parts["thresholds"]), values)


def _lost(rows: Recording, values: Sequence[float]) -> int:
    return int(((rows.answers(values).label != rows.labels) & rows.end_to_end_right).sum())


def _answered(rows: Recording) -> Answered:
    """Answer rows, most of them at the end."""
    return Answered(rows.answers((0.95, 0.0)), rows.labels)


def test_thresholds_are_tested_from_the_safest_down() -> None:
    """Each answers more rows than the one before; the last answers all; the first has the least p-value."""
    known = _answered(_drawn(3))
    found = order(known, 300, 0.1)
    assert found == sorted(set(found), reverse=True)
    assert found[-1] == 0
    answered = [known.counts(threshold)[0] for threshold in found]
    assert answered == sorted(answered)
    assert answered[-1] == ROWS
    ps = [_expected_p(known, threshold, 300, 0.1) for threshold in found]
    assert ps[0] == min(ps)


def _expected_p(known: Answered, threshold: float, rows: int, max_error: float) -> float:
    answered, wrong = known.counts(threshold)
    return p_value(int(wrong * rows / len(known.labels)), int(answered * rows / len(known.labels)), max_error)


def test_rows_that_overflow_are_no_thresholds() -> None:
    """They abstain whatever the threshold, and the others are as they were."""
    known = _answered(_drawn(3, 200))
    last = np.flatnonzero(known.answers.at_end)[0]
    known.answers.confidence[last] = np.nan
    found = order(known, 300, 0.1)
    assert np.isfinite(found).all()
    assert known.counts(found[-1])[0] == 199


def test_abstention_keeps_its_error_as_often_as_it_says() -> None:
    """Rows drawn with replacement from a population; the error is that of the rule which serving applies."""
    known, population = _answered(_drawn(4)), _drawn(5)
    random, broken, draws, answered = np.random.default_rng(0), 0, 200, []
    whole = _answered(population)
    for _ in range(draws):
        rows = population.rows(random.integers(0, ROWS, 500))
        rule = abstention(known, _answered(rows), 0.05, 0.05)
        assert rule is not None
        told = ~give(whole.answers, rule, None).abstains
        broken += float((whole.answers.label != whole.labels)[told].mean()) > 0.05
        answered.append(float(told.mean()))
    assert broken / draws <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / draws)
    assert np.mean(answered) > 0.5


def _counts(rule: Abstention) -> tuple[int, int, int, int]:
    return rule.answered, rule.wrong, rule.grouped, rule.grouped_wrong


def _counted(answers: Predictions, labels: NDArray[np.int64], rule: Abstention) -> tuple[int, int, int, int]:
    """Count, row by row, what serving gives: labels, wrong ones, groups without a label, wrong ones."""
    given = give(answers, rule, PAIRS)
    answered = wrong = grouped = astray = 0
    for row, label in enumerate(labels.tolist()):
        if not given.abstains[row]:
            answered, wrong = answered + 1, wrong + int(answers.label[row] != label)
        elif given.group[row] >= 0:
            grouped, astray = grouped + 1, astray + int(label not in PAIRS.members[given.group[row]])
    return answered, wrong, grouped, astray


@pytest.mark.parametrize("threshold", [0.0, 0.5, 0.9, ALWAYS_ESCALATE])
@pytest.mark.parametrize("group_threshold", [None, 0.0, 0.8, 0.99])
def test_a_rule_is_counted_as_serving_gives(threshold: float, group_threshold: float | None) -> None:
    """Labels, groups and those that are wrong; it passes when both promises do."""
    rows = _answered(_paired(8, 300))
    rule = msgspec.structs.replace(BLANK, threshold=threshold, group_threshold=group_threshold)
    found = selective.tested(rows, rule, PAIRS)
    answered, wrong, grouped, astray = _counted(rows.answers, rows.labels, rule)
    assert _counts(found) == (answered, wrong, grouped, astray)
    assert found.rows == 300
    assert found.p_value == max(p_value(wrong, answered, 0.05), p_value(wrong + astray, answered + grouped, 0.05))
    assert grouped == 0 or group_threshold is not None
    assert answered + grouped == 300 or group_threshold != 0


def test_a_rule_without_groups_counts_labels_alone() -> None:
    """Where the model has none."""
    rows = _answered(_paired(8, 300))
    found = selective.tested(rows, msgspec.structs.replace(BLANK, threshold=0.9), None)
    assert (found.answered, found.wrong) == _counted(rows.answers, rows.labels, found)[:2]
    assert (found.grouped, found.grouped_wrong) == (0, 0)
    assert found.p_value == p_value(found.wrong, found.answered, 0.05)


def test_a_group_is_given_where_it_is_no_worse_than_labels() -> None:
    """On validation rows, for every rule that is tried; the thresholds of labels are those without groups."""
    known = _answered(_paired(9))
    found = rules(known, 500, BLANK, PAIRS)
    assert [rule.threshold for rule in found] == order(known, 500, 0.05)
    for rule in found:
        answered, wrong, grouped, astray = _counted(known.answers, known.labels, rule)
        assert (rule.group_threshold is None) == (grouped == 0)
        assert (wrong + astray) * answered <= wrong * (answered + grouped)
    assert sum(rule.group_threshold is not None for rule in found) > 10
    assert all(rule.group_threshold is None for rule in rules(known, 500, BLANK, None))


@pytest.mark.parametrize("threshold", [0.5, 0.6, 0.7])
def test_as_many_groups_are_given_as_may_be(threshold: float) -> None:
    """Lower thresholds give hardly more groups, or worse ones than labels."""
    known = _answered(_paired(9))
    (rule,) = [one for one in rules(known, 500, BLANK, PAIRS) if abs(one.threshold - threshold) < 0.02][:1]
    assert rule.group_threshold is not None
    answered, wrong, grouped, _ = _counted(known.answers, known.labels, rule)
    for lower in np.arange(0, rule.group_threshold, 0.01).tolist():
        other = msgspec.structs.replace(rule, group_threshold=lower)
        _, _, more, astray = _counted(known.answers, known.labels, other)
        assert more - grouped < 0.01 * ROWS or (wrong + astray) * answered > wrong * (answered + more)


def test_groups_that_are_always_right_are_always_given() -> None:
    """Every row that abstains has one."""
    rows = _answered(_paired(10, 500, of_group=100))
    for rule in rules(rows, 500, BLANK, PAIRS):
        found = selective.tested(rows, rule, PAIRS)
        assert found.answered + found.grouped == 500
        assert found.grouped_wrong == 0


def test_groups_that_are_mostly_wrong_are_never_given() -> None:
    """Then the rule is the one without groups."""
    rows = _answered(_paired(10, 500))
    astray = replace(rows, labels=np.where(rows.answers.confidence < 0.7, 3 - rows.answers.label, rows.answers.label))
    found = abstention(astray, astray, 0.05, 0.05, PAIRS)
    assert found is not None
    assert found.threshold > 0
    assert found.group_threshold is None
    assert found == abstention(astray, astray, 0.05, 0.05)


def test_the_rule_before_the_first_that_fails_is_kept() -> None:
    """Not a later one, although it would pass; and none where the first fails."""
    rows = _answered(_paired(11, 500))
    good, bad = (msgspec.structs.replace(BLANK, threshold=threshold) for threshold in (0.7, 0.0))
    assert selective.tested(rows, bad, PAIRS).p_value > 0.05 >= selective.tested(rows, good, PAIRS).p_value
    safer = msgspec.structs.replace(good, threshold=0.75)
    assert walk([safer, good, bad, safer], rows, PAIRS) == selective.tested(rows, good, PAIRS)
    assert walk([bad, good], rows, PAIRS) is None


def test_labels_and_groups_keep_their_errors_as_often_as_they_say() -> None:
    """Rows drawn with replacement from a population; a draw that breaks either promise is broken."""
    known, population = _answered(_paired(12)), _paired(13)
    whole, random, broken, draws, grouped = _answered(population), np.random.default_rng(0), 0, 200, []
    tried = rules(known, 500, BLANK, PAIRS)
    for _ in range(draws):
        rule = walk(tried, _answered(population.rows(random.integers(0, ROWS, 500))), PAIRS)
        if rule is None:
            continue
        given = give(whole.answers, rule, PAIRS)
        labelled, told = ~given.abstains, given.abstains & (given.group >= 0)
        wrong = (whole.answers.label != whole.labels) & labelled
        astray = (given.group != PAIRS.group_of[whole.labels]) & told
        of_labels = wrong.sum() / labelled.sum()
        of_both = (wrong.sum() + astray.sum()) / (labelled.sum() + told.sum())
        broken += max(of_labels, of_both) > 0.05
        grouped.append(float(told.mean()))
    assert broken / draws <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / draws)
    assert np.mean(grouped) > 0.1


@pytest.mark.parametrize("per_label", [False, True])
def test_prediction_sets_cover_as_promised_on_average(per_label: bool) -> None:
    """Over draws, by the sets that serving makes; and not by holding every label."""
    population = _drawn(6)
    posterior, labels = _answered(population).answers.probabilities, population.labels
    random, covered, sizes = np.random.default_rng(0), [], []
    for _ in range(200):
        drawn = random.integers(0, ROWS, 300)
        quantile = prediction_sets(posterior[drawn], labels[drawn], [0.1]).quantiles[0]
        held = sets(posterior, quantile, per_label=per_label)
        covered.append(held[np.arange(ROWS), labels].mean())
        sizes.append(held.sum(axis=1).mean())
    assert np.mean(covered) >= 0.9 - 3 * np.std(covered) / np.sqrt(200)
    assert np.mean(sizes) < 3


def test_too_few_rows_let_every_label_in() -> None:
    """With nine rows, one in twenty cannot be promised otherwise; one in ten can."""
    posterior = np.tile(np.array([[0.6, 0.4]], np.float32), (9, 1))
    found = prediction_sets(posterior, np.array([0] * 8 + [1]), [0.05, 0.1, 0.2])
    assert [round(one.least, 4) for one in found.quantiles] == [0.0, 0.4, 0.6]
    assert found.quantiles[2].least_per_label is not None
    assert list(found.quantiles[2].least_per_label) == pytest.approx([0.6, 0.0])


def test_rows_that_all_leave_early_are_all_answered() -> None:
    """No row reached the last level, so none may abstain, however unsure."""
    rows = _drawn(7, 500)
    early = Answered(rows.answers((0.0, 0.0)), rows.labels)
    rule = abstention(early, early, 0.5, 0.05)
    assert rule is not None
    assert (rule.threshold, rule.answered) == (0.0, 500)
    assert order(early, 500, 0.5) == [0.0]
