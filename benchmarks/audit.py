"""Audit what is certified: draw certification rows again and again, and count how often a promise is broken.

The population is the certification and test rows together. Each draw takes rows from it with replacement, certifies
as `weir train` does, and is broken when the loss over the whole population exceeds the limit. Promises hold when that
happens in at most delta of the draws, up to chance. `make bench-audit`, `python -m benchmarks.audit --draws 1000`.
"""

import argparse
import json
import math
from collections.abc import Sequence
from dataclasses import dataclass

import msgspec
import numpy as np
from numpy.typing import NDArray
from training.certifying.abstention import Answered, rules, tested
from training.certifying.certification import max_losses
from training.certifying.prediction_sets import prediction_sets
from training.certifying.promises import FinalPosterior

from benchmarks.setting import header
from benchmarks.trained import CASCADE, ensure, load
from training.data.split import Split
from training.replay.recording import Recording, record
from training.replay.thresholds import Thresholds, lost, sequence
from training.replay.timing import times
from training.task import Promise, Task
from weir.catalog.manifest import Manifest
from weir.catalog.promises import Abstention
from weir.engine.hierarchy import Hierarchy
from weir.engine.sets import sets

Flags = NDArray[np.bool_]

_LIMITS = (0.0025, 0.005, 0.01, 0.02)
_ERRORS = (0.02, 0.03)
_ALPHAS = (0.01, 0.05, 0.1)
_ROWS = 1500
"""rows of a draw for abstention and for sets"""


@dataclass(frozen=True)
class Audit:
    """How often one promise was broken."""

    broken: float
    naive: float
    """the same of a rule that takes the rows at their word: the cheapest whose loss on them is within the limit"""
    allowed: float
    """delta, and three standard errors of as many draws"""


def thresholds(losses: Flags, limit: float, delta: float, draws: Sequence[NDArray[np.intp]]) -> Audit:
    """Audit thresholds: `losses` tells which rows each vector loses, `(vectors, population)`, in testing order."""
    true = losses.mean(axis=1)
    broken, naive, count = 0, 0, len(draws)
    for rows in draws:
        found = losses[:, rows].sum(axis=1)
        most = max_losses(len(rows), limit, delta)
        passed = int(np.argmax([*(found > most), True])) - 1
        broken += passed >= 0 and true[passed] > limit
        within = np.flatnonzero(found <= limit * len(rows))
        naive += bool(len(within)) and true[within[-1]] > limit
    return Audit(broken / count, naive / count, _allowed(delta, count))


def abstention(
    said: Answered, tried: Sequence[Abstention], hierarchy: Hierarchy | None, draws: Sequence[NDArray[np.intp]]
) -> tuple[Audit, float]:
    """Audit abstention: broken is an error above the limit, of labels or of labels and groups.

    Args:
        said: what the cascade says of the population.
        tried: rules in testing order.
        hierarchy: the groups, if there are any.
        draws: rows of each draw.

    Returns:
        The audit, and the mean share of the population that gets a label.
    """
    limit = tried[0].max_error
    true = [tested(said, rule, hierarchy) for rule in tried]
    broken, naive, answered = 0, 0, []
    for rows in draws:
        drawn = [tested(_drawn(said, rows), rule, hierarchy) for rule in tried]
        failed = [rule.p_value > rule.delta for rule in drawn]
        passed = [*failed, True].index(True) - 1
        broken += passed >= 0 and _error(true[passed]) > limit
        answered.append(0.0 if passed < 0 else true[passed].answered / true[passed].rows)
        within = [number for number, rule in enumerate(drawn) if _error(rule) <= limit]
        naive += bool(within) and _error(true[within[-1]]) > limit
    count = len(draws)
    return Audit(broken / count, naive / count, _allowed(tried[0].delta, count)), float(np.mean(answered))


def coverage(population: Answered, alpha: float, draws: Sequence[NDArray[np.intp]]) -> tuple[float, float, float]:
    """Audit prediction sets: mean coverage of the population over draws, its standard error, and the mean size."""
    posterior, labels = population.answers.probabilities, population.labels
    covered, sizes = [], []
    for rows in draws:
        quantile = prediction_sets(posterior[rows], labels[rows], [alpha]).quantiles[0]
        held = sets(posterior, quantile)
        covered.append(float(held[np.arange(len(labels)), labels].mean()))
        sizes.append(float(held.sum(axis=1).mean()))
    return float(np.mean(covered)), float(np.std(covered) / math.sqrt(len(draws))), float(np.mean(sizes))


def _error(rule: Abstention) -> float:
    """Take the larger of the two errors that a rule promises."""
    if not rule.answered:
        return 0.0
    together = (rule.wrong + rule.grouped_wrong) / (rule.answered + rule.grouped)
    return max(rule.wrong / rule.answered, together if rule.grouped else 0.0)


def _allowed(delta: float, draws: int) -> float:
    return delta + 3 * math.sqrt(delta * (1 - delta) / draws)


def _drawn(rows: Answered, numbers: NDArray[np.intp]) -> Answered:
    answers = rows.answers
    taken = type(answers)(
        answers.probabilities[numbers],
        answers.label[numbers],
        answers.confidence[numbers],
        answers.exit_level[numbers],
        answers.levels,
    )
    return Answered(taken, rows.labels[numbers])


@dataclass(frozen=True)
class Population:
    """The rows to draw from, what fixes the orders of the tests, and the promise under audit."""

    manifest: Manifest
    promise: Promise
    validation: Recording
    rows: Recording
    tried: Sequence[Thresholds]
    count: int
    """of draws"""

    def draws(self, size: int) -> list[NDArray[np.intp]]:
        """Draw so many rows with replacement, again and again; the same ones every time."""
        random = np.random.default_rng(0)
        return [random.integers(0, len(self.rows.labels), size) for _ in range(self.count)]

    def said(self) -> tuple[Answered, Answered]:
        """What the cascade with its certified thresholds says of validation rows and of the population."""
        said = FinalPosterior([level.threshold for level in self.manifest.levels], self.validation)
        return said.by(self.validation), said.by(self.rows)


def population(count: int) -> Population:
    """Let every level speak once on all rows."""
    ensure(CASCADE)
    manifest, model, data = load(CASCADE)
    promise = msgspec.convert(manifest.provenance.configuration, Task).promise
    images = np.concatenate([data.certification.inputs, data.test.inputs])
    labels = np.concatenate([data.certification.labels, data.test.labels])
    validation = record(model, data.validation)
    tried = sequence(validation, times(model, data.validation.inputs), promise.against)
    return Population(manifest, promise, validation, record(model, Split(images, labels)), tried, count)


def audit_thresholds(found: Population) -> tuple[Audit, list[str]]:
    """Audit the thresholds at several limits; give the audit of the promise's own, and a table."""
    promise = found.promise
    certificate = found.manifest.certificate
    size = certificate.rows if certificate else len(found.validation.labels)
    losses = np.stack([lost(found.rows, one.values, promise.against) for one in found.tried])
    draws = found.draws(size)
    audits = {limit: thresholds(losses, limit, promise.delta, draws) for limit in sorted({*_LIMITS, promise.max_loss})}
    lines = [
        f"\nthresholds, {size} rows a draw, {len(found.tried)} vectors, delta {100 * promise.delta:g} %: broken draws",
        f"{'epsilon':>10} {'certified':>10} {'allowed':>8} {'naive':>8}",
        *(f"{100 * limit:>8.2f} % {_columns(one)}" for limit, one in audits.items()),
    ]
    return audits[promise.max_loss], lines


def audit_abstention(found: Population) -> tuple[dict[float, float], list[str]]:
    """Audit abstention at several limits: share of broken draws by limit, and a table."""
    known, said = found.said()
    delta, broken = found.promise.delta, {}
    lines = [
        f"\nabstention, {_ROWS} rows a draw, delta {100 * delta:g} %, groups: "
        + (", ".join(found.manifest.groups) or "none"),
        f"{'error':>10} {'certified':>10} {'allowed':>8} {'naive':>8} {'rows with a label':>18}",
    ]
    for limit in sorted({*_ERRORS, found.promise.abstain_above or _ERRORS[0]}):
        blank = Abstention(max_error=limit, delta=delta, threshold=0, rows=0, answered=0, wrong=0, p_value=1)
        tried = rules(known, _ROWS, blank, found.rows.hierarchy)
        one, answered = abstention(said, tried, found.rows.hierarchy, found.draws(_ROWS))
        broken[limit] = one.broken
        lines.append(f"{100 * limit:>8.1f} % {_columns(one)} {100 * answered:>16.1f} %")
    return broken, lines


def audit_sets(found: Population) -> tuple[dict[float, float], list[str]]:
    """Audit prediction sets at several alphas: mean coverage by alpha, and a table."""
    said = found.said()[1]
    draws, covered = found.draws(_ROWS), {}
    lines = [
        f"\nprediction sets, {_ROWS} rows a draw: mean share of the population whose set holds the label",
        f"{'alpha':>10} {'coverage':>10} {'at least':>9} {'labels a set':>13}",
    ]
    for alpha in _ALPHAS:
        covered[alpha], error, labels = coverage(said, alpha, draws)
        least = 1 - alpha - 3 * error
        lines.append(f"{100 * alpha:>8.0f} % {100 * covered[alpha]:>8.2f} % {100 * least:>7.2f} % {labels:>13.3f}")
    return covered, lines


def _columns(one: Audit) -> str:
    return f"{100 * one.broken:>8.1f} % {100 * one.allowed:>6.1f} % {100 * one.naive:>6.1f} %"


def main() -> None:
    """Print the audit."""
    parser = argparse.ArgumentParser(description="Audit what is certified, on Fashion-MNIST.")
    parser.add_argument("--draws", type=int, default=1000, help="draws of every audit, at least 500 (default 1000)")
    found = population(max(500, parser.parse_args().draws))
    of_thresholds, first = audit_thresholds(found)
    of_abstention, second = audit_abstention(found)
    of_sets, third = audit_sets(found)
    told = f"population: {len(found.rows.labels)} certification and test rows; {found.count} draws with replacement"
    kept = of_thresholds.broken <= of_thresholds.allowed
    verdict = (
        f"the promise of {100 * found.promise.max_loss:g} % is {'kept' if kept else 'BROKEN'}: broken in "
        f"{100 * of_thresholds.broken:.1f} % of draws, {100 * of_thresholds.allowed:.1f} % allowed; naive thresholds "
        f"break it in {100 * of_thresholds.naive:.1f} %"
    )
    for line in (*header(), told, *first, *second, *third, "", verdict):
        print(line)
    figures = {
        "broken_share": of_thresholds.broken,
        "naive_broken_share": of_thresholds.naive,
        "delta": found.promise.delta,
        "draws": found.count,
        "epsilon": found.promise.max_loss,
        "allowed_share": round(of_thresholds.allowed, 4),
        "abstention_broken_share": {str(limit): share for limit, share in of_abstention.items()},
        "coverage": {str(alpha): round(share, 4) for alpha, share in of_sets.items()},
    }
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
