"""benchmarks.audit: what it counts, on populations whose losses are known."""

import msgspec
import numpy as np
import pytest
from numpy.typing import NDArray

from benchmarks import audit, trained
from benchmarks.setting import header
from tests.serving import make_manifest
from tests.training.recordings import BLANK, PAIRS, final_predictions, paired
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
    result = audit.thresholds(losses, 0.01, 0.05, _draws(2000))
    assert result.broken <= result.allowed
    assert result.naive > 0.3


def test_a_promise_that_certification_does_not_test_is_detected() -> None:
    """At a delta of nearly 1 any vector passes, and the audit shows that the promise is broken."""
    losses = np.stack([np.zeros(ROWS, bool), np.arange(ROWS) < 60])
    assert audit.thresholds(losses, 0.01, 0.999, _draws(1000)).broken > 0.9


def test_abstention_is_audited_by_the_errors_of_labels_and_of_groups() -> None:
    """Certified rules keep their errors in the population; rules without a test break them far more often."""
    validation, rows = (paired(seed, ROWS) for seed in (12, 13))
    known, population = (FinalPredictions(one.predictions((0.95, 0.0)), one.labels) for one in (validation, rows))
    result, answered = audit.abstention(population, candidate_rules(known, 500, BLANK, PAIRS), PAIRS, _draws(500, 60))
    assert result.broken <= result.allowed
    assert result.naive > result.broken
    assert 0.1 < answered < 1


def test_the_coverage_of_prediction_sets_is_audited() -> None:
    """Where labels are drawn from the posterior, sets cover them as promised, without holding every label."""
    posterior = RANDOM.dirichlet(np.full(4, 0.3), ROWS).astype(np.float32)
    labels = (RANDOM.random(ROWS)[:, None] > posterior.cumsum(axis=1)).sum(axis=1).clip(0, 3)
    result = audit.coverage(final_predictions(posterior, labels), 0.1, _draws(300, 200))
    assert result.mean >= 0.9 - 3 * result.standard_error
    assert 1 <= result.labels < 4


def test_every_promise_of_a_population_is_audited(monkeypatch: pytest.MonkeyPatch) -> None:
    """The tables have a line for each limit, and the promise's own limit is among them."""
    monkeypatch.setattr(audit, "_ROWS", 300)
    validation, rows = paired(1, 1000), paired(2, 2000)
    plain, promise = make_manifest(), Promise(max_loss=0.03, abstain_above=0.1)
    manifest = msgspec.structs.replace(plain, levels=plain.levels[1:])
    vectors = sequence(validation, (1.0, 10.0), promise.against)
    whole = audit.Population(manifest, promise, validation, rows, vectors, 5)
    of_thresholds, lines = audit.audit_thresholds(whole)
    assert len(lines) == 2 + 5
    assert of_thresholds.allowed > promise.delta
    of_abstention, lines = audit.audit_abstention(whole)
    assert (list(of_abstention), len(lines)) == ([0.02, 0.03, 0.1], 2 + 3)
    of_sets, lines = audit.audit_sets(whole)
    assert (list(of_sets), len(lines)) == ([0.01, 0.05, 0.1], 2 + 3)


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
