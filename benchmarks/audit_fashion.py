"""Audit what is certified on Fashion-MNIST: thresholds at several limits, abstention, prediction sets.

The population is the certification and test rows together. Each draw takes rows from it with replacement, certifies
as `weir train` does, and is broken when the loss over the whole population exceeds the limit. Promises hold when that
happens in at most delta of the draws, up to chance.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from benchmarks.resampling import Flags, allowed, last_passed, last_within
from benchmarks.trained import CASCADE, ensure, load
from training.certifying.abstention_promise import candidate_rules, evaluate_rule
from training.certifying.final_posterior import FinalPosterior, FinalPredictions
from training.certifying.limits import settle
from training.certifying.prediction_set_promise import certify_sets
from training.data.splits.split import Split
from training.replay.recording import Recording, record
from training.replay.thresholds import Thresholds, lost, sequence
from training.replay.timing import times
from training.task import Promise, Task
from weir.catalog.manifest import Manifest
from weir.catalog.promises import Abstention
from weir.engine.hierarchy import Hierarchy
from weir.engine.sets import sets

_LIMITS = (0.0025, 0.005, 0.01, 0.02)
_ERRORS = (0.02, 0.03)
_ALPHAS = (0.01, 0.05, 0.1)
_ROWS = 1500
"""rows of a draw for abstention and for sets"""


@dataclass(frozen=True)
class Audit:
    """How often one promise was broken."""

    broken: float
    """share of draws in which it was"""
    naive: float
    """the same for thresholds without a test: the cheapest whose loss on the drawn rows is within the limit"""
    allowed: float
    """delta, and three standard errors of as many draws"""


def thresholds(losses: Flags, limit: float, delta: float, draws: Sequence[NDArray[np.intp]]) -> Audit:
    """Audit thresholds.

    Args:
        losses: which rows each vector loses, in testing order, `(vectors, population)`.
        limit: of the share of lost rows.
        delta: chance that the promise does not hold.
        draws: rows of each draw.
    """
    true = losses.mean(axis=1)
    broken, naive, count = 0, 0, len(draws)
    for rows in draws:
        counts = losses[:, rows].sum(axis=1)
        passed, within = last_passed(counts, len(rows), limit, delta), last_within(counts, len(rows), limit)
        broken += passed >= 0 and true[passed] > limit
        naive += within >= 0 and true[within] > limit
    return Audit(broken / count, naive / count, allowed(delta, count))


def abstention(
    population: FinalPredictions,
    candidates: Sequence[Abstention],
    hierarchy: Hierarchy,
    draws: Sequence[NDArray[np.intp]],
) -> tuple[Audit, float]:
    """Audit abstention: broken is an error above the limit, of labels or of labels and groups.

    Args:
        population: the cascade's predictions for it.
        candidates: rules in testing order.
        hierarchy: the groups, if there are any.
        draws: rows of each draw.

    Returns:
        The audit, and the mean share of the population that gets a label.
    """
    limit = candidates[0].max_error
    true = [evaluate_rule(population, rule, hierarchy) for rule in candidates]
    broken, naive, answered = 0, 0, []
    for rows in draws:
        sample = _rows(population, rows)
        drawn = [evaluate_rule(sample, rule, hierarchy) for rule in candidates]
        failed = [rule.p_value > rule.delta for rule in drawn]
        passed = [*failed, True].index(True) - 1
        broken += passed >= 0 and _error(true[passed]) > limit
        answered.append(0.0 if passed < 0 else true[passed].answered / true[passed].rows)
        within = [number for number, rule in enumerate(drawn) if _error(rule) <= limit]
        naive += bool(within) and _error(true[within[-1]]) > limit
    count = len(draws)
    return Audit(broken / count, naive / count, allowed(candidates[0].delta, count)), float(np.mean(answered))


@dataclass(frozen=True)
class Coverage:
    """How often prediction sets hold the label."""

    mean: float
    """share of the population whose set holds the label, over draws"""
    standard_error: float
    """of that mean"""
    labels: float
    """mean size of a set"""


def coverage(population: FinalPredictions, alpha: float, draws: Sequence[NDArray[np.intp]]) -> Coverage:
    """Audit prediction sets of one alpha, certified on each draw, on the whole population."""
    posterior, labels = population.predictions.probabilities, population.labels
    covered, sizes = [], []
    for rows in draws:
        quantile = certify_sets(_rows(population, rows), [alpha]).quantiles[0]
        members = sets(posterior, quantile)
        covered.append(float(members[np.arange(len(labels)), labels].mean()))
        sizes.append(float(members.sum(axis=1).mean()))
    return Coverage(float(np.mean(covered)), float(np.std(covered) / math.sqrt(len(draws))), float(np.mean(sizes)))


def _error(rule: Abstention) -> float:
    """Return the larger of the two errors that a rule promises."""
    if not rule.answered:
        return 0.0
    together = (rule.wrong + rule.grouped_wrong) / (rule.answered + rule.grouped)
    return max(rule.wrong / rule.answered, together if rule.grouped else 0.0)


def _rows(final: FinalPredictions, numbers: NDArray[np.intp]) -> FinalPredictions:
    """Take some of the rows, as often as they are named."""
    predictions = final.predictions
    some = replace(
        predictions,
        probabilities=predictions.probabilities[numbers],
        label=predictions.label[numbers],
        confidence=predictions.confidence[numbers],
        exit_level=predictions.exit_level[numbers],
        trace=predictions.trace[:0],
        abstentions=None,
    )
    return FinalPredictions(some, final.labels[numbers])


@dataclass(frozen=True)
class Population:
    """The rows to draw from, what fixes the orders of the tests, and the promise under audit."""

    manifest: Manifest
    promise: Promise
    validation: Recording
    rows: Recording
    vectors: Sequence[Thresholds]
    """threshold vectors in testing order"""
    count: int
    """of draws"""

    @property
    def hierarchy(self) -> Hierarchy:
        """The groups, if there are any."""
        return self.rows.cascade.hierarchy

    @property
    def size(self) -> int:
        """Rows of a draw for thresholds: as many as carry the certificate."""
        certificate = self.manifest.certificate
        return certificate.rows if certificate else len(self.validation.labels)

    @property
    def limit(self) -> float:
        """The limit of the promise."""
        return settle(self.promise, self.size, self.promise.delta).promise.max_loss

    def draws(self, size: int) -> list[NDArray[np.intp]]:
        """Draw so many rows with replacement, again and again; the same ones every time."""
        random = np.random.default_rng(0)
        return [random.integers(0, len(self.rows.labels), size) for _ in range(self.count)]

    def final(self) -> tuple[FinalPredictions, FinalPredictions]:
        """Predict validation rows and the population, with the certified thresholds."""
        posterior = FinalPosterior([level.threshold for level in self.manifest.levels], self.validation)
        return posterior.of(self.validation), posterior.of(self.rows)


def population(count: int) -> Population:
    """Run every network once on all rows."""
    ensure(CASCADE)
    manifest, model, data = load(CASCADE)
    promise = msgspec.convert(manifest.provenance.configuration, Task).promise
    inputs = np.concatenate([data.certification.inputs, data.test.inputs])
    labels = np.concatenate([data.certification.labels, data.test.labels])
    validation = record(model, data.validation)
    vectors = sequence(validation, times(model, data.validation.inputs), promise.against)
    return Population(manifest, promise, validation, record(model, Split(inputs, labels)), vectors, count)


def audit_thresholds(whole: Population) -> tuple[Audit, list[str]]:
    """Audit the thresholds at several limits; return the audit of the promise's own limit, and a table."""
    promise, size = whole.promise, whole.size
    losses = np.stack([lost(whole.rows, one.values, promise.against) for one in whole.vectors])
    draws = whole.draws(size)
    audits = {limit: thresholds(losses, limit, promise.delta, draws) for limit in sorted({*_LIMITS, whole.limit})}
    delta, vectors = f"delta {100 * promise.delta:g} %", f"{len(whole.vectors)} vectors"
    lines = [
        f"\nthresholds, {size} rows a draw, {vectors}, {delta}: broken draws",
        f"{'epsilon':>10} {'certified':>10} {'allowed':>8} {'naive':>8}",
        *(f"{100 * limit:>8.2f} % {_columns(one)}" for limit, one in audits.items()),
    ]
    return audits[whole.limit], lines


def audit_abstention(whole: Population) -> tuple[dict[float, float], list[str]]:
    """Audit abstention at several limits; return the share of broken draws by limit, and a table."""
    validation, final = whole.final()
    delta, broken = whole.promise.delta, {}
    lines = [
        f"\nabstention, {_ROWS} rows a draw, delta {100 * delta:g} %, groups: "
        + (", ".join(whole.manifest.groups) or "none"),
        f"{'error':>10} {'certified':>10} {'allowed':>8} {'naive':>8} {'rows with a label':>18}",
    ]
    for limit in sorted({*_ERRORS, whole.promise.abstain_above or _ERRORS[0]}):
        blank = Abstention(max_error=limit, delta=delta, threshold=0, rows=0, answered=0, wrong=0, p_value=1)
        candidates = candidate_rules(validation, _ROWS, blank, whole.hierarchy)
        one, answered = abstention(final, candidates, whole.hierarchy, whole.draws(_ROWS))
        broken[limit] = one.broken
        lines.append(f"{100 * limit:>8.1f} % {_columns(one)} {100 * answered:>16.1f} %")
    return broken, lines


def audit_sets(whole: Population) -> tuple[dict[float, float], list[str]]:
    """Audit prediction sets at several alphas; return the mean coverage by alpha, and a table."""
    _, final = whole.final()
    draws, covered = whole.draws(_ROWS), {}
    lines = [
        f"\nprediction sets, {_ROWS} rows a draw: mean share of the population whose set holds the label",
        f"{'alpha':>10} {'coverage':>10} {'at least':>9} {'labels a set':>13}",
    ]
    for alpha in _ALPHAS:
        one = coverage(final, alpha, draws)
        covered[alpha], least = one.mean, 1 - alpha - 3 * one.standard_error
        lines.append(f"{100 * alpha:>8.0f} % {100 * one.mean:>8.2f} % {100 * least:>7.2f} % {one.labels:>13.3f}")
    return covered, lines


def _columns(one: Audit) -> str:
    return f"{100 * one.broken:>8.1f} % {100 * one.allowed:>6.1f} % {100 * one.naive:>6.1f} %"


def audit(count: int) -> tuple[dict[str, Any], list[str]]:
    """Audit every promise on Fashion-MNIST; return the figures, and tables with a verdict."""
    whole = population(count)
    of_thresholds, first = audit_thresholds(whole)
    of_abstention, second = audit_abstention(whole)
    of_sets, third = audit_sets(whole)
    rows = f"\nFashion-MNIST: {len(whole.rows.labels)} certification and test rows; {count} draws with replacement"
    figures = {
        "data": "fashion-mnist",
        "broken_share": of_thresholds.broken,
        "naive_broken_share": of_thresholds.naive,
        "delta": whole.promise.delta,
        "draws": count,
        "epsilon": whole.limit,
        "allowed_share": round(of_thresholds.allowed, 4),
        "abstention_broken_share": {str(limit): share for limit, share in of_abstention.items()},
        "coverage": {str(alpha): round(share, 4) for alpha, share in of_sets.items()},
    }
    return figures, [rows, *first, *second, *third]
