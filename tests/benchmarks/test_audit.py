"""benchmarks.audit and its parts: what they count, on populations whose losses are known."""

import json
import math
import sys
from dataclasses import replace
from pathlib import Path

import msgspec
import numpy as np
import pytest
from numpy.typing import NDArray

from benchmarks import audit, audit_attempts, audit_fashion, audit_sample, resampling, trained
from benchmarks.resampling import Order, Result
from benchmarks.setting import header
from tests.serving import make_manifest
from tests.training.recordings import BLANK, PAIRS, drawn, final_predictions, paired, recording
from training.certifying.abstention_promise import candidate_rules
from training.certifying.final_posterior import FinalPredictions
from training.replay.thresholds import sequence
from training.task import Promise

RANDOM = np.random.default_rng(0)
ROWS = 4000


def _draws(rows: int, count: int = 500) -> list[NDArray[np.int64]]:
    return [RANDOM.integers(0, ROWS, rows) for _ in range(count)]


def test_a_certified_promise_is_rarely_broken_and_a_naive_one_often() -> None:
    """Among vectors that lose ever more rows, the test keeps to delta; thresholds without a test do not."""
    order = RANDOM.permutation(ROWS)
    losses = np.stack([np.isin(np.arange(ROWS), order[:lost]) for lost in range(0, 120, 2)])
    result = audit_fashion.thresholds(losses, 0.01, 0.05, _draws(2000))
    assert result.broken <= result.allowed
    assert result.naive > 0.3


def test_a_promise_that_certification_does_not_test_is_detected() -> None:
    """At a delta of nearly 1 any vector passes, and the audit shows that the promise is broken."""
    losses = np.stack([np.zeros(ROWS, bool), np.arange(ROWS) < 60])
    assert audit_fashion.thresholds(losses, 0.01, 0.999, _draws(1000)).broken > 0.9


def test_abstention_is_audited_by_the_errors_of_labels_and_of_groups() -> None:
    """Certified rules keep their errors in the population; rules without a test break them far more often."""
    validation, rows = (paired(seed, ROWS) for seed in (12, 13))
    known, population = (FinalPredictions(one.predictions((0.95, 0.0)), one.labels) for one in (validation, rows))
    result, answered = audit_fashion.abstention(
        population, candidate_rules(known, 500, BLANK, PAIRS), PAIRS, _draws(500, 60)
    )
    assert result.broken <= result.allowed
    assert result.naive > result.broken
    assert 0.1 < answered < 1


def test_the_coverage_of_prediction_sets_is_audited() -> None:
    """Where labels are drawn from the posterior, sets cover them as promised, without holding every label."""
    posterior = RANDOM.dirichlet(np.full(4, 0.3), ROWS).astype(np.float32)
    labels = (RANDOM.random(ROWS)[:, None] > posterior.cumsum(axis=1)).sum(axis=1).clip(0, 3)
    result = audit_fashion.coverage(final_predictions(posterior, labels), 0.1, _draws(300, 200))
    assert result.mean >= 0.9 - 3 * result.standard_error
    assert 1 <= result.labels < 4


def test_every_promise_of_a_population_is_audited(monkeypatch: pytest.MonkeyPatch) -> None:
    """The tables have a line for each limit, and the promise's own limit is among them."""
    monkeypatch.setattr(audit_fashion, "_ROWS", 300)
    validation, rows = paired(1, 1000), paired(2, 2000)
    plain, promise = make_manifest(), Promise(max_loss=0.03, abstain_above=0.1)
    manifest = msgspec.structs.replace(plain, levels=plain.levels[1:])
    vectors = sequence(validation, (1.0, 10.0), promise.against)
    whole = audit_fashion.Population(manifest, promise, validation, rows, vectors, 5)
    of_thresholds, lines = audit_fashion.audit_thresholds(whole)
    assert len(lines) == 2 + 5
    assert of_thresholds.allowed > promise.delta
    of_abstention, lines = audit_fashion.audit_abstention(whole)
    assert (list(of_abstention), len(lines)) == ([0.02, 0.03, 0.1], 2 + 3)
    of_sets, lines = audit_fashion.audit_sets(whole)
    assert (list(of_sets), len(lines)) == ([0.01, 0.05, 0.1], 2 + 3)


def test_a_vector_is_kept_until_the_first_that_fails() -> None:
    """Of 100 rows at 10 %, 4 losses pass and 5 fail; a vector after one that fails does not count."""
    counts = np.array([0, 2, 4, 5, 1, 11])
    assert resampling.last_passed(counts, 100, 0.1, 0.05) == 2
    assert resampling.last_within(counts, 100, 0.1) == 4
    assert resampling.last_passed(np.array([5, 0]), 100, 0.1, 0.05) == -1
    assert resampling.last_within(np.array([11]), 100, 0.1) == -1
    assert resampling.last_passed(np.array([0, 1]), 100, 0.1, 0.05) == 1


def test_a_draw_is_broken_by_the_loss_of_the_whole_population() -> None:
    """The last vector loses half of four rows; a draw that misses them certifies it, and breaks the promise."""
    losses = np.array([[0, 0, 0, 0], [0, 0, 0, 1], [0, 0, 1, 1]], bool)
    order = Order(losses, np.array([1.0, 0.5, 0.25]))
    missing, holding = np.zeros(40, np.intp), np.array([0, 1, 2, 3] * 10)
    assert order.certified(missing, 0.3, 0.05) == Result(certified=True, broken=True, time_ratio=0.25)
    assert order.certified(holding, 0.3, 0.05) == Result(certified=True, broken=False, time_ratio=1.0)  # 6 may be lost
    assert order.naive(holding, 0.3) == Result(certified=True, broken=False, time_ratio=0.5)
    assert order.certified(missing[:3], 0.3, 0.05) == Result(certified=False, broken=False, time_ratio=1.0)


def test_a_draw_is_broken_by_the_loss_of_one_label() -> None:
    """Half of the rows of the second label is lost, an eighth of all; a draw of few of them tests only the first."""
    losses = np.array([[0] * 8, [0] * 7 + [1]], bool)
    order = Order(losses, np.array([1.0, 0.5]), np.array([0] * 6 + [1] * 2))
    missing = np.array([0, 1, 2, 6] * 10)
    both = Result(certified=True, broken=True, time_ratio=0.5)
    assert order.certified(missing, 0.3, 0.05, 0.3) == order.naive(missing, 0.3, 0.3) == both
    assert order.certified(missing, 0.3, 0.05) == Result(certified=True, broken=False, time_ratio=0.5)
    few = np.array([0] * 36 + [6] * 4)  # 0.3 takes 9 rows
    assert order.certified(few, 0.3, 0.05, 0.3) == Result(certified=True, broken=False, time_ratio=0.5)
    holding = np.array([0, 6, 7, 7] * 10)
    careful = Result(certified=True, broken=False, time_ratio=1.0)
    assert order.certified(holding, 0.9, 0.05, 0.3) == order.naive(holding, 0.9, 0.3) == careful


def test_an_order_counts_losses_and_times_over_the_whole_population() -> None:
    """Two levels of 1 and 9 µs over four rows: always escalating takes 9, and 1 µs each and 9 for two rows take 5.5."""
    sure, unsure = [0.9000003, 0.0999997], [0.6000003, 0.3999997]  # a little above thresholds of six decimals
    cheap = np.array([sure, sure, unsure, unsure], np.float32)
    good = np.array([sure, [0.2, 0.8], sure, [0.1, 0.9]], np.float32)
    population = recording([cheap, good], np.array([0, 1, 0, 1]))
    order = Order.fixed_on(population, (1.0, 9.0), np.array([0, 0, 2, 2]), "end-to-end")
    assert order.losses.tolist() == [[False] * 4, [False, True, False, False], [False, True, False, True]]
    np.testing.assert_allclose(order.time_ratios, [1, 5.5 / 9, 1 / 9])


def _sample(rows: int = 400) -> audit_sample.Sample:
    """Draw a population of a cheap, a better and a good level."""
    drawn_rows = drawn(3, (2.0, 4.0, 6.0), rows=rows)
    return audit_sample.Sample(np.arange(rows, dtype=np.float32)[:, None], drawn_rows, (1.0, 5.0, 20.0), 50)


def test_promises_of_the_sample_are_audited_at_every_limit_and_number_of_rows() -> None:
    """The table has a line for each, and every draw one result of each; `auto` takes the limit that its rows carry."""
    asked = audit_sample.settings()
    auto = [(one.rows, one.limit) for one in asked if one.auto]
    assert auto == [(100, 0.03), (180, 0.02), (300, 0.01), (750, 0.005)]
    audited = audit_sample.audit(_sample(), asked, 3)
    assert [(one.setting, len(one.certified), len(one.naive)) for one in audited] == [(one, 3, 3) for one in asked]
    lines = audit_sample.table(audited)
    assert len(lines) == 1 + len(asked)
    assert sum("each label" in line for line in lines) == sum(one.per_label is not None for one in asked) == 4
    assert [one.figures().get("per_label") for one in audited] == [one.per_label for one in asked]
    assert [line.endswith("auto") for line in lines[1:]] == [one.auto for one in asked]
    assert all(0 < one.figures()["time_ratio"] <= 1 for one in audited)


def test_shares_of_draws_are_counted() -> None:
    """Of four draws one is broken, and three save time; delta and three standard errors of four draws are allowed."""
    results = [
        Result(certified=True, broken=number == 0, time_ratio=ratio) for number, ratio in enumerate((0.2, 0.4, 0.6, 1))
    ]
    one = audit_sample.Audited(audit_sample.Setting("agreement", 0.01, 300), results, [results[0]] * 4)
    assert one.figures() == {
        "against": "agreement",
        "epsilon": 0.01,
        "rows": 300,
        "broken_share": 0.25,
        "allowed_share": pytest.approx(0.05 + 3 * math.sqrt(0.05 * 0.95 / 4), abs=1e-4),
        "naive_broken_share": 1.0,
        "saving_share": 0.75,
        "time_ratio": 0.55,
    }


def test_attempts_on_the_same_rows_spend_half_of_the_one_before() -> None:
    """Attempts on other levels and limits share their rows, so that four spend 1.875 delta."""
    whole = _sample()
    tried = audit_attempts.candidates(whole, 8)
    assert [one.name for one in tried[:5]] == [
        "all levels",
        "without 0",
        "without 1",
        "temperatures times 0.7",
        "temperatures times 1.4",
    ]
    assert tried[1].times == [5.0, 20.0]
    assert tried[3].rows.cascade.levels[0].temperature == pytest.approx(0.7)  # type: ignore[union-attr]
    assert len({(one.name, one.limit) for one in tried}) == 8
    made = audit_attempts.attempt(whole, tried[:4], 2)
    assert [[one.spent for one in draw] for draw in made] == [[0.05, 0.025, 0.0125, 0.00625]] * 2
    assert audit_attempts.figures(made, 4)["spent"] == 0.09375


def test_a_cascade_of_two_levels_is_tried_with_both() -> None:
    """Without its only early level nothing is left to certify."""
    whole = audit_sample.Sample(np.zeros((9, 1), np.float32), paired(1, 9), (1.0, 9.0), 3)
    assert [one.name.split()[0] for one in audit_attempts.candidates(whole, 3)] == [
        "all",
        "temperatures",
        "temperatures",
    ]


def test_of_several_attempts_the_cheapest_is_kept_and_any_may_break() -> None:
    """The dear one of the first draw breaks, and the cheap one of the second; with the whole delta both do."""

    def attempted(ratio: float, *, broken: bool) -> audit_attempts.Attempted:
        result = Result(certified=True, broken=broken, time_ratio=ratio)
        return audit_attempts.Attempted(0.05, result, replace(result, broken=True))

    made = [
        [attempted(0.4, broken=True), attempted(0.2, broken=False)],
        [attempted(0.6, broken=False), attempted(0.3, broken=True)],
    ]
    one, two = (audit_attempts.figures(made, count) for count in (1, 2))
    assert (one["broken_share"], one["kept_broken_share"], one["time_ratio"]) == (0.5, 0.5, 0.5)
    assert (two["broken_share"], two["kept_broken_share"], two["time_ratio"]) == (1.0, 0.5, 0.25)
    assert (two["undivided_broken_share"], two["undivided_kept_broken_share"]) == (1.0, 1.0)
    assert len(audit_attempts.table([one, two])) == 2 + 2


def test_the_digits_are_audited_alone_where_fashion_mnist_is_not_installed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """The last line has the figures of every limit and of repeated attempts, and nothing large is trained."""
    monkeypatch.setattr(trained, "DEBIAN", tmp_path / "nowhere")
    monkeypatch.setattr(audit_sample, "sample", _sample)
    monkeypatch.setattr(sys, "argv", ["audit", "--sample-draws", "2"])
    audit.main()
    lines = capsys.readouterr().out.splitlines()
    figures = json.loads(lines[-1])
    assert "apt-get install dataset-fashion-mnist gets it" in lines[-2]
    assert figures["data"] == "mnist-sample"
    assert {"broken_share", "naive_broken_share", "delta", "draws", "epsilon", "allowed_share"} < set(figures)
    assert (len(figures["sample"]), len(figures["auto"]), figures["draws"]) == (10, 4, 2)
    assert len(figures["labels"]) == 4
    assert [one["attempts"] for one in figures["attempts"]] == [1, 2, 4, 8]
    assert any("within their delta: " in line for line in lines)


def test_a_broken_promise_is_reported() -> None:
    """The verdict says so, and a line names the limit and the rows."""
    figures = {"against": "agreement", "epsilon": 0.01, "rows": 300, "broken_share": 0.2, "allowed_share": 0.1}
    assert "the promise of 1 % is BROKEN: broken in 20.0 %" in audit.verdict({**figures, "naive_broken_share": 0.5})
    assert audit.broken(figures).startswith("BROKEN: against agreement, epsilon 0.01, rows 300: 20.0 % of draws")


def test_a_benchmark_without_its_data_names_the_package_that_has_them(
    monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """It ends with the command that installs them, and trains nothing."""
    monkeypatch.setattr(trained, "DEBIAN", tmp_path_factory.mktemp("empty") / "nowhere")
    with pytest.raises(SystemExit, match="apt-get install dataset-fashion-mnist"):
        trained.ensure(trained.CASCADE)


def test_a_result_states_where_it_was_measured() -> None:
    """The lines above it have the commit, the machine and the versions of libraries."""
    lines = "\n".join(header())
    assert "commit: " in lines
    assert "processors" in lines
    assert "ai-edge-litert 1.2.0" in lines
