"""training.certifying.abstention_promise."""

from dataclasses import replace

import msgspec
import numpy as np
import pytest

from tests.training.certifying.counting import counted, counts
from tests.training.recordings import BLANK, PAIRS, drawn, paired
from training.certifying import abstention_promise
from training.certifying.abstention_promise import (
    candidate_rules,
    certify_abstention,
    fixed_sequence_test,
    threshold_order,
)
from training.certifying.binomial import p_value
from training.certifying.final_posterior import FinalPredictions
from training.replay.recording import Recording
from weir.engine.abstention import decide
from weir.engine.hierarchy import NO_GROUPS

ROWS = 4000


def _drawn(seed: int, rows: int = ROWS) -> Recording:
    """Draw a cheap and a good level over four labels."""
    return drawn(seed, (2.0, 3.0), rows)


def _final(rows: Recording, first_threshold: float = 0.95) -> FinalPredictions:
    """Predict rows, most of them at the last level."""
    return FinalPredictions(rows.predictions((first_threshold, 0.0)), rows.labels)


def test_thresholds_are_tested_from_the_safest_down() -> None:
    """Each answers more rows than the one before; the last answers all; the first has the least p-value."""
    validation = _final(_drawn(3))
    thresholds = threshold_order(validation, 300, 0.1)
    assert thresholds == sorted(set(thresholds), reverse=True)
    assert thresholds[-1] == 0
    answered = [validation.counts(threshold)[0] for threshold in thresholds]
    assert answered == sorted(answered)
    assert answered[-1] == ROWS
    ps = [_expected_p(validation, threshold, 300, 0.1) for threshold in thresholds]
    assert ps[0] == min(ps)


def _expected_p(validation: FinalPredictions, threshold: float, rows: int, max_error: float) -> float:
    answered, wrong = validation.counts(threshold)
    total = len(validation.labels)
    return p_value(int(wrong * rows / total), int(answered * rows / total), max_error)


def test_a_confidence_that_is_not_a_number_is_no_threshold() -> None:
    """Such a row abstains whatever the threshold, and the others are counted as before."""
    validation = _final(_drawn(3, 200))
    last = np.flatnonzero(validation.predictions.at_last_level)[0]
    validation.predictions.confidence[last] = np.nan
    thresholds = threshold_order(validation, 300, 0.1)
    assert np.isfinite(thresholds).all()
    assert validation.counts(thresholds[-1])[0] == 199


def test_abstention_keeps_its_error_as_often_as_it_states() -> None:
    """Rows are drawn with replacement from a population; the error is that of the rule which serving applies."""
    validation, population = _final(_drawn(4)), _drawn(5)
    random, broken, draws, answered = np.random.default_rng(0), 0, 200, []
    whole = _final(population)
    for _ in range(draws):
        rows = population.rows(random.integers(0, ROWS, 500))
        rule = certify_abstention(validation, _final(rows), 0.05, 0.05, NO_GROUPS)
        assert rule is not None
        labelled = ~decide(whole.predictions, rule, NO_GROUPS).abstains
        broken += float((whole.predictions.label != whole.labels)[labelled].mean()) > 0.05
        answered.append(float(labelled.mean()))
    assert broken / draws <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / draws)
    assert np.mean(answered) > 0.5


@pytest.mark.parametrize("threshold", [0.0, 0.5, 0.9, 2.0])
@pytest.mark.parametrize("group_threshold", [None, 0.0, 0.8, 0.99])
def test_a_rule_is_counted_as_serving_applies_it(threshold: float, group_threshold: float | None) -> None:
    """It counts labels, groups and those of them that are wrong, and passes when both promises do."""
    rows = _final(paired(8, 300))
    rule = msgspec.structs.replace(BLANK, threshold=threshold, group_threshold=group_threshold)
    result = abstention_promise.evaluate_rule(rows, rule, PAIRS)
    answered, wrong, grouped, grouped_wrong = counted(rows, rule)
    assert counts(result) == (answered, wrong, grouped, grouped_wrong)
    assert result.rows == 300
    both = p_value(wrong + grouped_wrong, answered + grouped, 0.05)
    assert result.p_value == max(p_value(wrong, answered, 0.05), both)
    assert grouped == 0 or group_threshold is not None
    assert answered + grouped == 300 or group_threshold != 0


def test_a_rule_of_a_model_without_groups_counts_labels_alone() -> None:
    """No row has a group, and the p-value is that of the labels."""
    rows = _final(paired(8, 300))
    result = abstention_promise.evaluate_rule(rows, msgspec.structs.replace(BLANK, threshold=0.9), NO_GROUPS)
    assert (result.answered, result.wrong) == counted(rows, result)[:2]
    assert (result.grouped, result.grouped_wrong) == (0, 0)
    assert result.p_value == p_value(result.wrong, result.answered, 0.05)


def test_a_group_is_given_where_it_is_wrong_no_more_often_than_labels() -> None:
    """So it is on validation rows, for every rule; the thresholds of labels are those without groups."""
    validation = _final(paired(9, ROWS))
    candidates = candidate_rules(validation, 500, BLANK, PAIRS)
    assert [rule.threshold for rule in candidates] == threshold_order(validation, 500, 0.05)
    for rule in candidates:
        answered, wrong, grouped, grouped_wrong = counted(validation, rule)
        assert (rule.group_threshold is None) == (grouped == 0)
        assert (wrong + grouped_wrong) * answered <= wrong * (answered + grouped)
    assert sum(rule.group_threshold is not None for rule in candidates) > 10
    assert all(rule.group_threshold is None for rule in candidate_rules(validation, 500, BLANK, NO_GROUPS))


@pytest.mark.parametrize("threshold", [0.5, 0.6, 0.7])
def test_as_many_groups_are_given_as_may_be(threshold: float) -> None:
    """Lower thresholds of groups give hardly more groups, or groups that are wrong more often than labels."""
    validation = _final(paired(9, ROWS))
    candidates = candidate_rules(validation, 500, BLANK, PAIRS)
    rule = next(one for one in candidates if abs(one.threshold - threshold) < 0.02)
    assert rule.group_threshold is not None
    answered, wrong, grouped, _ = counted(validation, rule)
    for lower in np.arange(0, rule.group_threshold, 0.01).tolist():
        other = msgspec.structs.replace(rule, group_threshold=lower)
        _, _, more, more_wrong = counted(validation, other)
        assert more - grouped < 0.01 * ROWS or (wrong + more_wrong) * answered > wrong * (answered + more)


def test_groups_that_are_always_correct_are_always_given() -> None:
    """Every abstaining row has its group."""
    rows = _final(paired(10, 500, of_group=100))
    for rule in candidate_rules(rows, 500, BLANK, PAIRS):
        result = abstention_promise.evaluate_rule(rows, rule, PAIRS)
        assert result.answered + result.grouped == 500
        assert result.grouped_wrong == 0


def test_groups_that_are_mostly_wrong_are_never_given() -> None:
    """Then the rule is the one of a model without groups."""
    rows = _final(paired(10, 500))
    predictions = rows.predictions
    labels = np.where(predictions.confidence < 0.7, 3 - predictions.label, predictions.label)
    confused = replace(rows, labels=labels)
    rule = certify_abstention(confused, confused, 0.05, 0.05, PAIRS)
    assert rule is not None
    assert rule.threshold > 0
    assert rule.group_threshold is None
    assert rule == certify_abstention(confused, confused, 0.05, 0.05, NO_GROUPS)


def test_the_rule_before_the_first_that_fails_is_kept() -> None:
    """A later one is not, although it would pass; and there is none where the first fails."""
    rows = _final(paired(11, 500))
    good, bad = (msgspec.structs.replace(BLANK, threshold=threshold) for threshold in (0.7, 0.0))
    assert (
        abstention_promise.evaluate_rule(rows, bad, PAIRS).p_value
        > 0.05
        >= abstention_promise.evaluate_rule(rows, good, PAIRS).p_value
    )
    safer = msgspec.structs.replace(good, threshold=0.75)
    assert fixed_sequence_test([safer, good, bad, safer], rows, PAIRS) == abstention_promise.evaluate_rule(
        rows, good, PAIRS
    )
    assert fixed_sequence_test([bad, good], rows, PAIRS) is None


def test_labels_and_groups_keep_their_errors_as_often_as_the_rule_states() -> None:
    """Rows are drawn with replacement from a population; a draw that breaks either promise is broken."""
    validation, population = _final(paired(12, ROWS)), paired(13, ROWS)
    whole, random, broken, draws, grouped = _final(population), np.random.default_rng(0), 0, 200, []
    candidates = candidate_rules(validation, 500, BLANK, PAIRS)
    for _ in range(draws):
        rule = fixed_sequence_test(candidates, _final(population.rows(random.integers(0, ROWS, 500))), PAIRS)
        if rule is None:
            continue
        abstentions = decide(whole.predictions, rule, PAIRS)
        labelled, with_group = ~abstentions.abstains, abstentions.abstains & (abstentions.group >= 0)
        wrong = (whole.predictions.label != whole.labels) & labelled
        wrong_group = (abstentions.group != PAIRS.group_of[whole.labels]) & with_group
        of_labels = wrong.sum() / labelled.sum()
        of_both = (wrong.sum() + wrong_group.sum()) / (labelled.sum() + with_group.sum())
        broken += max(of_labels, of_both) > 0.05
        grouped.append(float(with_group.mean()))
    assert broken / draws <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / draws)
    assert np.mean(grouped) > 0.1


def test_rows_that_all_exit_early_are_all_answered() -> None:
    """Only rows of the last level abstain, so none of these does, whatever its confidence."""
    early = _final(_drawn(7, 500), first_threshold=0.0)
    rule = certify_abstention(early, early, 0.5, 0.05, NO_GROUPS)
    assert rule is not None
    assert (rule.threshold, rule.answered) == (0.0, 500)
    assert threshold_order(early, 500, 0.5) == [0.0]
