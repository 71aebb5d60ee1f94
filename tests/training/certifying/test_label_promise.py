"""training.certifying.label_promise: the promise for each label by itself."""

from collections.abc import Callable, Sequence

import msgspec
import numpy as np
import pytest
from numpy.typing import NDArray

from tests.serving import make_manifest
from tests.training.recordings import probabilities, recording
from training.certifying.binomial import max_losses, p_value
from training.certifying.label_promise import LabelTests, label_tests
from training.certifying.loss_promise import certify_thresholds, describe
from training.replay.recording import Recording
from training.replay.thresholds import Thresholds, lost, sequence
from training.task import SettledPromise
from weir.catalog.promises import Against
from weir.engine.cascade import Threshold

NAMES = ("usual", "rare", "odd")
PROMISE = SettledPromise(max_loss=0.05, max_loss_per_label=0.05)
LABELS = np.array([0] * 200 + [1] * 100 + [2] * 20)


def _flags(**lost_rows: int) -> NDArray[np.bool_]:
    """Flag so many rows of each label."""
    flags = np.zeros(len(LABELS), bool)
    for name, count in lost_rows.items():
        flags[np.flatnonzero(NAMES.index(name) == LABELS)[:count]] = True
    return flags


def test_each_label_with_rows_enough_is_tested_on_its_own_rows() -> None:
    """A label of fewer rows is named, has no test, and fails none."""
    tests = LabelTests.of(LABELS, NAMES, 0.05, 0.05)
    assert tests.allowed.tolist() == [max_losses(200, 0.05, 0.05), max_losses(100, 0.05, 0.05), -1] == [4, 1, -1]
    assert tests.failing(_flags(usual=4, rare=1, odd=20)) == []
    assert tests.failing(_flags(usual=5, rare=2)) == [0, 1]
    promise = tests.promise(_flags(usual=3, rare=1, odd=2))
    assert [(one.label, one.rows, one.losses, one.max_losses) for one in promise.labels] == [
        ("usual", 200, 3, 4),
        ("rare", 100, 1, 1),
    ]
    assert [one.p_value for one in promise.labels] == [p_value(3, 200, 0.05), p_value(1, 100, 0.05)]
    assert (promise.rows_needed, promise.too_few) == (59, {"odd": 20})


def _rows(wrong: Sequence[int], last_wrong: Sequence[int] = ()) -> Recording:
    """Record two levels; the first is ever less confident from row to row, and each is wrong on some rows."""

    def level(confidence: NDArray[np.float64], wrong: Sequence[int]) -> NDArray[np.float32]:
        posterior = np.repeat((1 - confidence)[:, None] / 2, 3, axis=1)
        given = LABELS.copy()
        given[list(wrong)] = (given[list(wrong)] + 1) % 3
        posterior[np.arange(len(LABELS)), given] = confidence
        return posterior.astype(np.float32)

    random = np.random.default_rng(0)
    first = random.permutation(np.linspace(0.99, 0.6, len(LABELS)))
    return recording([level(first, wrong), level(np.full(len(LABELS), 0.9), last_wrong)], LABELS)


def _vectors(*thresholds: float) -> list[Thresholds]:
    return [Thresholds((threshold, 0.0), 0.0, 0.0) for threshold in (None, *thresholds)]


def test_a_vector_that_one_label_fails_is_not_kept() -> None:
    """4 of 320 lost rows are few enough for all rows, and too many for the label that has all four."""
    rows = _rows(wrong=[210, 220, 230, 240])
    plain = msgspec.structs.replace(PROMISE, max_loss_per_label=None)
    alone = certify_thresholds(_vectors(0.995, 0.0), rows, plain, "digest", label_tests(rows, NAMES, plain))
    assert alone.chosen.values == (0.0, 0.0)
    assert alone.certificate is not None
    assert alone.certificate.per_label is None
    both = certify_thresholds(_vectors(0.995, 0.0), rows, PROMISE, "digest", label_tests(rows, NAMES, PROMISE))
    assert both.chosen.values == (0.995, 0.0)
    assert both.certificate is not None
    assert both.certificate.tried == 3
    assert both.certificate.per_label is not None
    assert [one.label for one in both.certificate.per_label.labels] == ["usual", "rare"]


def test_errors_of_the_last_level_on_a_label_cannot_be_promised_away() -> None:
    """Against labels, the reason names the label; against the end-to-end model, these rows are not lost."""
    rows = _rows(wrong=[], last_wrong=[210, 220, 230])
    against_labels = msgspec.structs.replace(PROMISE, against="labels")
    certified = certify_thresholds(
        _vectors(0.9), rows, against_labels, "digest", label_tests(rows, NAMES, against_labels)
    )
    assert certified.uncertifiable
    assert certified.absent_because == (
        "the last level alone is wrong on 3 of 100 certification rows of rare, too many for 5 % at delta 5 %"
    )
    assert certify_thresholds(_vectors(), rows, PROMISE, "digest", label_tests(rows, NAMES, PROMISE)).certificate


def test_an_agreement_counts_a_row_for_the_label_that_the_last_level_gives_it() -> None:
    """It needs no labels; the end-to-end model and the labels count by the correct one."""
    rows = _rows(wrong=[], last_wrong=list(range(200, 270)))
    kinds: tuple[Against, ...] = ("end-to-end", "labels", "agreement")
    counts = []
    for against in kinds:
        tests = label_tests(rows, NAMES, msgspec.structs.replace(PROMISE, against=against))
        assert tests is not None
        counts.append(tests.rows.tolist())
    assert counts == [[200, 100, 20], [200, 100, 20], [200, 30, 90]]


def _line(against: Against = "end-to-end", limit: float = 0.05) -> str:
    rows, promise = _rows([]), msgspec.structs.replace(PROMISE, against=against, max_loss_per_label=limit)
    certified = certify_thresholds(_vectors(), rows, promise, "digest", label_tests(rows, NAMES, promise))
    return describe(msgspec.structs.replace(make_manifest(), certificate=certified.certificate)).splitlines()[1]


@pytest.mark.parametrize(
    ("against", "claim"),
    [
        ("end-to-end", "the cascade is wrong where the end-to-end model is right on at most 5 % of its rows"),
        ("labels", "the cascade is wrong on at most 5 % of its rows"),
        (
            "agreement",
            "the cascade gives another label to at most 5 % of the rows to which the last level gives it",
        ),
    ],
)
def test_the_promise_has_a_line_of_its_own(against: Against, claim: str) -> None:
    """It says for which labels, how close the closest came, and for which nothing is promised."""
    assert _line(against) == (
        f"jointly with that, for 2 of 3 labels: {claim} (closest to the limit is rare, with 0 of 100 certification "
        "rows, 1 allowed); "
        "nothing is promised for odd (20): a label needs 59 certification rows"
    )


def test_labels_that_all_have_too_few_rows_are_named() -> None:
    """Then the promise for all rows stands alone."""
    assert _line(limit=0.001) == (
        "no label has a promise of its own: a label needs 2995 certification rows, and has fewer: usual (200), "
        "rare (100), odd (20)"
    )


def _population(seed: int, rows: int) -> Recording:
    """Draw three labels of unequal shares; the rarer a label, the more often the first level is wrong on it."""
    random = np.random.default_rng(seed)
    labels = random.choice(3, rows, p=[0.7, 0.2, 0.1])
    first = probabilities(random, labels, 3.0, 3)
    for label, skill in ((1, 1.5), (2, 0.5)):
        own = labels == label
        first[own] = probabilities(random, labels[own], skill, 3)
    return recording([first, probabilities(random, labels, 5.0, 3)], labels)


def _breaks(population: Recording, values: tuple[Threshold, ...]) -> bool:
    """Say whether thresholds lose more of the whole population, or of one of its labels, than is promised."""
    flags = lost(population, values, "end-to-end")
    of_labels = [float(flags[population.labels == label].mean()) for label in range(3)]
    return max(float(flags.mean()), *of_labels) > PROMISE.max_loss


def test_the_limits_hold_together_as_often_as_promised() -> None:
    """On draws from a population, some limit breaks in at most delta; without tests of labels, far more often."""
    population, draws = _population(1, 4000), 200
    vectors = sequence(_population(2, 1000), (1.0, 10.0), "end-to-end")[::5]
    random = np.random.default_rng(3)
    drawn = [population.rows(random.integers(0, 4000, 1000)) for _ in range(draws)]

    def broken(tests: Callable[[Recording], LabelTests | None]) -> float:
        chosen = [certify_thresholds(vectors, rows, PROMISE, "", tests(rows)).chosen.values for rows in drawn]
        return float(np.mean([_breaks(population, values) for values in chosen]))

    share = broken(lambda rows: label_tests(rows, NAMES, PROMISE))
    assert 0 < share <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / draws)
    assert broken(lambda _: None) > 0.5
