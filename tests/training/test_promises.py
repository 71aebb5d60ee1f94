"""training.promises, training.selective and training.conformal."""

import msgspec
import numpy as np
import pytest
from numpy.typing import NDArray

from training.certification import p_value
from training.conformal import prediction_sets
from training.promises import Promises, divide, make
from training.selective import abstention, order
from training.task import Promise
from training.thresholds import Rows, replay
from weir.abstention import give
from weir.cascade import Answers
from weir.confidence import softmax
from weir.sets import sets

ALL = Promise(max_loss=0.05, abstain_above=0.1, alphas=(0.1, 0.3))
ROWS = 4000


def _drawn(seed: int = 0, rows: int = ROWS) -> Rows:
    """Draw a cheap and a good level over four labels."""
    random = np.random.default_rng(seed)
    labels = random.integers(0, 4, rows)

    def word(skill: float) -> NDArray[np.float32]:
        logits = random.normal(size=(rows, 4)).astype(np.float32)
        logits[np.arange(rows), labels] += skill
        return softmax(logits)

    return Rows([word(2.0), word(3.0)], labels)


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
    assert made.warnings == ("no threshold keeps the error of labels below 0.01 % on 300 rows",)


def _answers(rows: Rows) -> Answers:
    return replay(rows, (0.95, 0.0))


def test_thresholds_are_tested_from_the_safest_down() -> None:
    """Each answers more rows than the one before; the last answers all."""
    rows = _drawn(3)
    found = order(_answers(rows), rows.labels, 300, 0.1)
    assert found == sorted(set(found), reverse=True)
    assert found[-1] == 0


def test_abstention_keeps_its_error_as_often_as_it_says() -> None:
    """Rows drawn with replacement from a population; the error is that of the rule which serving applies."""
    known, population = _drawn(4), _drawn(5)
    random, broken, draws, answered = np.random.default_rng(0), 0, 200, []
    whole = _answers(population)
    for _ in range(draws):
        drawn = random.integers(0, ROWS, 500)
        rows = Rows([word[drawn] for word in population.words], population.labels[drawn])
        rule = abstention((_answers(known), known.labels), (_answers(rows), rows.labels), 0.05, 0.05)
        assert rule is not None
        told = ~give(whole, rule, None).abstains
        broken += float((whole.label != population.labels)[told].mean()) > 0.05
        answered.append(float(told.mean()))
    assert broken / draws <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / draws)
    assert np.mean(answered) > 0.5


@pytest.mark.parametrize("per_label", [False, True])
def test_prediction_sets_cover_as_promised_on_average(per_label: bool) -> None:
    """Over draws, by the sets that serving makes; and not by holding every label."""
    population = _drawn(6)
    posterior, labels = _answers(population).probabilities, population.labels
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
    early = replay(rows, (0.0, 0.0))
    rule = abstention((early, rows.labels), (early, rows.labels), 0.5, 0.05)
    assert rule is not None
    assert (rule.threshold, rule.answered) == (0.0, 500)
    assert order(early, rows.labels, 500, 0.5) == [0.0]
