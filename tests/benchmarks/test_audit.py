"""benchmarks.audit: what it counts, on populations whose losses are known."""

import numpy as np
import pytest
from numpy.typing import NDArray
from training.certifying.abstention import Answered

from benchmarks import audit, trained
from benchmarks.setting import header
from weir.engine.cascade import Predictions

RANDOM = np.random.default_rng(0)
ROWS = 4000


def _draws(rows: int, count: int = 500) -> list[NDArray[np.int64]]:
    return [RANDOM.integers(0, ROWS, rows) for _ in range(count)]


def test_an_honest_promise_is_rarely_broken_and_a_naive_one_often() -> None:
    """Vectors that lose ever more rows: the test keeps to delta, who takes the rows at their word does not."""
    order = RANDOM.permutation(ROWS)
    losses = np.stack([np.isin(np.arange(ROWS), order[:lost]) for lost in range(0, 120, 2)])
    found = audit.thresholds(losses, 0.01, 0.05, _draws(2000))
    assert found.broken <= found.allowed
    assert found.naive > 0.3


def test_a_promise_that_certification_does_not_test_is_found_out() -> None:
    """At a delta of nearly 1 anything passes, and the audit says that it is broken."""
    losses = np.stack([np.zeros(ROWS, bool), np.arange(ROWS) < 60])
    assert audit.thresholds(losses, 0.01, 0.999, _draws(1000)).broken > 0.9


def test_sets_that_hold_too_little_are_found_out() -> None:
    """Labels drawn from the posterior are covered as promised; labels of another world are not, on the same sets."""
    posterior = RANDOM.dirichlet(np.full(4, 0.3), ROWS).astype(np.float32)
    labels = (RANDOM.random(ROWS)[:, None] > posterior.cumsum(axis=1)).sum(axis=1).clip(0, 3)
    answers = Predictions(posterior, posterior.argmax(1), posterior.max(1), np.zeros(ROWS, np.int32), 1)
    mean, error, size = audit.coverage(Answered(answers, labels), 0.1, _draws(300, 200))
    assert mean >= 0.9 - 3 * error
    assert 1 <= size < 4


def test_a_benchmark_without_its_data_says_which_package_has_them(
    monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """And trains nothing."""
    monkeypatch.setattr(trained, "DEBIAN", tmp_path_factory.mktemp("empty") / "nowhere")
    with pytest.raises(SystemExit, match="apt-get install dataset-fashion-mnist"):
        trained.ensure(trained.CASCADE)


def test_a_result_says_where_it_was_measured() -> None:
    """Date, commit, machine, libraries."""
    told = "\n".join(header())
    assert "commit: " in told
    assert "processors" in told
    assert "ai-edge-litert 1.2.0" in told
